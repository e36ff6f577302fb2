/* Trials: short runs of whole cycles to candidate rates. Internal to src/find. */
#ifndef GYRE_FIND_TRIALS_H
#define GYRE_FIND_TRIALS_H

#include "ladder.h"
#include "sweep.h"

/* All trials of the ladder that f->cycles does not have yet, into it; each is given to `keeper`.
 * Those of a seed other than 0 start, with `redraw`, from initial weights of their own. `view` is
 * what they are scored on with `e`, NULL: nothing. The state is put back as after sweeps.
 * Collective. */
gyre_status find_cycles_run(gyre_trainer *t, gyre_evaluator *e, const gyre_view *view, bool redraw,
                            const gyre_find_keeper *keeper, const find_ladder *l, gyre_find *f);

#endif
