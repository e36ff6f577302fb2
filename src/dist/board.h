/* What each rank of a host is doing, in memory that all of them see: a rank that stands still
 * cannot be asked. Internal to src/dist. */
#ifndef GYRE_DIST_BOARD_H
#define GYRE_DIST_BOARD_H

#include "gyre/status.h"
#include <mpi.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { DIST_PHASE_BYTES = 64 };

/* A rank's own line; others only read it. Times are milliseconds of CLOCK_MONOTONIC, which is one
 * for all processes of a host. */
typedef struct {
    _Atomic int32_t rank, process, group;
    _Atomic int32_t waiting; /* for other ranks */
    _Atomic int64_t step;
    _Atomic int64_t seen; /* when its watchdog last looked */
    _Atomic int64_t idle; /* for how long it had not moved then */
    char phase[DIST_PHASE_BYTES];
} dist_board_line;

typedef struct {
    dist_board_line *lines;
    int count, mine;
    bool shared; /* with all ranks of this host */
} dist_board;

/* A line of its own, for a process that knows no other rank yet. */
gyre_status dist_board_open_alone(dist_board *out);
/* One for all ranks of `local`; where the host does not allow it (no /proc, processes that may not
 * look at each other), alone for each of them. Collective. */
gyre_status dist_board_open(MPI_Comm local, dist_board *out);
void dist_board_close(dist_board *b);

int64_t dist_board_time(void);
void dist_board_phase(dist_board *b, const char *phase, int64_t step);

#endif
