/* The plans of exact reductions: carried out, they give the flat tree's bits; counted, a node's
 * link carries hardly more than a ring would send over it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/random.h"
#include "gyre/reduction.h"
#include <stdlib.h>
#include <string.h>

enum { NODE = 8, NODES_MAX = 128, RANKS_MAX = NODE * NODES_MAX };

/* ---- bits */

enum { LENGTH = 1237 };
static float start[RANKS_MAX][LENGTH], x[RANKS_MAX][LENGTH], before[RANKS_MAX][LENGTH];

static void fill(int ranks) {
    for (int r = 0; r < ranks; r++) {
        gyre_random random = gyre_random_open(3, GYRE_RANDOM_TEST, (uint64_t)r, 0);
        for (int i = 0; i < LENGTH; i++) {
            float scale = (float)(1u << gyre_random_below(&random, 24));
            start[r][i] = ((float)gyre_random_uniform(&random) - 0.5f) * scale;
        }
    }
    memcpy(x, start, sizeof x);
}

/* Element i of the sum of `count` ranks from `first`. */
static float tree(float (*v)[LENGTH], int first, int stride, int count, int i) {
    if (count == 1) return v[first][i];
    return tree(v, first, stride, count / 2, i) +
           tree(v, first + count / 2 * stride, stride, count / 2, i);
}

static void check_sums(int ranks) {
    for (int i = 0; i < LENGTH; i++) {
        float want = tree(start, 0, 1, ranks, i);
        for (int r = 0; r < ranks; r++) assert_memory_equal(&x[r][i], &want, sizeof want);
    }
}

static void run_levels(int ranks, int block) {
    gyre_level levels[GYRE_LEVELS_MAX];
    static gyre_slice mine[GYRE_LEVELS_MAX + 1][RANKS_MAX];
    int count = gyre_level_plan(ranks, block, levels);
    for (int r = 0; r < ranks; r++) mine[0][r] = (gyre_slice){0, LENGTH};
    for (int k = 0; k < count; k++) {
        const gyre_level *l = &levels[k];
        memcpy(before, x, sizeof x);
        for (int r = 0; r < ranks; r++) {
            gyre_slice s = gyre_level_slice(l, mine[k][r].count, gyre_level_place(l, r));
            s.begin += mine[k][r].begin;
            mine[k + 1][r] = s;
            int first = gyre_level_rank(l, r, 0);
            for (size_t i = s.begin; i < s.begin + s.count; i++) {
                x[r][i] = tree(before, first, l->stride, l->ranks, (int)i);
            }
        }
    }
    for (int k = count - 1; k >= 0; k--) {
        memcpy(before, x, sizeof x);
        for (int r = 0; r < ranks; r++) {
            for (int place = 0; place < levels[k].ranks; place++) {
                int from = gyre_level_rank(&levels[k], r, place);
                gyre_slice s = mine[k + 1][from];
                memcpy(&x[r][s.begin], &before[from][s.begin], s.count * sizeof(float));
            }
        }
    }
}

static void levels_keep_the_trees_bits(void **state) {
    (void)state;
    const int cases[][2] = {{1, 1}, {2, 1}, {2, 2}, {4, 2}, {8, 8}, {16, 8}, {8, 2}, {1024, 8}};
    for (size_t k = 0; k < sizeof cases / sizeof cases[0]; k++) {
        fill(cases[k][0]);
        run_levels(cases[k][0], cases[k][1]);
        check_sums(cases[k][0]);
    }
}

static void halving_keeps_the_trees_bits(void **state) {
    (void)state;
    static gyre_halving steps[RANKS_MAX][GYRE_HALVINGS_MAX];
    for (int ranks = 1; ranks <= 64; ranks *= 2) {
        int count = 0;
        fill(ranks);
        for (int r = 0; r < ranks; r++) count = gyre_halving_plan(r, ranks, LENGTH, steps[r]);
        for (int k = 0; k < count; k++) {
            memcpy(before, x, sizeof x);
            for (int r = 0; r < ranks; r++) {
                const gyre_halving *s = &steps[r][k];
                assert_int_equal(steps[s->partner][k].give, s->keep);
                for (size_t i = s->keep; i < s->keep_end; i++) x[r][i] += before[s->partner][i];
            }
        }
        for (int k = count - 1; k >= 0; k--) {
            memcpy(before, x, sizeof x);
            for (int r = 0; r < ranks; r++) {
                const gyre_halving *s = &steps[r][k];
                size_t bytes = (s->give_end - s->give) * sizeof(float);
                memcpy(&x[r][s->give], &before[s->partner][s->give], bytes);
            }
        }
        check_sums(ranks);
    }
}

/* ---- bytes */

/* What leaves and what enters each node, in elements. */
static size_t out[RANKS_MAX], in[RANKS_MAX];

static void send(int from, int to, size_t n) {
    if (from / NODE == to / NODE) return;
    out[from / NODE] += n;
    in[to / NODE] += n;
}

static void send_halving(int ranks, size_t n) {
    gyre_halving steps[GYRE_HALVINGS_MAX];
    for (int r = 0; r < ranks; r++) {
        int count = gyre_halving_plan(r, ranks, n, steps);
        for (int k = 0; k < count; k++) {
            send(r, steps[k].partner, steps[k].give_end - steps[k].give);
            send(r, steps[k].partner, steps[k].keep_end - steps[k].keep);
        }
    }
}

