/* A run in progress: trainer, folder, metrics, log; and what the parts of the loop do with it.
 * Internal to src/run. */
#ifndef GYRE_RUN_STATE_H
#define GYRE_RUN_STATE_H

#include "evaluate.h"
#include "events.h"
#include "folder.h"
#include "gyre/metrics.h"
#include "gyre/run.h"
#include "progress.h"
#include "trainer.h"

typedef struct {
    gyre_trainer trainer;
    gyre_train_options options;
    int64_t last; /* completed updates at which this launch ends */

    gyre_evaluator *evaluator; /* NULL: nothing to evaluate */
    gyre_progress progress;

    /* rank 0 only */
    gyre_folder folder;
    gyre_metrics *metrics;
    struct gyre_events *events;
    double begun, seconds_before; /* clock of this launch; seconds of the launches before */
    double row_time;              /* when the last training row was made */
    double saved_time;            /* when the last checkpoint was made */
    double best;                  /* accuracy, -1: none yet */
    gyre_step_result shown;       /* the last known results */

    gyre_score score; /* the last evaluation, after scored_step updates */
    int64_t scored_step;
} gyre_run;

/* setup.c: everything before the first step. *finished: the folder holds this run, done. All ranks
 * return the same; close in any case. Collective. */
gyre_status gyre_run_open(gyre_run *r, const gyre_settings *settings, gyre_comm *comm,
                          bool *finished);
void gyre_run_close(gyre_run *r);

/* record.c */
double gyre_run_clock(void);                /* seconds, monotonic */
double gyre_run_seconds(const gyre_run *r); /* of training, launches before included */
/* Writes the training row of a step; GYRE_EDIVERGED on all ranks when it was not finite. */
gyre_status gyre_run_record(gyre_run *r, const gyre_step_result *result);
gyre_status gyre_run_evaluate(gyre_run *r); /* Collective. */
/* The row of /cycles for the minimum after the last update. */
gyre_status gyre_run_cycle(gyre_run *r);
/* A failure of rank 0 while the others may wait for it. */
gyre_status gyre_run_fatal(gyre_run *r, gyre_status status);

/* save.c: a checkpoint of the present state, older ones pruned. Collective. */
gyre_status gyre_run_save(gyre_run *r, bool needed);
gyre_status gyre_run_save_best(gyre_run *r); /* rank 0 */

/* summary.c: what the run will be, on stderr and in log.jsonl (rank 0 prints). */
gyre_status gyre_run_summary(gyre_run *r);

#endif
