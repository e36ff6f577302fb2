/* A run in progress: what it trains, and the parts of the loop, each with what is its own. Internal
 * to src/run. */
#ifndef GYRE_RUN_STATE_H
#define GYRE_RUN_STATE_H

#include "gyre/run.h"
#include "pictures.h"
#include "profile.h"
#include "validate.h"

typedef struct {
    gyre_train_options options;
    gyre_resolved resolved;
    gyre_schedule *schedule;
    int64_t steps; /* of the schedule */
    int64_t last;  /* completed updates at which this launch ends */
    gyre_trainer trainer;
    gyre_profile profile; /* with options.profile */
    run_validation validation;
    run_pictures pictures;
    gyre_progress progress;

    /* rank 0 only */
    run_files files;
    run_timing timing;
    run_rows rows;
    run_saver saver;
} run_state;

#endif
