/* Buckets are contiguous ranges of the leaf, cut from its end to its beginning, since parameters
 * lie there in node order and backward comes from the last node.
 *
 * They lie so inside a group of equal multipliers only. A group that is smaller than the first
 * bucket (biases) spans all nodes and would be late wherever it is put, so neighbouring small
 * groups are buckets of their own, and do not hold up the large ones. Moments and stats are there
 * before backward begins and go with what lies before them. */
#include "buckets.h"

#include "leaf.h"
#include <stdlib.h>

typedef struct {
    const gyre_model *m;
    const leaf_piece *pieces;
    int piece_count;
    size_t first, bytes;
} planner;

static size_t end_of(const planner *p, int piece) {
    return piece + 1 < p->piece_count ? p->pieces[piece + 1].offset : gyre_leaf_size(p->m);
}

/* The group whose buckets a piece may join: a large one, or -1 for all small ones. */
static int home_of(const planner *p, int piece) {
    int g = p->pieces[piece].group;
    if (g == p->m->group_count) g--; /* moments and stats */
    return p->m->groups[g].count * sizeof(float) > p->first ? g : -1;
}

/* The large group that has something to send first: backward begins in it. -1: there is none. */
static int leader(const planner *p) {
    int best = -1, node = -1;
    for (int i = 0; i < p->piece_count; i++) {
        const leaf_piece *piece = &p->pieces[i];
        if (piece->group == p->m->group_count || piece->zero || home_of(p, i) < 0) continue;
        if (piece->node > node) {
            node = piece->node;
            best = piece->group;
        }
    }
    return best;
}

/* Ready ones first; they were cut from the back, and stay in that order where they are alike. */
static void sort(leaf_bucket *b, int count) {
    for (int i = 1; i < count; i++) {
        leaf_bucket moved = b[i];
        int k = i;
        for (; k > 0 && b[k - 1].node < moved.node; k--) b[k] = b[k - 1];
        b[k] = moved;
    }
}

static int cut(const planner *p, leaf_bucket *buckets) {
    int count = 0, lead = leader(p), home = -2; /* no bucket is open */
    size_t limit = 0;
    for (int i = p->piece_count - 1; i >= 0; i--) {
        size_t end = end_of(p, i), begin = i == 0 ? 0 : p->pieces[i].offset;
        bool moved = home_of(p, i) != home;
        if (moved || buckets[count - 1].count * sizeof(float) >= limit) {
            home = home_of(p, i);
            limit = moved && home >= 0 && home == lead ? p->first : p->bytes;
            buckets[count++] = (leaf_bucket){.node = p->m->node_count};
        }
        leaf_bucket *b = &buckets[count - 1];
        b->offset = begin;
        b->count += end - begin;
        if (p->pieces[i].node < b->node) b->node = p->pieces[i].node;
    }
    sort(buckets, count);
    return count;
}

gyre_status buckets_plan(const gyre_model *m, size_t first, size_t bytes, leaf_bucket **out,
                         int *count) {
    leaf_piece *pieces = NULL;
    planner p = {.m = m, .first = first, .bytes = bytes};
    GYRE_TRY(leaf_pieces(m, &pieces, &p.piece_count));
    p.pieces = pieces;
    leaf_bucket *buckets = calloc((size_t)p.piece_count, sizeof *buckets);
    if (buckets != NULL) {
        *count = cut(&p, buckets);
        *out = buckets;
    }
    free(pieces);
    return buckets != NULL ? GYRE_OK : gyre_no_memory("buckets");
}