/* Slices are gathered as NCCL does it in a ring, or in a tree: each member gets each other slice
 * once. */
static void send_levels(int ranks, int block, size_t n) {
    gyre_level levels[GYRE_LEVELS_MAX];
    int count = gyre_level_plan(ranks, block, levels);
    for (int r = 0; r < ranks; r++) {
        size_t part = n;
        for (int k = 0; k < count; k++) {
            const gyre_level *l = &levels[k];
            int place = gyre_level_place(l, r), next = (place + 1) % l->ranks;
            for (int p = 0; p < l->ranks; p++) {
                if (p == place) continue;
                send(r, gyre_level_rank(l, r, p), gyre_level_slice(l, part, p).count);
                if (p != next)
                    send(r, gyre_level_rank(l, r, next), gyre_level_slice(l, part, p).count);
            }
            send(r, gyre_level_rank(l, r, next), gyre_level_slice(l, part, place).count);
            part = gyre_level_slice(l, part, place).count;
        }
    }
}

/* The busiest direction of the busiest node's link, beside a ring over all ranks: 2 (p-1)/p n. */
static double beside_ring(int nodes, size_t n) {
    const double ranks = (double)nodes * NODE, ring = 2 * (ranks - 1) / ranks * (double)n;
    size_t most = 0;
    for (int k = 0; k < nodes; k++) {
        if (out[k] > most) most = out[k];
        if (in[k] > most) most = in[k];
    }
    memset(out, 0, sizeof out);
    memset(in, 0, sizeof in);
    return (double)most / ring;
}

static void a_nodes_link_carries_no_more_than_a_rings(void **state) {
    (void)state;
    const int nodes[] = {2, 16, 128};
    const size_t lengths[] = {262147, 6553600, 25557032}; /* 1 MiB, 25 MiB, ResNet-50 */
    for (size_t k = 0; k < sizeof nodes / sizeof nodes[0]; k++) {
        for (size_t j = 0; j < sizeof lengths / sizeof lengths[0]; j++) {
            const int ranks = nodes[k] * NODE;
            const size_t n = lengths[j];
            send_halving(ranks, n);
            double halving = beside_ring(nodes[k], n);
            send_levels(ranks, NODE, n);
            double levels = beside_ring(nodes[k], n);
            send_levels(ranks, 1, n);
            double flat = beside_ring(nodes[k], n);
            print_message("%d nodes, %zu elements: of a ring's bytes halving %.3f, levels %.3f, "
                          "flat %.3f\n",
                          nodes[k], n, halving, levels, flat);
            assert_true(halving > 0.5 && halving <= 1.1);
            assert_true(levels > 0.5 && levels <= 1.1);
            assert_true(flat > 2);
        }
    }
}

/* ---- the plan's own terms */

static void members_of_a_level_find_each_other(void **state) {
    (void)state;
    gyre_level levels[GYRE_LEVELS_MAX];
    assert_int_equal(gyre_level_plan(8, 1, levels), 1);
    assert_int_equal(gyre_level_plan(8, 8, levels), 1);
    assert_int_equal(levels[0].ranks, 8);
    assert_int_equal(gyre_level_plan(1, 1, levels), 1);
    assert_int_equal(gyre_level_plan(32, 8, levels), 2);
    for (int k = 0; k < 2; k++) {
        const gyre_level *l = &levels[k];
        int seen[32] = {0};
        for (int r = 0; r < 32; r++) {
            seen[gyre_level_group(l, r)]++;
            for (int p = 0; p < l->ranks; p++) {
                int peer = gyre_level_rank(l, r, p);
                assert_true(peer >= 0 && peer < 32);
                assert_int_equal(gyre_level_place(l, peer), p);
                assert_int_equal(gyre_level_group(l, peer), gyre_level_group(l, r));
            }
        }
        for (int g = 0; g < 32 / l->ranks; g++) assert_int_equal(seen[g], l->ranks);
    }
    assert_int_equal(gyre_level_rank(&levels[0], 13, 0), 8); /* inside the node */
    assert_int_equal(gyre_level_rank(&levels[1], 13, 0), 5); /* across them */
    assert_int_equal(gyre_level_rank(&levels[1], 13, 3), 29);
}

static void slices_are_the_whole(void **state) {
    (void)state;
    const gyre_level l = {8, 1};
    for (size_t n = 0; n < 200; n++) {
        size_t at = 0;
        for (int p = 0; p < l.ranks; p++) {
            gyre_slice s = gyre_level_slice(&l, n, p);
            assert_int_equal(s.begin, at);
            assert_int_equal(s.begin % 4, 0);
            at += s.count;
        }
        assert_int_equal(at, n);
    }
}

static void too_many_members_are_refused(void **state) {
    (void)state;
    assert_int_equal(gyre_level_check(1024, 1, 1024), GYRE_OK);
    assert_int_equal(gyre_level_check(8192, 8, 1024), GYRE_OK);
    assert_int_equal(gyre_level_check(2048, 1, 1024), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "found 2048 ranks in 2048 blocks"));
    assert_int_equal(gyre_level_check(16384, 8, 1024), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "found 16384 ranks in 2048 blocks"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_keep_the_trees_bits),
        cmocka_unit_test(halving_keeps_the_trees_bits),
        cmocka_unit_test(a_nodes_link_carries_no_more_than_a_rings),
        cmocka_unit_test(members_of_a_level_find_each_other),
        cmocka_unit_test(slices_are_the_whole),
        cmocka_unit_test(too_many_members_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
