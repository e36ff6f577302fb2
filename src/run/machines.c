/* Gathers what the machines of all ranks are, and whether they differ. */
#include "machines.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

static void join(const char *all, int ranks, int other, char machine[GYRE_MACHINE_SIZE]) {
    unsigned long long hash = XXH3_64bits(all, (size_t)ranks * GYRE_MACHINE_SIZE);
    snprintf(machine, GYRE_MACHINE_SIZE,
             "%d ranks on unlike machines (%016llx): rank 0 on %.190s, rank %d on %.190s", ranks,
             hash, all, other, all + (size_t)other * GYRE_MACHINE_SIZE);
}

gyre_status run_machines_join(gyre_comm *c, char machine[GYRE_MACHINE_SIZE], bool *unlike) {
    int ranks = gyre_comm_size(c), other = 1;
    gyre_status status = GYRE_OK;
    char *all = calloc((size_t)ranks, GYRE_MACHINE_SIZE);
    if (all == NULL) status = gyre_no_memory("%d ranks", ranks);
    GYRE_GOTO(gyre_comm_agree(c, status));
    GYRE_GOTO(gyre_comm_gather_text(c, machine, GYRE_MACHINE_SIZE, all));
    if (gyre_comm_rank(c) == 0) {
        while (other < ranks && strcmp(all + (size_t)other * GYRE_MACHINE_SIZE, all) == 0) other++;
        *unlike = other < ranks;
        if (*unlike) join(all, ranks, other, machine);
    }
    GYRE_GOTO(gyre_comm_broadcast(c, unlike, sizeof *unlike, 0));
    status = gyre_comm_broadcast(c, machine, GYRE_MACHINE_SIZE, 0);
out:
    free(all);
    return status;
}
