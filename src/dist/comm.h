/* The communicator's inside: seen by src/dist only. */
#ifndef GYRE_DIST_COMM_H
#define GYRE_DIST_COMM_H

#include "gyre/comm.h"
#include "watchdog.h"
#include <mpi.h>

enum { DIST_PIECE = 1 << 30 };
enum { DIST_CLAIM_WORDS = 9, DIST_PENDING_MAX = 64 };

struct gyre_comm {
    MPI_Comm world, local;
    gyre_watchdog *watchdog; /* of the process; a part's is that of the whole */
    int rank, size, local_rank, local_size;
    int block;                 /* gyre_comm_block */
    int node_least, node_most; /* ranks of the node with the fewest, with the most */
    bool part;                 /* of another communicator: does not end MPI */
    int cores;                 /* this rank's fair share */
    /* Most elements of one call of MPI, whose counts are ints. Longer vectors go in pieces: no bit
     * changes, since every element is reduced on its own. Alike on all ranks; tests lower it. */
    size_t piece;
    int batch; /* tasks of the batch job in which mpirun started this rank; 0: there is none */
    char host[MPI_MAX_PROCESSOR_NAME];
    MPI_Request pending[DIST_PENDING_MAX]; /* fast reductions under way */
    int pending_count;
    MPI_Request claim_request;
    uint64_t claim_sent[DIST_CLAIM_WORDS], claim_got[DIST_CLAIM_WORDS];
};

/* The largest power of two that divides n. */
static inline int dist_power_in(int n) {
    return n & -n;
}

/* Turns an MPI error code into a status with MPI's text. */
gyre_status dist_mpi_check(int code, const char *what);

/* A call that waits for other ranks, as the watchdog is told; its status. */
#define DIST_WAIT(c, call, what)                                                                   \
    (dist_watchdog_wait((c)->watchdog, true), dist_mpi_waited((c), (call), (what)))
gyre_status dist_mpi_waited(gyre_comm *c, int code, const char *what);
/* Elements of the piece of a vector of n that begins at `at`; 0 behind its end. */
int dist_mpi_part(const gyre_comm *c, size_t n, size_t at);

/* Fills c->cores. Collective. */
gyre_status dist_comm_find_cores(gyre_comm *c);

#endif
