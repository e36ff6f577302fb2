/* The per-step agreement, and checksums over ranks: one MAX reduction over {x, ~x} says whether all
 * ranks hold the same x, since max(x) = x and max(~x) = ~x only then. */
#include "comm.h"

#include "gyre/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIKE = 4, STOP = 2 * ALIKE };

gyre_status gyre_comm_step_begin(gyre_comm *c, const gyre_step_claim *mine) {
    const uint64_t alike[ALIKE] = {mine->leaves, mine->step, mine->lr_bits, mine->config_hash};
    for (int i = 0; i < ALIKE; i++) {
        c->claim_sent[i] = alike[i];
        c->claim_sent[i + ALIKE] = ~alike[i];
    }
    c->claim_sent[STOP] = mine->stop;
    return dist_mpi_check(MPI_Iallreduce(c->claim_sent, c->claim_got, DIST_CLAIM_WORDS,
                                         MPI_UINT64_T, MPI_MAX, c->world, &c->claim_request),
                          "the step's agreement");
}

static gyre_status differ(int word, uint64_t step) {
    static const char *const names[ALIKE] = {NULL, "step", "learning rate", "config"};
    if (word == 0) {
        return gyre_fail(GYRE_EPEER,
                         "training has diverged on some ranks and not on others at step %llu: a "
                         "memory or hardware error, or other libraries on some hosts",
                         (unsigned long long)step);
    }
    return gyre_fail(GYRE_EPEER,
                     "the ranks differ in their %s at step %llu: they do not run the same program, "
                     "config or data; start all ranks from one installation",
                     names[word], (unsigned long long)step);
}

gyre_status gyre_comm_step_end(gyre_comm *c, uint64_t *stop) {
    GYRE_TRY(DIST_WAIT(c, MPI_Wait(&c->claim_request, MPI_STATUS_IGNORE), "the step's agreement"));
    for (int i = 0; i < ALIKE; i++) {
        if (c->claim_got[i] != ~c->claim_got[i + ALIKE]) return differ(i, c->claim_sent[1]);
    }
    *stop = c->claim_got[STOP];
    return GYRE_OK;
}

/* ---- what all ranks must hold alike */

typedef struct {
    uint64_t hash;
    char host[64];
} holding;

static int count_like(const holding *all, int size, uint64_t hash) {
    int like = 0;
    for (int i = 0; i < size; i++) like += all[i].hash == hash;
    return like;
}

/* "rank 2 (node7), rank 5 (node9)": those that do not hold what is right; NULL: all. */
static void list_odd(const holding *all, int size, const uint64_t *right, char *out, size_t room) {
    int named = 0;
    for (int i = 0; i < size; i++) {
        if (right != NULL && all[i].hash == *right) continue;
        if (named++ == 8) {
            gyre_text_add(out, room, ", ...");
            return;
        }
        gyre_text_add(out, room, "%srank %d (%s)", named > 1 ? ", " : "", i, all[i].host);
    }
}

static gyre_status name_odd(const holding *all, int size, const char *what, const char *why) {
    char odd[1024] = "";
    int most = 0;
    uint64_t right = 0;
    for (int i = 0; i < size; i++) {
        int like = count_like(all, size, all[i].hash);
        if (like > most) {
            most = like;
            right = all[i].hash;
        }
    }
    if (2 * most <= size) { /* two that have parted, or no majority */
        list_odd(all, size, NULL, odd, sizeof odd);
        return gyre_fail(GYRE_EPEER, "%s hold different %s: %s", odd, what, why);
    }
    list_odd(all, size, &right, odd, sizeof odd);
    return gyre_fail(GYRE_EPEER, "%s hold%s other %s than the %d other ranks: %s", odd,
                     size - most == 1 ? "s" : "", what, most, why);
}

gyre_status gyre_comm_same(gyre_comm *c, uint64_t hash, const char *what, const char *why) {
    uint64_t words[2] = {hash, ~hash};
    GYRE_TRY(gyre_comm_max_u64(c, words, 2));
    if (words[0] == ~words[1]) return GYRE_OK;
    holding mine = {.hash = hash}, *all = calloc((size_t)c->size, sizeof *all);
    if (all == NULL) gyre_comm_abort(c, gyre_no_memory("%d ranks", c->size));
    snprintf(mine.host, sizeof mine.host, "%.60s", c->host);
    gyre_status status = DIST_WAIT(
        c, MPI_Allgather(&mine, sizeof mine, MPI_BYTE, all, sizeof mine, MPI_BYTE, c->world),
        "MPI_Allgather");
    if (status == GYRE_OK) status = name_odd(all, c->size, what, why);
    free(all);
    return status;
}
