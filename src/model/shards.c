/* The shards of a rank, added as a fixed binary tree.
 *
 * Node i of level k covers shards i 2^k .. (i + 1) 2^k - 1. Lanes take shards in order; whichever
 * task completes the second of two neighbours adds them, left first, and continues one level up. So
 * the order of additions is that of the tree, whatever lane was faster.
 *
 * There are log2(shards) + lanes leaves. Shards take theirs strictly in order, and wait when none
 * is free. No shard waits for ever: when all shards before the waiting one are through, what is
 * left of them is one node for each bit of their number, at most log2(shards).
 *
 * With a single lane all other shards are through when the last one runs. So its gradients need
 * not wait for each other: a bucket that backward has passed is added up the tree and its reduction
 * over ranks begins, while backward continues.
 *
 * Branches, where a backend has them (gyre/backend.h), take the shards in rounds, shard i on branch
 * i mod branches. Of the last round the same is true: a bucket is added, on `main`, as soon as
 * backward of all its shards has passed it. */
#include "buckets.h"
#include "lane.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS_MAX = 31 };

typedef struct {
    int left, right; /* slots; the sum goes into the left one */
} addition;

/* Numbers for mark() and follow(): what main has done so far, what a branch has, and a branch in
 * its backward pass as far as a bucket. */
enum { MARK_MAIN, MARK_BRANCH };
static int bucket_mark(int branches, int branch, int bucket) {
    return MARK_BRANCH + branches * (1 + bucket) + branch;
}

struct gyre_shards {
    gyre_net *net;
    gyre_weights *weights;
    int count, size; /* shards, samples in each */
    int levels;      /* of nodes above the leaves */
    size_t leaf;     /* floats */
    int slot_count;
    gyre_raw memory;
    bool *busy;                 /* per slot */
    int turn;                   /* the shard that takes the next slot */
    int *nodes[LEVELS_MAX + 1]; /* slot of each finished node that waits for its neighbour, or -1 */
    pthread_mutex_t lock;       /* guards busy, turn, nodes, failure; no work is done under it */
    pthread_cond_t changed;
    gyre_status failure;
    char error[GYRE_ERROR_MAX];
    const gyre_batch *batch; /* of the current run */
    float scale;
    bool moments;         /* of forward passes alone */
    size_t first, floats; /* the part of the leaves that is added up */
    int root;
    leaf_bucket *buckets;
    int bucket_count, begun; /* begun: those whose reduction is on its way */
    /* The last round: its shards, one where there are no branches, and the additions that are left
     * then. */
    int branches, last, last_count;
    int *slots; /* (branches): of the shards of a round */
    int marked; /* buckets that the shard on its way has passed */
    addition *adds;
    int add_count;
};

static int nodes_of_level(const gyre_shards *s, int level) {
    return (s->count + (1 << level) - 1) >> level;
}

gyre_status gyre_shards_open(gyre_net *net, int shards, int shard_size, gyre_shards **out) {
    gyre_status status = GYRE_OK;
    gyre_weights *w = net->weights;
    gyre_backend *b = w->backend;
    gyre_shards *s = calloc(1, sizeof *s);
    if (s == NULL) return gyre_no_memory("%d shards", shards);
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->changed, NULL);
    s->net = net;
    s->weights = w;
    s->count = shards;
    s->size = shard_size;
    while (1 << s->levels < shards) s->levels++;
    s->leaf = gyre_leaf_size(w->model);
    s->branches = gyre_net_branches(net);
    s->last_count = (shards - 1) % s->branches + 1;
    s->last = shards - s->last_count;
    int most = s->levels + (b->lanes > s->branches ? b->lanes : s->branches);
    s->slot_count = most < shards ? most : shards;
    s->busy = calloc((size_t)s->slot_count, sizeof *s->busy);
    s->slots = calloc((size_t)s->branches, sizeof *s->slots);
    s->adds = calloc((size_t)s->branches + LEVELS_MAX, sizeof *s->adds);
    bool complete = s->busy != NULL && s->adds != NULL && s->slots != NULL;
    for (int k = 0; k <= s->levels; k++) {
        s->nodes[k] = calloc((size_t)nodes_of_level(s, k), sizeof(int));
        complete = complete && s->nodes[k] != NULL;
    }
    if (!complete) {
        status = gyre_no_memory("%d shards", shards);
        goto out;
    }
    GYRE_GOTO(buckets_plan(w->model, BUCKET_FIRST, BUCKET_BYTES, &s->buckets, &s->bucket_count));
    GYRE_GOTO(gyre_fail_in(
        "gradients of shards (fewer batch.shards, threads or channels need less)",
        b->ops->alloc(b, (size_t)s->slot_count * s->leaf * sizeof(float), &s->memory)));
