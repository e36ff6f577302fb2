/* Parts of a communicator, for runs side by side. */
#include "comm.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LOOK = 20000 }; /* microseconds between two looks of a rank that waits */

gyre_status gyre_comm_split(gyre_comm *c, int groups, gyre_comm **out, int *group) {
    gyre_status status = GYRE_OK;
    if (groups < 1 || c->size % groups != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "%d ranks cannot be cut into %d equal parts; take a divisor of %d",
                         c->size, groups, c->size);
    }
    gyre_comm *part = calloc(1, sizeof *part);
    if (part == NULL) status = gyre_no_memory("the communicator");
    GYRE_GOTO(gyre_comm_agree(c, status));
    *part = (gyre_comm){.part = true,
                        .size = c->size / groups,
                        .local_rank = c->local_rank,
                        .local_size = c->local_size,
                        .cores = c->cores,
                        .node_least = c->node_least,
                        .node_most = c->node_most,
                        .watchdog = c->watchdog,
                        .piece = c->piece,
                        .claim_request = MPI_REQUEST_NULL};
    memcpy(part->host, c->host, sizeof part->host);
    part->block = dist_power_in(c->block | part->size);
    *group = c->rank / part->size;
    part->rank = c->rank % part->size;
    GYRE_GOTO(
        DIST_WAIT(c, MPI_Comm_split(c->world, *group, c->rank, &part->world), "MPI_Comm_split"));
    MPI_Comm_set_errhandler(part->world, MPI_ERRORS_RETURN);
    GYRE_GOTO(DIST_WAIT(c, MPI_Comm_dup(c->local, &part->local), "MPI_Comm_dup"));
    dist_watchdog_group(c->watchdog, *group + 1);
    *out = part;
    part = NULL;
out:
    free(part);
    return status;
}

gyre_status gyre_comm_settle(gyre_comm *c) {
    MPI_Request request;
    int done = 0;
    gyre_status status = dist_mpi_check(MPI_Ibarrier(c->world, &request), "MPI_Ibarrier");
    gyre_watchdog_phase(c->watchdog, "waiting for other cells", -1);
    dist_watchdog_wait(c->watchdog, true);
    while (status == GYRE_OK && !done) {
        gyre_watchdog_beat(c->watchdog); /* those that it waits for have watchdogs, too */
        status = dist_mpi_check(MPI_Test(&request, &done, MPI_STATUS_IGNORE), "MPI_Ibarrier");
        if (!done) usleep(LOOK);
    }
    dist_watchdog_wait(c->watchdog, false);
    return status;
}
