/* Numbers that are not finite: what a run that has come to them says. Internal to src/run. */
#ifndef GYRE_RUN_DIVERGE_H
#define GYRE_RUN_DIVERGE_H

#include "gyre/evaluator.h"
#include "save.h"

/* GYRE_EDIVERGED, on all ranks, after an update whose result was not finite. */
gyre_status run_diverged(gyre_trainer *t, run_saver *s, const gyre_step_result *result);

/* The same for a score whose loss is not finite after the `last` update; before that a warning,
 * once: *told. GYRE_EIO where a sample that was evaluated is not finite: that never heals. */
gyre_status run_score_check(gyre_trainer *t, run_saver *s, const gyre_score *score, bool last,
                            bool *told);

#endif
