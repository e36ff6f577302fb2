/* What of the ranks' machines may change bits. Internal to src/run. */
#ifndef GYRE_RUN_MACHINES_H
#define GYRE_RUN_MACHINES_H

#include "gyre/checkpoint.h"
#include "gyre/comm.h"
#include <stdbool.h>

/* Gives all ranks one text as `machine`, which is their own where it is the same on all; else one
 * of all of them, which another set of machines, or another order of ranks, does not have.
 * Collective. */
gyre_status run_machines_join(gyre_comm *c, char machine[GYRE_MACHINE_SIZE], bool *unlike);

#endif
