/* Defaults of config fields that are needed in other places than the table of fields, which takes
 * them from here, too: as numbers for C, and by GYRE_STRING for help texts. */
#ifndef GYRE_DEFAULTS_H
#define GYRE_DEFAULTS_H

#include "gyre/settings.h"

#define GYRE_DEFAULT_LOSS "cross_entropy" /* of model.loss; a node type of src/model/nodes */

#define GYRE_DEFAULT_DENOISE_STEPS 1000 /* of the node type diffuse likewise */

#define GYRE_DEFAULT_READERS_MAX 16 /* of data.readers, which depends on the threads of a rank */

#define GYRE_DEFAULT_SHARDS_MAX 8         /* of batch.shards, which depends on batch.size */
#define GYRE_DEFAULT_SHARD_SAMPLES_MIN 32 /* likewise */

#define GYRE_DEFAULT_AVERAGE_DECAY 0.9999 /* Ho et al. 2020, diffusers */
#define GYRE_DEFAULT_LOOKAHEAD_DECAY 0.5
#define GYRE_DEFAULT_AVERAGE_START 0.75 /* of the steps; Izmailov et al. 2018 */
#define GYRE_DEFAULT_AVERAGE_STATISTICS 4096

#define GYRE_DEFAULT_GAMMA 1
#define GYRE_DEFAULT_SHAPE GYRE_SHAPE_LINEAR
#define GYRE_DEFAULT_UP_FRACTION 0.5
#define GYRE_DEFAULT_PEAK_DECAY 1
#define GYRE_DEFAULT_PEAK_DECAY_TRIANGULAR2 0.5
#define GYRE_DEFAULT_T_MULT 1
#define GYRE_DEFAULT_HF_CYCLES 0.5
#define GYRE_DEFAULT_ONE_CYCLE_FORM GYRE_ONE_CYCLE_PYTORCH2
#define GYRE_DEFAULT_PCT_START 0.3
#define GYRE_DEFAULT_DIV_FACTOR 25
#define GYRE_DEFAULT_FINAL_DIV_FACTOR 10000
#define GYRE_DEFAULT_ANNEAL GYRE_ANNEAL_COSINE

static inline double gyre_default_peak_decay(gyre_policy policy) {
    return policy == GYRE_POLICY_TRIANGULAR2 ? GYRE_DEFAULT_PEAK_DECAY_TRIANGULAR2
                                             : GYRE_DEFAULT_PEAK_DECAY;
}

#define GYRE_DEFAULT_EVALUATE_BATCH 250
#define GYRE_DEFAULT_EVALUATE_PAIRS 4

#define GYRE_DEFAULT_SAMPLE_STEPS 50 /* of DDIM; DDPM takes all times */
#define GYRE_DEFAULT_SAMPLE_BATCH 4
#define GYRE_DEFAULT_SAMPLE_SEEDS "0..7"
enum { GYRE_GUIDANCE_MOST = 1000 };

#define GYRE_DEFAULT_WATCHDOG_SECONDS 600
#define GYRE_DEFAULT_START_SECONDS 600 /* before the config is read */

#endif
