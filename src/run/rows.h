/* From results to rows of metrics.h5 and of event files, and to the progress line. Internal to
 * src/run. */
#ifndef GYRE_RUN_ROWS_H
#define GYRE_RUN_ROWS_H

#include "files.h"
#include "gyre/evaluator.h"
#include "gyre/trainer.h"
#include "timing.h"

typedef struct {
    run_files *files;
    run_timing *timing;
    gyre_progress *progress;
    int64_t batch, steps, steps_per_epoch, cycles;
    gyre_rate rate; /* of the last row */
} run_rows;

/* Each returns GYRE_EDEVICE when out of memory: the row is lost. A row that cannot be written
 * waits. Rank 0. */
gyre_status run_rows_train(run_rows *r, const gyre_step_result *result);
gyre_status run_rows_validation(run_rows *r, int64_t completed, const gyre_score *score);
/* `row` NULL: the run has no averages. */
gyre_status run_rows_averages(run_rows *r, const gyre_averages_row *row, const gyre_metric *of);
/* At a minimum of the rate; `score` NULL: nothing was evaluated there. */
gyre_status run_rows_cycle(run_rows *r, int64_t completed, const gyre_score *score);

#endif
