/* The communicator's inside: seen by src/dist only. */
#ifndef GYRE_DIST_COMM_H
#define GYRE_DIST_COMM_H

#include "gyre/comm.h"
#include "watchdog.h"
#include <mpi.h>

enum { GYRE_PIECE = 1 << 30 };
enum { GYRE_CLAIM_WORDS = 9, GYRE_PENDING_MAX = 64 };

struct gyre_comm {
    MPI_Comm world, local;
    gyre_watchdog *watchdog; /* of the process; a part's is that of the whole */
    int rank, size, local_rank, local_size;
    bool part; /* of another communicator: does not end MPI */
    int cores; /* this rank's fair share */
    /* Most elements of one call of MPI, whose counts are ints. Longer vectors go in pieces: no bit
     * changes, since every element is reduced on its own. Alike on all ranks; tests lower it. */
    size_t piece;
    int batch; /* tasks of the batch job in which mpirun started this rank; 0: there is none */
    char host[MPI_MAX_PROCESSOR_NAME];
    MPI_Request pending[GYRE_PENDING_MAX]; /* fast reductions under way */
    int pending_count;
    MPI_Request claim_request;
    uint64_t claim_sent[GYRE_CLAIM_WORDS], claim_got[GYRE_CLAIM_WORDS];
};

/* Turns an MPI error code into a status with MPI's text. */
gyre_status gyre_mpi_check(int code, const char *what);

/* A call that waits for other ranks, as the watchdog is told; its status. */
#define GYRE_WAIT(c, call, what)                                                                   \
    (gyre_watchdog_wait((c)->watchdog, true), gyre_mpi_waited((c), (call), (what)))
gyre_status gyre_mpi_waited(gyre_comm *c, int code, const char *what);
/* Elements of the piece of a vector of n that begins at `at`; 0 behind its end. */
int gyre_mpi_part(const gyre_comm *c, size_t n, size_t at);

/* Fills c->cores. Collective. */
gyre_status gyre_comm_find_cores(gyre_comm *c);

#endif
