/* One cell, from its lock to its result. Internal to src/study. */
#ifndef GYRE_STUDY_CELL_H
#define GYRE_STUDY_CELL_H

#include "gyre/run.h"
#include "gyre/study.h"

typedef enum {
    STUDY_CELL_RAN,       /* it has a result now */
    STUDY_CELL_FOUND,     /* another process gave it one meanwhile */
    STUDY_CELL_ELSEWHERE, /* another process works on it */
    STUDY_CELL_STOPPED    /* by a signal, before it had begun or with a checkpoint */
} study_cell_end;

/* Runs a cell, whatever became of it before. `options` are the run's except the folder. On rank 0
 * *result is known when there is one. Errors: what keeps a result from being kept; a run that
 * fails is a result. Collective. */
gyre_status study_cell_run(const gyre_study *s, gyre_study_cell c,
                           const gyre_train_options *options, gyre_comm *comm, study_cell_end *end,
                           gyre_status *verdict, gyre_cell_result *result);

#endif