out:
    if (status == GYRE_OK)
        *out = s;
    else
        gyre_shards_close(s);
    return status;
}

void gyre_shards_close(gyre_shards *s) {
    if (s == NULL) return;
    if (s->memory != NULL) s->weights->backend->ops->release(s->weights->backend, s->memory);
    for (int k = 0; k <= s->levels; k++) free(s->nodes[k]);
    free(s->busy);
    free(s->slots);
    free(s->adds);
    free(s->buckets);
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->changed);
    free(s);
}

static gyre_f32 leaf_at(const gyre_shards *s, int slot) {
    return gyre_f32_at((gyre_f32)(void *)s->memory, (size_t)slot * s->leaf);
}

static int free_slot(const gyre_shards *s) {
    for (int i = 0; i < s->slot_count; i++) {
        if (!s->busy[i]) return i;
    }
    return -1;
}

/* Waits for the shard's turn and a free slot; fails when another shard has failed meanwhile. */
static gyre_status take_slot(gyre_shards *s, int index, int *out) {
    gyre_status status = GYRE_OK;
    pthread_mutex_lock(&s->lock);
    while (s->failure == GYRE_OK && (s->turn != index || free_slot(s) < 0)) {
        pthread_cond_wait(&s->changed, &s->lock);
    }
    if (s->failure != GYRE_OK) {
        status = gyre_fail(s->failure, "%s", s->error);
    } else {
        *out = free_slot(s);
        s->busy[*out] = true;
        s->turn++;
        pthread_cond_broadcast(&s->changed);
    }
    pthread_mutex_unlock(&s->lock);
    return status;
}

/* Node (level, index) is finished in `slot`. Returns the slot of its neighbour when that is
 * finished too, so that the caller must add the two; else leaves it for the neighbour's task. */
static int meet(gyre_shards *s, int level, int index, int slot) {
    pthread_mutex_lock(&s->lock);
    int other = s->nodes[level][index ^ 1];
    if (other < 0) s->nodes[level][index] = slot;
    pthread_mutex_unlock(&s->lock);
    return other;
}

