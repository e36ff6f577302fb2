/* What a launch finds in its run folder. Internal to src/run. */
#ifndef GYRE_RUN_RESUME_H
#define GYRE_RUN_RESUME_H

#include "run_state.h"

/* What rank 0 found in the folder; the same on all ranks after share(). */
typedef struct {
    int64_t completed; /* of the checkpoint to resume from; -1: none, start at 0 */
    int32_t holds_run; /* the folder holds a run */
    int32_t finished;  /* and that run is done */
    int32_t extends;   /* this launch adds a stage to it */
    int32_t repeats;   /* that stage is the run's last one, which it has not come through yet */
    int32_t moved;     /* and this launch found its dataset in another place */
    int32_t branches;  /* `completed` is of options.branch: this run begins there */
} run_found;

/* Opens the folder and, where it holds a run, checks that it is this one. Rank 0's part.
 * GYRE_EUSAGE: it is another one, in what and what to do. */
gyre_status run_look(run_state *r, const gyre_settings *settings, run_found *f);
/* Writes into the run's config.json what this launch changes of it. Once nothing is left that may
 * refuse the launch. Rank 0's part. */
gyre_status run_keep_config(run_state *r, const run_found *f);
/* "gyre train CONFIG --out RUN", to be typed; returns `out`. */
char *run_command(const run_state *r, char *out, size_t size);
/* Reads the checkpoint that was found. */
gyre_status run_read_checkpoint(const run_state *r, const run_found *f, gyre_snapshot *s);

#endif
