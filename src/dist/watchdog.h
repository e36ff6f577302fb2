/* The watchdog's inside: seen by src/dist only. */
#ifndef GYRE_DIST_WATCHDOG_H
#define GYRE_DIST_WATCHDOG_H

#include "board.h"
#include "gyre/comm.h"

/* Starts before MPI: who this is, is not known yet. */
gyre_status dist_watchdog_open(gyre_watchdog **out);
void dist_watchdog_close(gyre_watchdog *w);

/* From now on this process is known, and its peers on this host are on `board`, the watchdog's own
 * from now on. `hosts` (size of them, 64 bytes each) is its own, too; NULL: not known. */
void dist_watchdog_know(gyre_watchdog *w, dist_board *board, int rank, int size, const char *host,
                        char (*hosts)[64]);

/* Ranks of other groups work on something else. */
void dist_watchdog_group(gyre_watchdog *w, int group);

/* Around calls that wait for other ranks. */
void dist_watchdog_wait(gyre_watchdog *w, bool waiting);

#endif