static void give_slot(gyre_shards *s, int slot) {
    pthread_mutex_lock(&s->lock);
    s->busy[slot] = false;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

/* From leaf `index` in `slot` upward as far as neighbours are finished. A node without a right
 * neighbour (shards no power of two) goes up unchanged. */
static gyre_status add_upward(gyre_shards *s, gyre_queue *q, int index, int slot) {
    const gyre_backend_ops *ops = s->weights->backend->ops;
    for (int level = 0; level < s->levels; level++, index /= 2) {
        if ((index ^ 1) >= nodes_of_level(s, level)) continue;
        int other = meet(s, level, index, slot);
        if (other < 0) return GYRE_OK;
        int left = index % 2 == 0 ? slot : other, right = index % 2 == 0 ? other : slot;
        gyre_f32 sum = gyre_f32_at(leaf_at(s, left), s->first);
        GYRE_TRY(ops->add(q, s->floats, sum, gyre_f32_at(leaf_at(s, right), s->first), sum));
        give_slot(s, right);
        slot = left;
    }
    s->root = slot;
    return GYRE_OK;
}

/* ---- the last round: the same additions, bucket by bucket */

/* As add_upward would add them, once all before them are added. */
static void plan_adds(gyre_shards *s) {
    s->add_count = 0;
    for (int i = 0; i < s->last_count; i++) {
        int index = s->last + i, slot = s->slots[i];
        s->root = slot;
        for (int level = 0; level < s->levels; level++, index /= 2) {
            if ((index ^ 1) >= nodes_of_level(s, level)) continue;
            int other = meet(s, level, index, slot);
            if (other < 0) break;
            s->adds[s->add_count].left = index % 2 == 0 ? slot : other;
            s->adds[s->add_count].right = index % 2 == 0 ? other : slot;
            s->root = slot = s->adds[s->add_count++].left;
        }
    }
}

static gyre_status begin_reduction(gyre_shards *s) {
    gyre_backend *b = s->weights->backend;
    const leaf_bucket *bucket = &s->buckets[s->begun++];
    return b->ops->reduce_begin(b, gyre_f32_at(leaf_at(s, s->root), bucket->offset), bucket->count);
}

static gyre_status add_bucket(gyre_shards *s, gyre_queue *q, const leaf_bucket *bucket) {
    const gyre_backend_ops *ops = s->weights->backend->ops;
    for (int i = 0; i < s->add_count; i++) {
        gyre_f32 left = gyre_f32_at(leaf_at(s, s->adds[i].left), bucket->offset);
        gyre_f32 right = gyre_f32_at(leaf_at(s, s->adds[i].right), bucket->offset);
        GYRE_TRY(ops->add(q, bucket->count, left, right, left));
    }
    return GYRE_OK;
}

static gyre_status last_passed(void *context, gyre_queue *q, int node) {
    gyre_shards *s = context;
    while (s->begun < s->bucket_count && s->buckets[s->begun].node >= node) {
        GYRE_TRY(add_bucket(s, q, &s->buckets[s->begun]));
        GYRE_TRY(begin_reduction(s));
    }
    return GYRE_OK;
}

/* ---- one shard, and all */

static gyre_batch part_of(const gyre_shards *s, int index) {
    const gyre_model *m = s->weights->model;
    size_t first = (size_t)index * (size_t)s->size;
    gyre_batch shard = *s->batch;
    shard.first += (int64_t)first;
    shard.count = s->size;
    size_t values = (size_t)m->h * (size_t)m->w * (size_t)m->c;
    size_t bytes = values * gyre_element_size(shard.element);
    if (shard.targets != NULL) {
        shard.targets = (const float *)shard.targets + first * (size_t)shard.target_values;
    }
    if (shard.images != NULL) shard.images += first * bytes;
    if (shard.rows != NULL) shard.rows += first;
    if (shard.augment != NULL) shard.augment += first;
    if (shard.erase != NULL) shard.erase += first;
    return shard;
}

static gyre_status compute(gyre_shards *s, gyre_queue *q, int index, int slot,
                           const gyre_net_listener *listener) {
    const gyre_batch shard = part_of(s, index);
    if (s->moments) return gyre_net_moments(s->net, q, &shard, leaf_at(s, slot));
    return gyre_net_train(s->net, q, &shard, s->scale, leaf_at(s, slot), listener);
}

static gyre_status run_shard(gyre_shards *s, gyre_queue *q, int index) {
    const gyre_net_listener listener = {last_passed, s};
    bool last = !s->moments && s->weights->backend->lanes == 1 && index == s->last;
    int slot = 0;
    GYRE_TRY(take_slot(s, index, &slot));
    if (last) {
        s->slots[0] = slot;
        plan_adds(s);
    }
    GYRE_TRY(compute(s, q, index, slot, last ? &listener : NULL));
    return last ? GYRE_OK : add_upward(s, q, index, slot);
}

static gyre_status shard_task(void *context, gyre_queue *q, int index) {
    gyre_shards *s = context;
    gyre_status status = run_shard(s, q, index);
    if (status == GYRE_OK) return GYRE_OK;
    pthread_mutex_lock(&s->lock);
    if (s->failure == GYRE_OK) {
        s->failure = status;
        snprintf(s->error, sizeof s->error, "%s", gyre_error_text());
    }
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    return status;
}

/* ---- on branches */

/* The last bucket is left to run_round, which waits for the branches anyway. */
static gyre_status branch_passed(void *context, gyre_queue *q, int node) {
    gyre_shards *s = context;
    gyre_backend *b = s->weights->backend;
    for (; s->marked < s->bucket_count - 1 && s->buckets[s->marked].node >= node; s->marked++) {
        GYRE_TRY(b->ops->mark(q, bucket_mark(s->branches, q->lane, s->marked)));
        if (q->lane != s->last_count - 1) continue; /* the others' marks are there */
        for (int i = 0; i < s->last_count; i++) {
            GYRE_TRY(b->ops->follow(b->main, bucket_mark(s->branches, i, s->marked)));
        }
        GYRE_TRY(add_bucket(s, b->main, &s->buckets[s->marked]));
        GYRE_TRY(begin_reduction(s));
    }
    return GYRE_OK;
}

static gyre_status run_branch(gyre_shards *s, int begin, int branch, bool last) {
    const gyre_net_listener listener = {branch_passed, s};
    gyre_backend *b = s->weights->backend;
    gyre_queue *q = b->ops->branch(b, branch);
    s->marked = 0;
    GYRE_TRY(b->ops->follow(q, MARK_MAIN));
    GYRE_TRY(compute(s, q, begin + branch, s->slots[branch], last ? &listener : NULL));
    return b->ops->mark(q, MARK_BRANCH + branch);
}

/* Shards begin..begin+count-1, one on each branch; what is left to add then. */
static gyre_status run_round(gyre_shards *s, int begin, int count) {
    gyre_backend *b = s->weights->backend;
    bool last = begin == s->last && !s->moments;
    for (int i = 0; i < count; i++) {
        s->slots[i] = free_slot(s);
        s->busy[s->slots[i]] = true;
    }
    if (last) plan_adds(s);
    for (int i = 0; i < count; i++) GYRE_TRY(run_branch(s, begin, i, last));
    for (int i = 0; i < count; i++) GYRE_TRY(b->ops->follow(b->main, MARK_BRANCH + i));
    if (last) return last_passed(s, b->main, 0);
    for (int i = 0; i < count; i++) {
        GYRE_TRY(add_upward(s, b->main, begin + i, s->slots[i]));
    }
    return b->ops->mark(b->main, MARK_MAIN);
}

static gyre_status run_rounds(gyre_shards *s) {
    gyre_backend *b = s->weights->backend;
    GYRE_TRY(b->ops->mark(b->main, MARK_MAIN));
    for (int begin = 0; begin < s->count; begin += s->branches) {
        int left = s->count - begin;
        GYRE_TRY(run_round(s, begin, left < s->branches ? left : s->branches));
    }
    return GYRE_OK;
}

/* All shards; `first`: where the part of the leaves begins that is added up. */
static gyre_status run(gyre_shards *s, const gyre_batch *batch, size_t first) {
    gyre_backend *b = s->weights->backend;
    if (batch->count != (int64_t)s->count * s->size) {
        return gyre_fail(GYRE_EDEVICE, "%d shards of %d samples were given %lld", s->count, s->size,
                         (long long)batch->count);
    }
    memset(s->busy, 0, (size_t)s->slot_count * sizeof *s->busy);
    for (int k = 0; k <= s->levels; k++) {
        for (int i = 0; i < nodes_of_level(s, k); i++) s->nodes[k][i] = -1;
    }
    s->turn = s->begun = 0;
    s->failure = GYRE_OK;
    s->batch = batch;
    s->first = first;
    s->floats = s->leaf - first;
    return s->branches > 1 ? run_rounds(s) : b->ops->parallel(b, s->count, shard_task, s);
}

gyre_status gyre_shards_run(gyre_shards *s, const gyre_batch *batch, float scale, gyre_f32 *root) {
    s->moments = false;
    s->scale = scale;
    GYRE_TRY(run(s, batch, 0));
    while (s->begun < s->bucket_count) GYRE_TRY(begin_reduction(s));
    *root = leaf_at(s, s->root);
    return GYRE_OK;
}

gyre_status gyre_shards_moments(gyre_shards *s, const gyre_batch *batch, gyre_f32 *moments) {
    gyre_backend *b = s->weights->backend;
    s->moments = true;
    GYRE_TRY(run(s, batch, gyre_leaf_moments(s->weights->model)));
    *moments = gyre_f32_at(leaf_at(s, s->root), s->first);
    return b->ops->reduce_begin(b, *moments, s->floats);
}
