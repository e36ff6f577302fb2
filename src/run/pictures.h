/* Samples that a run makes while it trains, in its folder: pictures, or numbers where the network
 * makes latents. Internal to src/run. */
#ifndef GYRE_RUN_PICTURES_H
#define GYRE_RUN_PICTURES_H

#include "files.h"
#include "gyre/sample.h"
#include "gyre/trainer.h"
#include "timing.h"

typedef struct {
    bool on; /* the settings ask for some */
    bool quiet;
    bool pictures; /* else they are numbers */
    gyre_sampling_options options;
    gyre_sampling *sampling;
    uint64_t *seeds;
    int count;
    float *x; /* (count, h, w, c) */
    char caption[256];
} run_pictures;

/* Looks at the settings, before anything is written. GYRE_EUSAGE: the network makes no such
 * samples. */
gyre_status run_pictures_plan(run_pictures *p, const gyre_resolved *resolved);
/* Opens what they are made with. */
gyre_status run_pictures_open(run_pictures *p, const gyre_trainer *t);
void run_pictures_close(run_pictures *p);

/* Are some to be made after so many updates, at a minimum of the rate, or at the run's end? */
bool run_pictures_due(const run_pictures *p, const gyre_sample_settings *s, int64_t completed,
                      bool minimum, bool end);
/* Makes samples/step-*.png, or .h5 with /latents, of the present parameters, unless it is there; it
 * changes nothing of the run. What cannot be written is a warning. Collective. */
gyre_status run_pictures_make(run_pictures *p, gyre_trainer *t, run_files *files,
                              run_timing *timing);

#endif
