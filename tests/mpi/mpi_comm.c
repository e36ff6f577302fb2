/* The communicator on any power of two of ranks: exact tree, agreement, step claims, checksums. */
#include "../../src/dist/comm.h"
#include "check.h"
#include "gyre/alive.h"
#include "gyre/cores.h"
#include "gyre/log.h"
#include "gyre/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHECK(condition) CHECK_ON(c, condition)

enum { SHARDS = 8, MOST = 5001 };

/* Values over 40 binary orders of magnitude: almost any other order of addition gives other bits.
 */
static void leaf(int shard, size_t n, float *x) {
    gyre_random r = gyre_random_open(9, GYRE_RANDOM_TEST, (uint64_t)shard, n);
    for (size_t i = 0; i < n; i++) {
        float scale = (float)(1ull << gyre_random_below(&r, 40));
        x[i] = ((float)gyre_random_uniform(&r) - 0.5f) * scale;
    }
}

/* Sum of leaves first..first+count-1 along the tree. */
static void tree(int first, int count, size_t n, float *out) {
    if (count == 1) {
        leaf(first, n, out);
        return;
    }
    float *right = malloc(MOST * sizeof *right);
    if (right == NULL) abort();
    tree(first, count / 2, n, out);
    tree(first + count / 2, count / 2, n, right);
    for (size_t i = 0; i < n; i++) out[i] += right[i];
    free(right);
}

static void exact_reduction_continues_the_tree(gyre_comm *c) {
    static float mine[MOST], work[MOST], want[MOST];
    const size_t sizes[] = {0, 1, 2, 3, 7, 8, 1000, MOST};
    int local = SHARDS / gyre_comm_size(c);
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        size_t n = sizes[k];
        tree(gyre_comm_rank(c) * local, local, n, mine);
        tree(0, SHARDS, n, want);
        CHECK(gyre_comm_reduce_exact(c, mine, n, work) == GYRE_OK);
        CHECK(n == 0 || memcmp(mine, want, n * sizeof(float)) == 0);
    }
}

static void fast_reduction_sums(gyre_comm *c) {
    float a[100], b[3];
    for (int i = 0; i < 100; i++) a[i] = (float)(i + gyre_comm_rank(c)); /* small: exact sums */
    for (int i = 0; i < 3; i++) b[i] = 1;
    CHECK(gyre_comm_reduce_fast_begin(c, a, 100) == GYRE_OK);
    CHECK(gyre_comm_reduce_fast_begin(c, b, 3) == GYRE_OK);
    CHECK(gyre_comm_reduce_fast_wait(c) == GYRE_OK);
    int p = gyre_comm_size(c);
    for (int i = 0; i < 100; i++) CHECK(a[i] == (float)(p * i + p * (p - 1) / 2));
    CHECK(b[2] == (float)p);
}

/* Pieces of three elements stand for those that MPI's counts cannot hold: the same bits. */
static void long_vectors_go_in_pieces(gyre_comm *c) {
    uint64_t words[10];
    double x[10] = {0};
    char text[10] = "?";
    const size_t before = c->piece;
    c->piece = 3;
    exact_reduction_continues_the_tree(c);
    fast_reduction_sums(c);
    for (int i = 0; i < 10; i++) words[i] = (uint64_t)(i + gyre_comm_rank(c));
    x[9] = gyre_comm_rank(c) == 0 ? 0.1 : 0;
    if (gyre_comm_rank(c) == 0) snprintf(text, sizeof text, "in pieces");
    CHECK(gyre_comm_max_u64(c, words, 10) == GYRE_OK);
    CHECK(gyre_comm_sum_f64(c, x, 10) == GYRE_OK);
    CHECK(gyre_comm_broadcast(c, text, sizeof text, 0) == GYRE_OK);
    c->piece = before;
    for (int i = 0; i < 10; i++) CHECK(words[i] == (uint64_t)(i + gyre_comm_size(c) - 1));
    CHECK(x[9] == 0.1 && strcmp(text, "in pieces") == 0);
    CHECK(before <= INT32_MAX);
}

