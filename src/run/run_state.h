/* A run in progress: trainer, folder, metrics, log; and what the parts of the loop do with it.
 * Internal to src/run. */
#ifndef GYRE_RUN_STATE_H
#define GYRE_RUN_STATE_H

#include "gyre/evaluator.h"
#include "gyre/events.h"
#include "gyre/metrics.h"
#include "gyre/progress.h"
#include "gyre/run.h"
#include "gyre/run_folder.h"
#include "gyre/trainer.h"
#include "profile.h"
#include "writer.h"

typedef struct {
    gyre_trainer trainer;
    gyre_train_options options;
    int64_t last; /* completed updates at which this launch ends */

    gyre_profile profile;      /* with options.profile */
    gyre_evaluator *evaluator; /* NULL: nothing to evaluate */
    gyre_progress progress;

    /* rank 0 only */
    gyre_run_folder folder;
    gyre_metrics *metrics;
    gyre_events *events;
    double begun, seconds_before; /* clock of this launch; seconds of the launches before */
    double row_time;              /* when the last row's update ended, later by pauses since */
    double saved_time;            /* when the last checkpoint was made */
    double followed_time;         /* when the run folder was last looked for */
    gyre_writer *writer;
    bool save_failed; /* a checkpoint that checkpoint.required asks for; save_error says why */
    char save_error[GYRE_ERROR_MAX];
    bool rows_wait;         /* rows or log lines could not be written, a warning was printed */
    double best;            /* accuracy, -1: none yet */
    bool new_best;          /* by the last evaluation, and checkpoint.best wants it kept */
    gyre_step_result shown; /* the last known results */

    gyre_score score; /* the last evaluation, after scored_step updates */
    int64_t scored_step;
    bool loss_told; /* a warning of an evaluation whose loss was not finite */
} gyre_run;

/* setup.c: everything before the first step. *finished: the folder holds this run, done. All ranks
 * return the same; close in any case. Collective. */
gyre_status gyre_run_open(gyre_run *r, const gyre_settings *settings, gyre_comm *comm,
                          bool *finished);
void gyre_run_close(gyre_run *r);

/* record.c */
double gyre_run_seconds(const gyre_run *r); /* of training, launches before included */
/* Writes the training row of a step; GYRE_EDIVERGED on all ranks when it was not finite. */
gyre_status gyre_run_record(gyre_run *r, const gyre_step_result *result);
/* `aside`: the result is for the coming gyre_run_cycle alone. Collective. */
gyre_status gyre_run_evaluate(gyre_run *r, bool aside);
/* The row of /cycles for the minimum after the last update. */
gyre_status gyre_run_cycle(gyre_run *r);
/* A failure of rank 0 while the others may wait for it. */
gyre_status gyre_run_fatal(gyre_run *r, gyre_status status);
/* A row or a log line that could not be written does not end a run: warns, once. Rows wait in
 * memory and are tried again each second. */
void gyre_run_tolerate(gyre_run *r, gyre_status status);

/* save.c: a checkpoint of the present state; `regular` under the step's name, and as best.h5 after
 * a new best. Not `needed`: rank 0 writes it in the background, and a failure is a warning (or ends
 * the run a step later, with checkpoint.required). `needed`: written when it returns. Collective.
 */
gyre_status gyre_run_save(gyre_run *r, bool regular, bool needed);
/* Before files of the run folder are written by name: the folder may have been moved, or removed
 * (GYRE_EIO, which ends the run). Rank 0. */
gyre_status gyre_run_follow(void *run); /* a gyre_run */
/* Takes the result of a checkpoint in the background, if it is there; with `wait`, when it is. */
void gyre_run_collect(gyre_run *r, bool wait);

/* summary.c: what the run will be, on stderr and in log.jsonl (rank 0 prints). */
gyre_status gyre_run_summary(gyre_run *r);

#endif
