/* The backend's collectives on any power of two of ranks: nothing before reduce_end, then the sums
 * of every bucket, exact along the tree or fast. */
#include "check.h"
#include "gyre/backend.h"
#include "gyre/comm.h"
#include "gyre/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) CHECK_ON(c, condition)

enum { LENGTH = 3001, BUCKETS = 3 };
static const size_t BEGIN[BUCKETS + 1] = {0, 1000, 1003, LENGTH};
/* From back to front, as backward goes; and so that they touch in no order. */
static const int ORDER[2][BUCKETS] = {{2, 1, 0}, {0, 2, 1}};

static void fill_leaf(int rank, float *x) {
    gyre_random r = gyre_random_open(21, GYRE_RANDOM_TEST, (uint64_t)rank, 0);
    for (int i = 0; i < LENGTH; i++) {
        x[i] = ((float)gyre_random_uniform(&r) - 0.5f) * (float)(1 << gyre_random_below(&r, 20));
    }
}

/* The sum of `count` ranks' leaves from `first`, neighbours first. */
static void tree(int first, int count, float *x) {
    static float right[4][LENGTH]; /* by depth */
    if (count == 1) {
        fill_leaf(first, x);
        return;
    }
    int depth = count >= 8 ? 3 : count >= 4 ? 2 : 1;
    tree(first, count / 2, x);
    tree(first + count / 2, count / 2, right[depth]);
    for (int i = 0; i < LENGTH; i++) x[i] += right[depth][i];
}

static void check_reduction(gyre_comm *c, gyre_reduce reduce) {
    static float mine[LENGTH], want[LENGTH], got[LENGTH];
    gyre_backend_options options = {.threads = 1, .reduce = reduce, .poison = true};
    gyre_backend *b;
    gyre_raw memory;
    CHECK(gyre_backend_open(GYRE_BACKEND_AUTO, &options, c, &b) == GYRE_OK);
    CHECK(b->ops->alloc(b, sizeof mine, &memory) == GYRE_OK);
    gyre_f32 x = (gyre_f32)(void *)memory;
    fill_leaf(gyre_comm_rank(c), mine);
    tree(0, gyre_comm_size(c), want);
    for (int round = 0; round < 2; round++) {
        CHECK(b->ops->upload(b->main, x, mine, LENGTH) == GYRE_OK);
        for (int i = 0; i < BUCKETS; i++) {
            int k = ORDER[round][i];
            CHECK(b->ops->reduce_begin(b, gyre_f32_at(x, BEGIN[k]), BEGIN[k + 1] - BEGIN[k]) ==
                  GYRE_OK);
        }
        if (strcmp(b->ops->name, "cpu") == 0) { /* a forgotten reduce_end must show */
            CHECK(b->ops->download(b->main, got, x, LENGTH) == GYRE_OK);
            CHECK(memcmp(got, mine, sizeof mine) == 0);
        }
        CHECK(b->ops->reduce_end(b) == GYRE_OK);
        CHECK(b->ops->download(b->main, got, x, LENGTH) == GYRE_OK);
        for (int i = 0; i < LENGTH; i++) {
            if (reduce == GYRE_REDUCE_EXACT)
                CHECK(got[i] == want[i]);
            else /* any order of at most 8 terms below 2^19 */
                CHECK(got[i] - want[i] <= 0.5f && want[i] - got[i] <= 0.5f);
        }
    }
    b->ops->release(b, memory);
    b->ops->close(b);
}

int main(int argc, char **argv) {
    gyre_comm *c = NULL;
    if (gyre_comm_open(&argc, &argv, &c) != GYRE_OK) return 1;
    check_reduction(c, GYRE_REDUCE_EXACT);
    check_reduction(c, GYRE_REDUCE_FAST);
    gyre_comm_close(c);
    return 0;
}
