/* Agreement on errors, and the small collectives. */
#include "comm.h"

#include "gyre/log.h"
#include "gyre/size.h"
#include "gyre/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ABORT_SECONDS = 30 };

gyre_status dist_mpi_check(int code, const char *what) {
    if (code == MPI_SUCCESS) return GYRE_OK;
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(code, text, &length);
    return gyre_fail(GYRE_EPEER, "%s failed: %s", what, text);
}

gyre_status dist_mpi_waited(gyre_comm *c, int code, const char *what) {
    dist_watchdog_wait(c->watchdog, false);
    return dist_mpi_check(code, what);
}

gyre_watchdog *gyre_comm_watchdog(const gyre_comm *c) {
    return c->watchdog;
}

int gyre_comm_rank(const gyre_comm *c) {
    return c->rank;
}
int gyre_comm_size(const gyre_comm *c) {
    return c->size;
}
int gyre_comm_local_rank(const gyre_comm *c) {
    return c->local_rank;
}
int gyre_comm_local_size(const gyre_comm *c) {
    return c->local_size;
}
int gyre_comm_block(const gyre_comm *c) {
    return c->block;
}
bool gyre_comm_uneven(const gyre_comm *c, int *least, int *most) {
    *least = c->node_least;
    *most = c->node_most;
    return c->block < c->size && (c->node_least != c->block || c->node_most != c->block);
}
const char *gyre_comm_host(const gyre_comm *c) {
    return c->host;
}

/* Messages of a device say themselves whose they are. */
static bool names_rank(const char *text, int rank) {
    char name[32];
    int length = snprintf(name, sizeof name, "rank %d", rank);
    return strncmp(text, name, (size_t)length) == 0 && strchr(":,", text[length]) != NULL;
}

gyre_status gyre_comm_agree(gyre_comm *c, gyre_status mine) {
    struct {
        int code, rank;
    } in = {(int)mine, c->rank}, worst;
    GYRE_TRY(DIST_WAIT(c, MPI_Allreduce(&in, &worst, 1, MPI_2INT, MPI_MAXLOC, c->world),
                       "the agreement on errors"));
    if (worst.code == GYRE_OK) return GYRE_OK;
    char text[GYRE_ERROR_MAX + 1] = ""; /* the last byte: it is on stderr already */
    if (worst.rank == c->rank) {
        snprintf(text, GYRE_ERROR_MAX, "%s", gyre_error_text());
        text[GYRE_ERROR_MAX] = gyre_error_printed();
    }
    GYRE_TRY(DIST_WAIT(c, MPI_Bcast(text, sizeof text, MPI_CHAR, worst.rank, c->world),
                       "the broadcast of an error"));
    bool named = worst.rank == 0 || names_rank(text, worst.rank);
    gyre_status status = named
                             ? gyre_fail((gyre_status)worst.code, "%s", text)
                             : gyre_fail((gyre_status)worst.code, "rank %d: %s", worst.rank, text);
    if (text[GYRE_ERROR_MAX] != 0) gyre_error_set_printed();
    return status;
}

void gyre_comm_abort(gyre_comm *c, gyre_status code) {
    char place[sizeof c->host + 40];
    snprintf(place, sizeof place, " (rank %d on %s)", c->rank, c->host);
    gyre_error_print(place);
    fflush(NULL);
    gyre_watchdog_limits(c->watchdog, ABORT_SECONDS, ABORT_SECONDS);
    gyre_watchdog_phase(c->watchdog, "MPI_Abort", -1);
    MPI_Abort(MPI_COMM_WORLD, (int)code);
    abort(); /* MPI_Abort does not return */
}

gyre_status gyre_comm_barrier(gyre_comm *c) {
    return DIST_WAIT(c, MPI_Barrier(c->world), "MPI_Barrier");
}

/* One reduction in place, in pieces. */
static gyre_status reduce(gyre_comm *c, void *x, size_t n, size_t each, MPI_Datatype type,
                          MPI_Op op) {
    for (size_t at = 0; at < n; at += c->piece) {
        int part = dist_mpi_part(c, n, at);
        GYRE_TRY(DIST_WAIT(
            c, MPI_Allreduce(MPI_IN_PLACE, (char *)x + at * each, part, type, op, c->world),
            "MPI_Allreduce"));
    }
    return GYRE_OK;
}

int dist_mpi_part(const gyre_comm *c, size_t n, size_t at) {
    if (at >= n) return 0;
    return (int)(n - at < c->piece ? n - at : c->piece);
}

gyre_status gyre_comm_broadcast(gyre_comm *c, void *data, size_t bytes, int root) {
    for (size_t at = 0; at < bytes; at += c->piece) {
        int part = dist_mpi_part(c, bytes, at);
        GYRE_TRY(DIST_WAIT(c, MPI_Bcast((char *)data + at, part, MPI_BYTE, root, c->world),
                           "MPI_Bcast"));
    }
    return GYRE_OK;
}

gyre_status gyre_comm_sum_f64(gyre_comm *c, double *x, size_t n) {
    return reduce(c, x, n, sizeof *x, MPI_DOUBLE, MPI_SUM);
}

gyre_status gyre_comm_max_u64(gyre_comm *c, uint64_t *x, size_t n) {
    return reduce(c, x, n, sizeof *x, MPI_UINT64_T, MPI_MAX);
}

gyre_status gyre_comm_gather_text(gyre_comm *c, const char *mine, size_t bytes, char *all) {
    int n = 0;
    GYRE_TRY(gyre_size_narrow(GYRE_EPEER, "the length of a text", bytes, DIST_PIECE, &n));
    return DIST_WAIT(c, MPI_Gather(mine, n, MPI_CHAR, all, n, MPI_CHAR, 0, c->world), "MPI_Gather");
}

gyre_status gyre_comm_gather_local(gyre_comm *c, const void *mine, size_t bytes, void *all) {
    int n = 0;
    GYRE_TRY(gyre_size_narrow(GYRE_EPEER, "what a rank tells its host", bytes, DIST_PIECE, &n));
    return DIST_WAIT(c, MPI_Allgather(mine, n, MPI_BYTE, all, n, MPI_BYTE, c->local),
                     "MPI_Allgather");
}

const char *gyre_mpi_version(void) {
    return "Open MPI " GYRE_STRING(OMPI_MAJOR_VERSION) "." GYRE_STRING(
        OMPI_MINOR_VERSION) "." GYRE_STRING(OMPI_RELEASE_VERSION);
}
