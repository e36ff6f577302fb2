/* What of the ranks' machines may change bits. Internal to src/run. */
#ifndef GYRE_RUN_MACHINES_H
#define GYRE_RUN_MACHINES_H

#include "gyre/comm.h"

enum { GYRE_MACHINE_SIZE = 512 };

/* Gives `machine`, this rank's own, to all ranks where all have the same; else one text for all of
 * them, which another set of machines, or another order of ranks, does not have, and rank 0 warns.
 * Collective. */
gyre_status gyre_machines_join(gyre_comm *c, char machine[GYRE_MACHINE_SIZE]);

#endif