static void worst_status_wins_everywhere(gyre_comm *c) {
    CHECK(gyre_comm_agree(c, GYRE_OK) == GYRE_OK);
    int last = gyre_comm_size(c) - 1;
    gyre_status mine = GYRE_OK;
    if (gyre_comm_rank(c) == last) mine = gyre_fail(GYRE_EIO, "disk of rank %d", last);
    CHECK(gyre_comm_agree(c, mine) == GYRE_EIO);
    char want[64];
    snprintf(want, sizeof want, "disk of rank %d", last);
    CHECK(strstr(gyre_error_text(), want) != NULL);
    /* once its rank, no more */
    snprintf(want, sizeof want, "rank %d, GPU %d: out", last, last);
    if (mine != GYRE_OK) mine = gyre_fail(GYRE_EDEVICE, "%s", want);
    CHECK(gyre_comm_agree(c, mine) == GYRE_EDEVICE);
    CHECK(strcmp(gyre_error_text(), want) == 0);
    CHECK(!gyre_error_printed());
    /* printed by its rank, so by no other */
    if (mine != GYRE_OK) {
        mine = gyre_fail(GYRE_EDEVICE, "printed early");
        gyre_error_set_printed();
    }
    CHECK(gyre_comm_agree(c, mine) == GYRE_EDEVICE);
    CHECK(strstr(gyre_error_text(), "printed early") != NULL && gyre_error_printed());
}

static void step_claims_must_be_alike(gyre_comm *c) {
    uint64_t stop = 9;
    gyre_step_claim claim = {.lr_bits = 5, .step = 7, .config_hash = ~0ull};
    CHECK(gyre_comm_step_begin(c, &claim) == GYRE_OK);
    CHECK(gyre_comm_step_end(c, &stop) == GYRE_OK && stop == 0);
    claim.stop = gyre_comm_rank(c) == 0 ? 3 : 0;
    CHECK(gyre_comm_step_begin(c, &claim) == GYRE_OK);
    CHECK(gyre_comm_step_end(c, &stop) == GYRE_OK && stop == 3);
    if (gyre_comm_size(c) == 1) return;
    for (int word = 0; word < 4; word++) {
        gyre_step_claim odd = claim;
        if (gyre_comm_rank(c) == 1) {
            if (word == 0) odd.lr_bits ^= 1;
            if (word == 1) odd.step += 1;
            if (word == 2) odd.config_hash ^= 1;
            if (word == 3) odd.leaves = 1;
        }
        CHECK(gyre_comm_step_begin(c, &odd) == GYRE_OK);
        CHECK(gyre_comm_step_end(c, &stop) == GYRE_EPEER);
        CHECK(strstr(gyre_error_text(), word == 0   ? "learning rate"
                                        : word == 1 ? "step"
                                        : word == 2 ? "config"
                                                    : "diverged on some ranks") != NULL);
    }
}

static bool says(const char *text) {
    return strstr(gyre_error_text(), text) != NULL;
}

/* Each rank in turn is the odd one; the last time all hold their own. */
static void the_odd_rank_is_named(gyre_comm *c) {
    int size = gyre_comm_size(c), rank = gyre_comm_rank(c);
    char odd[80];
    CHECK(gyre_comm_same(c, 77, "weights", "why") == GYRE_OK);
    for (int i = 0; i <= size && size > 1; i++) {
        uint64_t hash = i == size ? (uint64_t)rank : rank == i ? 78 : 77;
        CHECK(gyre_comm_same(c, hash, "weights", "why") == GYRE_EPEER);
        snprintf(odd, sizeof odd, "rank %d (%s) holds other weights than the %d other ranks: why",
                 i, gyre_comm_host(c), size - 1);
        if (size > 2 && i < size) CHECK(strcmp(gyre_error_text(), odd) == 0);
        if (size == 2 || i == size) {
            CHECK(says("rank 0 (") && says("rank 1 (") && says("hold different weights: why"));
        }
    }
    if (size < 4) return;
    CHECK(gyre_comm_same(c, (uint64_t)(rank == 0 || rank == 3), "weights", "why") == GYRE_EPEER);
    CHECK(size > 4 ? says("hold other weights than the") : says("hold different weights"));
}

