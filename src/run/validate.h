/* Evaluations during a run. Internal to src/run. */
#ifndef GYRE_RUN_VALIDATE_H
#define GYRE_RUN_VALIDATE_H

#include "gyre/evaluator.h"
#include "rows.h"
#include "save.h"

typedef struct {
    gyre_evaluator *evaluator; /* NULL: nothing to evaluate */
    bool quiet;
    gyre_score score; /* the last evaluation, after `scored` updates; -1: none in this launch */
    int64_t scored;
    double best;   /* metric; gyre_metric_worst: none yet */
    bool new_best; /* by the last evaluation, and checkpoint.best requires it; rank 0 */
    bool told;     /* a warning of an evaluation whose loss was not finite */
} run_validation;

/* `best` is set already. */
gyre_status run_validation_open(run_validation *v, const gyre_trainer *t);
void run_validation_close(run_validation *v);

/* Evaluates the weights that average.kind names, and then the last ones and all averages that the
 * run keeps besides. `aside`: the result
 * is for the coming row of /cycles alone. Collective. */
gyre_status run_validate(run_validation *v, gyre_trainer *t, run_rows *rows, run_saver *saver,
                         bool aside);
/* The score after `completed` updates; NULL: there is none. */
const gyre_score *run_validation_after(const run_validation *v, int64_t completed);

#endif
