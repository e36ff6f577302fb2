#include "machines.h"

#include "gyre/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Ranks on unlike machines compute one run, but another set of machines might compute another. */
static void join(const char *all, int ranks, int unlike, char machine[GYRE_MACHINE_SIZE]) {
    const char *other = all + (size_t)unlike * GYRE_MACHINE_SIZE;
    gyre_warn("rank %d is on \"%s\", rank 0 on \"%s\"; a run elsewhere may differ in the last bits",
              unlike, other, all);
    unsigned long long hash = XXH3_64bits(all, (size_t)ranks * GYRE_MACHINE_SIZE);
    snprintf(machine, GYRE_MACHINE_SIZE,
             "%d ranks on unlike machines (%016llx): rank 0 on %.190s, rank %d on %.190s", ranks,
             hash, all, unlike, other);
}

gyre_status gyre_machines_join(gyre_comm *c, char machine[GYRE_MACHINE_SIZE]) {
    int ranks = gyre_comm_size(c), unlike = 1;
    gyre_status status = GYRE_OK;
    char *all = calloc((size_t)ranks, GYRE_MACHINE_SIZE);
    if (all == NULL) status = gyre_fail(GYRE_EDEVICE, "no memory for %d ranks", ranks);
    GYRE_GOTO(gyre_comm_agree(c, status));
    GYRE_GOTO(gyre_comm_gather_text(c, machine, GYRE_MACHINE_SIZE, all));
    if (gyre_comm_rank(c) == 0) {
        while (unlike < ranks && strcmp(all + (size_t)unlike * GYRE_MACHINE_SIZE, all) == 0) {
            unlike++;
        }
        if (unlike < ranks) join(all, ranks, unlike, machine);
    }
    status = gyre_comm_broadcast(c, machine, GYRE_MACHINE_SIZE, 0);
out:
    free(all);
    return status;
}
