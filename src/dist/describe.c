/* Where the ranks are: hosts, and the cores that each may use. */
#include "comm.h"

#include "gyre/cores.h"
#include "gyre/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CORES_TEXT = 192 };

typedef struct {
    char host[MPI_MAX_PROCESSOR_NAME], cores[CORES_TEXT];
} place;

static gyre_status find_share(gyre_comm *c, const char *mine) {
    int alike = 0;
    char *all = calloc((size_t)c->local_size, CORES_TEXT);
    /* every rank must take part in the exchange, or none: so no early return here */
    if (all == NULL) gyre_comm_abort(c, gyre_no_memory("listing the cores"));
    gyre_status status =
        DIST_WAIT(c, MPI_Allgather(mine, CORES_TEXT, MPI_CHAR, all, CORES_TEXT, MPI_CHAR, c->local),
                  "MPI_Allgather");
    for (int i = 0; i < c->local_size; i++) {
        alike += strcmp(all + (size_t)i * CORES_TEXT, mine) == 0;
    }
    free(all);
    GYRE_TRY(status);
    int share = gyre_cores_count(mine) / (alike > 0 ? alike : 1);
    c->cores = share > 0 ? share : 1;
    return GYRE_OK;
}

gyre_status dist_comm_find_cores(gyre_comm *c) {
    char mine[CORES_TEXT] = "";
    gyre_cores_text(mine, sizeof mine);
    return find_share(c, mine);
}

int gyre_comm_cores(const gyre_comm *c) {
    return c->cores;
}
void gyre_comm_set_cores(gyre_comm *c, int cores) {
    c->cores = cores;
}

static void append_group(char *text, size_t bytes, const place *p, int first, int last,
                         bool new_host) {
    char ranks[48];
    if (first == last)
        snprintf(ranks, sizeof ranks, "rank %d", first);
    else
        snprintf(ranks, sizeof ranks, "ranks %d-%d", first, last);
    gyre_text_add(text, bytes, "%s%s%s%s on core%s %s%s",
                  first == 0 ? ""
                  : new_host ? "; "
                             : ", ",
                  new_host ? p->host : "", new_host ? ": " : "", ranks,
                  gyre_cores_count(p->cores) == 1 ? "" : "s", p->cores,
                  first == last ? "" : " together");
}

gyre_status gyre_comm_describe(gyre_comm *c, char *text, size_t bytes) {
    place mine = {0}, *all = NULL;
    gyre_status status = GYRE_OK;
    snprintf(mine.host, sizeof mine.host, "%s", c->host);
    gyre_cores_text(mine.cores, sizeof mine.cores);
    text[0] = '\0';
    if (c->rank == 0) {
        all = calloc((size_t)c->size, sizeof *all);
        if (all == NULL) status = gyre_no_memory("%d ranks", c->size);
    }
    GYRE_GOTO(gyre_comm_agree(c, status));
    GYRE_GOTO(gyre_comm_gather_text(c, (const char *)&mine, sizeof mine, (char *)all));
    for (int first = 0, last; c->rank == 0 && first < c->size; first = last + 1) {
        for (last = first; last + 1 < c->size; last++) {
            if (memcmp(&all[last + 1], &all[first], sizeof *all) != 0) break;
        }
        bool new_host = first == 0 || strcmp(all[first].host, all[first - 1].host) != 0;
        append_group(text, bytes, &all[first], first, last, new_host);
    }
out:
    free(all);
    return status;
}