static void placed_sums_are_exact(gyre_comm *c) {
    double x[SHARDS] = {0};
    x[gyre_comm_rank(c)] = 0.1;
    CHECK(gyre_comm_sum_f64(c, x, SHARDS) == GYRE_OK);
    for (int i = 0; i < gyre_comm_size(c); i++) CHECK(x[i] == 0.1);
}

/* Ranks that share their cores are one entry, others one each. */
static void ranks_and_their_cores_are_told(gyre_comm *c) {
    char text[1024] = "?", last[32];
    CHECK(gyre_comm_describe(c, text, sizeof text) == GYRE_OK);
    if (gyre_comm_rank(c) != 0) {
        CHECK(text[0] == '\0');
    } else {
        size_t host = strlen(gyre_comm_host(c));
        CHECK(strncmp(text, gyre_comm_host(c), host) == 0);
        CHECK(strncmp(text + host, ": rank", 6) == 0);
        int size = gyre_comm_size(c);
        bool grouped = strncmp(text + host, ": ranks 0-", 10) == 0;
        snprintf(last, sizeof last, grouped ? "-%d on core" : "rank %d on core", size - 1);
        CHECK(strstr(text, last) != NULL);
    }
    char little[8];
    CHECK(gyre_comm_describe(c, little, sizeof little) == GYRE_OK);
    CHECK(strlen(little) < sizeof little);
}

/* Ranks bound to the same cores divide them; those with cores of their own keep them. */
static void cores_are_shared_fairly(gyre_comm *c) {
    char mine[192];
    gyre_cores_text(mine, sizeof mine);
    int cores = gyre_cores_count(mine), size = gyre_comm_size(c);
    CHECK(gyre_comm_cores(c) >= 1 && gyre_comm_cores(c) <= cores);
    uint64_t hash = 1469598103934665603u; /* FNV-1a */
    for (size_t i = 0; mine[i] != '\0'; i++) hash = (hash ^ (uint64_t)mine[i]) * 1099511628211u;
    uint64_t words[2] = {hash, ~hash};
    CHECK(gyre_comm_max_u64(c, words, 2) == GYRE_OK);
    bool alike = words[0] == ~words[1];
    int share = cores / size > 0 ? cores / size : 1;
    CHECK(!alike || gyre_comm_cores(c) == share);
}

static void ranks_of_a_host_hear_each_other(gyre_comm *c) {
    int size = gyre_comm_local_size(c), mine[2] = {gyre_comm_rank(c), gyre_comm_local_rank(c)};
    int *all = calloc((size_t)size, sizeof mine);
    CHECK(all != NULL && gyre_comm_gather_local(c, mine, sizeof mine, all) == GYRE_OK);
    for (int i = 0; i < size; i++) {
        CHECK(all[2 * i + 1] == i);
        CHECK(i == 0 || all[2 * i] > all[2 * i - 2]);
    }
    CHECK(all[2 * gyre_comm_local_rank(c)] == gyre_comm_rank(c));
    free(all);
}

static void watchdog_lets_a_moving_loop_live(gyre_comm *c) {
    gyre_watchdog *w = gyre_comm_watchdog(c);
    gyre_watchdog_limits(w, 1, 1);
    for (int64_t t = 0; t < 16; t++) {
        if (t < 8)
            gyre_watchdog_phase(w, "test", t);
        else
            gyre_alive(); /* as long work in one phase */
        usleep(100000);
    }
    gyre_watchdog_limits(w, 1000, 1000);
}

