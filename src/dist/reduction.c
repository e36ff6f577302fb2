/* The plans of exact reductions. */
#include "gyre/reduction.h"

enum { ALIGNED = 4 }; /* elements: what a GPU's widest load takes */

int gyre_halving_plan(int rank, int ranks, size_t n, gyre_halving out[GYRE_HALVINGS_MAX]) {
    size_t begin = 0, end = n;
    int count = 0;
    for (int distance = 1; distance < ranks; distance *= 2) {
        size_t middle = begin + (end - begin) / 2;
        if ((rank & distance) == 0) {
            out[count++] = (gyre_halving){rank ^ distance, middle, end, begin, middle};
            end = middle;
        } else {
            out[count++] = (gyre_halving){rank ^ distance, begin, middle, middle, end};
            begin = middle;
        }
    }
    return count;
}

int gyre_level_plan(int ranks, int block, gyre_level out[GYRE_LEVELS_MAX]) {
    if (block <= 1 || block >= ranks) {
        out[0] = (gyre_level){ranks, 1};
        return 1;
    }
    out[0] = (gyre_level){block, 1};
    out[1] = (gyre_level){ranks / block, block};
    return 2;
}

gyre_status gyre_level_check(int ranks, int block, int most) {
    gyre_level levels[GYRE_LEVELS_MAX];
    int count = gyre_level_plan(ranks, block, levels);
    for (int k = 0; k < count; k++) {
        if (levels[k].ranks <= most) continue;
        return gyre_fail(
            GYRE_EUSAGE,
            "reduce: \"exact\" adds up to %d ranks, or nodes, on GPUs, found %d ranks in "
            "%d blocks that lie on one node each: use \"fast\", fewer ranks, or more of "
            "them on each node, on all the same power of two",
            most, ranks, ranks / block);
    }
    return GYRE_OK;
}

int gyre_level_place(const gyre_level *l, int rank) {
    return rank / l->stride % l->ranks;
}

int gyre_level_rank(const gyre_level *l, int rank, int place) {
    return rank + (place - gyre_level_place(l, rank)) * l->stride;
}

int gyre_level_group(const gyre_level *l, int rank) {
    return rank / (l->stride * l->ranks) * l->stride + rank % l->stride;
}

gyre_slice gyre_level_slice(const gyre_level *l, size_t n, int place) {
    size_t ranks = (size_t)l->ranks, part = n / ranks / ALIGNED * ALIGNED;
    size_t begin = part * (size_t)place;
    return (gyre_slice){begin, place == l->ranks - 1 ? n - begin : part};
}
