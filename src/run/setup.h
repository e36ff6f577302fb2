/* Everything before the first step. Internal to src/run. */
#ifndef GYRE_RUN_SETUP_H
#define GYRE_RUN_SETUP_H

#include "run_state.h"

/* *finished: the folder holds this run, done. `r` has its options. All ranks return the same; close
 * in any case. Collective. */
gyre_status run_open(run_state *r, const gyre_settings *settings, gyre_comm *comm, bool *finished);
void run_close(run_state *r);

#endif