/* Parts of neighbours reduce each on their own, at their own pace, and keep their cores. */
static void parts_work_alone(gyre_comm *c) {
    int size = gyre_comm_size(c), group = -1;
    gyre_comm *part = NULL;
    for (int groups = 1; groups <= size; groups *= 2) {
        CHECK(gyre_comm_split(c, groups, &part, &group) == GYRE_OK);
        CHECK(gyre_comm_size(part) == size / groups);
        CHECK(group == gyre_comm_rank(c) / (size / groups));
        CHECK(gyre_comm_rank(part) == gyre_comm_rank(c) % (size / groups));
        CHECK(gyre_comm_cores(part) == gyre_comm_cores(c));
        CHECK(gyre_comm_size(part) % gyre_comm_block(part) == 0);
        CHECK(gyre_comm_block(c) % gyre_comm_block(part) == 0);
        CHECK(gyre_comm_local_rank(part) == gyre_comm_local_rank(c));
        for (int i = 0; i <= group; i++) { /* another number of times in each part */
            uint64_t most = (uint64_t)gyre_comm_rank(c);
            CHECK(gyre_comm_max_u64(part, &most, 1) == GYRE_OK);
            CHECK(most == (uint64_t)((group + 1) * (size / groups) - 1));
        }
        gyre_comm_close(part);
        CHECK(gyre_comm_settle(c) == GYRE_OK);
    }
    CHECK(gyre_comm_split(c, size + 1, &part, &group) == GYRE_EUSAGE);
}

/* For tests/cli/nodes.sh, which says where the ranks are. */
static void tell_nodes(gyre_comm *c) {
    int least = 0, most = 0, launched = -1;
    bool uneven = gyre_comm_uneven(c, &least, &most);
    MPI_Comm_rank(MPI_COMM_WORLD, &launched);
    printf("rank %d was %d on %s, local %d of %d, block %d, nodes %d to %d%s\n", gyre_comm_rank(c),
           launched, gyre_comm_host(c), gyre_comm_local_rank(c), gyre_comm_local_size(c),
           gyre_comm_block(c), least, most, uneven ? ", uneven" : "");
    exact_reduction_continues_the_tree(c);
    long_vectors_go_in_pieces(c);
    ranks_of_a_host_hear_each_other(c);
    parts_work_alone(c);
}

int main(int argc, char **argv) {
    gyre_comm *c;
    if (gyre_comm_open(&argc, &argv, &c) != GYRE_OK) {
        fprintf(stderr, "%s\n", gyre_error_text());
        return GYRE_EUSAGE;
    }
    if (argc > 1 && strcmp(argv[1], "abort") == 0) { /* for tests/cli/launch.sh */
        if (gyre_comm_rank(c) == gyre_comm_size(c) - 1) {
            gyre_comm_abort(c, gyre_fail(GYRE_EIO, "the disk is gone"));
        }
        gyre_comm_barrier(c);
    }
    if (argc > 1 && strcmp(argv[1], "stuck") == 0) { /* for tests/cli/watchdog.sh */
        gyre_watchdog *w = gyre_comm_watchdog(c);
        gyre_watchdog_limits(w, 0.5, 0.5);
        gyre_watchdog_phase(w, "reduction", 12);
        if (gyre_comm_rank(c) == 0) CHECK(gyre_comm_barrier(c) == GYRE_OK);
        for (;;) {
        }
    }
    if (argc > 1 && strcmp(argv[1], "nodes") == 0) {
        tell_nodes(c);
        gyre_comm_close(c);
        return 0;
    }
    exact_reduction_continues_the_tree(c);
    fast_reduction_sums(c);
    long_vectors_go_in_pieces(c);
    worst_status_wins_everywhere(c);
    step_claims_must_be_alike(c);
    the_odd_rank_is_named(c);
    placed_sums_are_exact(c);
    ranks_and_their_cores_are_told(c);
    cores_are_shared_fairly(c);
    ranks_of_a_host_hear_each_other(c);
    watchdog_lets_a_moving_loop_live(c);
    parts_work_alone(c);
    gyre_comm_close(c);
    return 0;
}
