/* A net's buffers, and a batch through it: in training into a leaf, in evaluation into sums. */
#include "gyre/net.h"

#include "gyre/random.h"
#include "lane.h"
#include "leaf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MIX_WORDS = 2 }; /* of a mixed sample (gyre_loss_shape) */

static size_t saved_size(const gyre_net *net, int node) {
    const node_call c = node_call_of(net->weights->model, node, net->weights->backend, net->n);
    return c.node->type->saved_size == NULL ? 0 : c.node->type->saved_size(&c);
}

/* Points a lane's buffers into memory from `at` on; returns where they end. */
static uintptr_t point_lane(gyre_net *net, net_lane *lane, const size_t *saved, uintptr_t at) {
    const gyre_model *m = net->weights->model;
    size_t n = (size_t)net->n, act = net->weights->backend->act_size;
    lane->images = (gyre_act)at;
    at += node_align_bytes(n * (size_t)m->h * (size_t)m->w * (size_t)m->c * act);
    lane->targets = (gyre_i32)at;
    at += node_align_bytes(n * (gyre_target_values(&m->target) + MIX_WORDS) * sizeof(int32_t));
    for (int i = 0; i < net->plan.slot_count; i++) {
        lane->slots[i] = (gyre_act)at;
        at += node_align_bytes(n * net->plan.slots[i] * act);
    }
    lane->shared = (gyre_f32)at;
    at += node_align_bytes(pass_shared_size(m, &net->plan) * sizeof(float));
    for (int i = 0; i < m->node_count; i++) {
        lane->saved[i] = saved[i] == 0 ? NULL : (gyre_raw)at;
        at += node_align_bytes(saved[i]);
    }
    return at;
}

static gyre_status open_lanes(gyre_net *net, size_t lanes) {
    size_t nodes = (size_t)net->weights->model->node_count;
    size_t slots = (size_t)net->plan.slot_count;
    net->lanes = calloc(lanes, sizeof *net->lanes);
    net->slots = calloc(lanes * slots, sizeof *net->slots);
    net->saved = calloc(lanes * nodes, sizeof *net->saved);
    if (!net->lanes || !net->slots || !net->saved) return gyre_no_memory("a net");
    for (size_t i = 0; i < lanes; i++) {
        net->lanes[i].slots = net->slots + i * slots;
        net->lanes[i].saved = net->saved + i * nodes;
    }
    return GYRE_OK;
}

/* A branch has the buffers of a lane, of so many bytes, and a leaf. */
static gyre_status open_branches(gyre_net *net, int shards, size_t bytes) {
    gyre_backend *b = net->weights->backend;
    size_t leaf = gyre_leaf_size(net->weights->model) * sizeof(float);
    net->branches = 1;
    if (shards > 1) GYRE_TRY(b->ops->open_branches(b, shards, bytes + leaf, &net->branches));
    net->lane_count = net->branches > b->lanes ? net->branches : b->lanes;
    return GYRE_OK;
}

static gyre_status allocate(gyre_net *net, int shards) {
    gyre_backend *b = net->weights->backend;
    size_t nodes = (size_t)net->weights->model->node_count;
    gyre_status status = GYRE_OK;
    size_t *saved = calloc(nodes, sizeof *saved);
    if (saved == NULL) return gyre_no_memory("a net");
    for (size_t i = 0; i < nodes; i++) saved[i] = saved_size(net, (int)i);
    GYRE_GOTO(open_lanes(net, (size_t)(shards > b->lanes ? shards : b->lanes)));
    size_t bytes = (size_t)point_lane(net, &net->lanes[0], saved, 0);
    GYRE_GOTO(open_branches(net, shards, bytes));
    size_t lanes = (size_t)net->lane_count;
    size_t draw = net->draws ? node_align_bytes(GYRE_DRAW_WORDS * sizeof(uint32_t)) : 0;
    char what[160];
    snprintf(what, sizeof what,
             "activations of %zu x %d samples (%s, fewer threads or fewer channels need less)",
             lanes, net->n,
             net->train ? "a smaller batch.size, more batch.shards" : "a smaller evaluate.batch");
    GYRE_GOTO(gyre_fail_in(what, b->ops->alloc(b, draw + lanes * bytes, &net->memory)));
    net->draw = (gyre_i32)(void *)net->memory;
    for (size_t i = 0; i < lanes; i++) {
        point_lane(net, &net->lanes[i], saved, (uintptr_t)net->memory + draw + i * bytes);
    }
out:
    free(saved);
    return status;
}

static void add_zeros(gyre_net *net, size_t begin, size_t end, int node) {
    if (end > begin) net->zeros[net->zero_count++] = (leaf_zero){begin, end - begin, node};
}

/* What lies between the parts that the nodes fill, and parts that are not trained. */
static gyre_status find_zeros(gyre_net *net) {
    const gyre_model *m = net->weights->model;
    leaf_piece *pieces = NULL;
    int count = 0;
    size_t at = 0;
    GYRE_TRY(leaf_pieces(m, &pieces, &count));
    net->zeros = calloc(2 * (size_t)count + 1, sizeof *net->zeros);
    for (int i = 0; net->zeros != NULL && i < count; i++) {
        const leaf_piece *p = &pieces[i];
        add_zeros(net, at, p->offset, m->node_count);
        at = p->offset + p->count;
        if (p->zero) add_zeros(net, p->offset, at, p->node);
    }
    free(pieces);
    if (net->zeros == NULL) return gyre_no_memory("a net");
    add_zeros(net, at, gyre_leaf_size(m), m->node_count);
    return GYRE_OK;
}

static gyre_status name_marks(gyre_net *net) {
    const gyre_model *m = net->weights->model;
    net->marks = calloc((size_t)m->node_count, sizeof *net->marks);
    if (net->marks == NULL) return gyre_no_memory("a net");
    for (int i = 0; i < m->node_count; i++) {
        snprintf(net->marks[i], sizeof net->marks[i], "%s backward", m->nodes[i].name);
    }
    return GYRE_OK;
}

gyre_status gyre_net_open(gyre_weights *w, int n, int shards, gyre_net **out) {
    const bool train = shards > 0;
    gyre_status status = GYRE_OK;
    gyre_net *net = calloc(1, sizeof *net);
    if (net == NULL) return gyre_no_memory("a net");
    net->weights = w;
    net->n = n;
    net->train = train;
    for (int i = 0; i < w->model->node_count; i++) {
        const gyre_node_type *type = w->model->nodes[i].type;
        net->draws = net->draws || (train ? type->draws : type->draws_in_evaluation);
    }
    GYRE_GOTO(plan_open(w->model, train, &net->plan));
    GYRE_GOTO(allocate(net, shards));
    GYRE_GOTO(find_zeros(net));
    GYRE_GOTO(name_marks(net));
out:
    if (status == GYRE_OK)
        *out = net;
    else
        gyre_net_close(net);
    return status;
}

void gyre_net_close(gyre_net *net) {
    if (net == NULL) return;
    if (net->memory != NULL)
        net->weights->backend->ops->release(net->weights->backend, net->memory);
    plan_close(&net->plan);
    free(net->lanes);
    free(net->slots);
    free(net->saved);
    free(net->zeros);
    free(net->marks);
    free(net->seconds);
    free(net);
}

/* Queue `main` runs when no lane does, and borrows the first one's buffers. */
static net_lane *lane_of(gyre_net *net, const gyre_queue *q) {
    return &net->lanes[q->lane < 0 ? 0 : q->lane];
}

static gyre_status begin_pass(gyre_net *net, gyre_queue *q, const gyre_batch *batch,
                              net_pass *out) {
    const gyre_weights *w = net->weights;
    net_lane *lane = lane_of(net, q);
    if (batch->count < 1 || batch->count > net->n) {
        return gyre_fail(GYRE_EDEVICE, "a net for %d images was given %lld", net->n,
                         (long long)batch->count);
    }
    if (batch->target_values != (int64_t)gyre_target_values(&w->model->target)) {
        return gyre_fail(GYRE_EDEVICE, "a net for targets of %zu values was given %lld",
                         gyre_target_values(&w->model->target), (long long)batch->target_values);
    }
    lane->count = (int)batch->count;
    *out = (net_pass){.net = net,
                      .queue = q,
                      .lane = lane,
                      .n = lane->count,
                      .first = batch->first,
                      .mixed = batch->mix.on != 0};
    gyre_image_shape s = {out->n, w->model->h, w->model->w, w->model->c};
    double begun = pass_begin(out, "input");
    GYRE_TRY(
        w->backend->ops->batch_load(q, &s, batch, w->mean, w->scale, lane->images, lane->targets));
    pass_end(out, GYRE_NODE_INPUT, GYRE_PASS_FORWARD, begun);
    return GYRE_OK;
}

static gyre_status send_draws(gyre_net *net, const uint32_t *words) {
    gyre_backend *b = net->weights->backend;
    float bits[GYRE_DRAW_WORDS];
    if (!net->draws) return GYRE_OK;
    memcpy(bits, words, sizeof bits);
    return b->ops->upload(b->main, (gyre_f32)(void *)net->draw, bits, GYRE_DRAW_WORDS);
}

static void put_key(uint32_t *words, int at, uint64_t seed, gyre_random_domain domain, uint64_t a) {
    const gyre_random key = gyre_random_open(seed, domain, a, 0);
    words[at] = key.key[0];
    words[at + 1] = key.key[1];
}

gyre_status gyre_net_begin_step(gyre_net *net, uint64_t seed, int64_t step, int64_t first,
                                int64_t batch) {
    uint32_t words[GYRE_DRAW_WORDS] = {[GYRE_DRAW_FIRST] = (uint32_t)first,
                                       [GYRE_DRAW_STRATUM] = GYRE_DRAW_SHUFFLED,
                                       [GYRE_DRAW_STRATA] = (uint32_t)batch};
    put_key(words, GYRE_DRAW_KEY, seed, GYRE_RANDOM_DROPOUT, (uint64_t)step);
    put_key(words, GYRE_DRAW_NOISE_KEY, seed, GYRE_RANDOM_DIFFUSION, (uint64_t)step);
    return send_draws(net, words);
}

void gyre_pass_draws(gyre_passes passes, int pass, uint32_t words[GYRE_DRAW_WORDS]) {
    memset(words, 0, GYRE_DRAW_WORDS * sizeof *words);
    words[GYRE_DRAW_STRATUM] = (uint32_t)pass;
    words[GYRE_DRAW_STRATA] = (uint32_t)passes.count;
    put_key(words, GYRE_DRAW_NOISE_KEY, passes.seed, GYRE_RANDOM_EVALUATION, (uint64_t)pass);
}

gyre_status gyre_net_begin_pass(gyre_net *net, gyre_passes passes, int pass) {
    uint32_t words[GYRE_DRAW_WORDS];
    gyre_pass_draws(passes, pass, words);
    return send_draws(net, words);
}

gyre_status gyre_net_fix_time(gyre_net *net, int time) {
    const uint32_t words[GYRE_DRAW_WORDS] = {[GYRE_DRAW_STRATUM] = (uint32_t)time};
    return send_draws(net, words);
}

/* The first half of training on a shard. */
static gyre_status train_forward(gyre_net *net, gyre_queue *q, const gyre_batch *shard, float scale,
                                 gyre_f32 leaf, net_pass *p) {
    if (!net->train || shard->count != net->n) {
        return gyre_fail(GYRE_EDEVICE, "a %s net for %d images cannot train on %lld",
                         net->train ? "training" : "evaluation", net->n, (long long)shard->count);
    }
    GYRE_TRY(begin_pass(net, q, shard, p));
    p->train = true;
    p->leaf = leaf;
    p->scale = scale;
    p->stats = gyre_f32_at(leaf, gyre_leaf_stats(net->weights->model));
    return pass_forward(p);
}

gyre_status gyre_net_train(gyre_net *net, gyre_queue *q, const gyre_batch *shard, float scale,
                           gyre_f32 leaf, const gyre_net_listener *listener) {
    net_pass p;
    GYRE_TRY(train_forward(net, q, shard, scale, leaf, &p));
    p.listener = listener;
    return pass_backward(&p);
}

gyre_status gyre_net_moments(gyre_net *net, gyre_queue *q, const gyre_batch *shard, gyre_f32 leaf) {
    net_pass p;
    const gyre_model *m = net->weights->model;
    const size_t first = gyre_leaf_moments(m);
    GYRE_TRY(net->weights->backend->ops->fill(q, gyre_leaf_size(m) - first, 0,
                                              gyre_f32_at(leaf, first)));
    return train_forward(net, q, shard, 1, leaf, &p);
}

gyre_status gyre_net_evaluate(gyre_net *net, gyre_queue *q, const gyre_batch *batch,
                              gyre_f32 stats) {
    net_pass p;
    GYRE_TRY(begin_pass(net, q, batch, &p));
    p.scale = 1;
    p.stats = stats;
    return pass_forward(&p);
}

gyre_status gyre_net_forward(gyre_net *net, gyre_queue *q, const gyre_batch *batch) {
    net_pass p;
    GYRE_TRY(begin_pass(net, q, batch, &p));
    return pass_outputs(&p);
}

/* Rounded to nearest, ties to even; NaN stays one. In its own place. */
static void narrow(float *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        const bool nan = (bits & 0x7fffffff) > 0x7f800000;
        const uint16_t half =
            (uint16_t)((nan ? bits | 0x400000 : bits + 0x7fff + (bits >> 16 & 1)) >> 16);
        memcpy((char *)x + i * sizeof half, &half, sizeof half);
    }
}

gyre_status gyre_net_score(gyre_net *net, gyre_queue *q, float *logits, gyre_f32 stats) {
    const gyre_model *m = net->weights->model;
    const gyre_backend *b = net->weights->backend;
    net_lane *lane = lane_of(net, q);
    const int node = gyre_model_output(m);
    const size_t n = (size_t)lane->count * node_elements(node_output(m, node));
    const bool half = b->act_size != sizeof(float);
    gyre_f32 to = (gyre_f32)(void *)lane->slots[net->plan.nodes[node].y];
    if (half) narrow(logits, n);
    GYRE_TRY(b->ops->upload(q, to, logits, half ? (n + 1) / 2 : n));
    const net_pass p = {
        .net = net, .queue = q, .lane = lane, .n = lane->count, .scale = 1, .stats = stats};
    return pass_loss(&p);
}

/* The last forward's output of a node, which no later one has overwritten, as f32 on the host. */
static gyre_status read_output(gyre_net *net, gyre_queue *q, int node, float *out) {
    const gyre_backend *b = net->weights->backend;
    const net_lane *lane = lane_of(net, q);
    size_t n = (size_t)lane->count * node_elements(node_output(net->weights->model, node));
    gyre_f32 from = (gyre_f32)(void *)lane->slots[net->plan.nodes[node].y];
    if (b->act_size == sizeof(float)) return b->ops->download(q, out, from, n);
    /* bf16 is the upper half of an f32: widened from the back, so that nothing is overwritten */
    GYRE_TRY(b->ops->download(q, out, from, (n + 1) / 2));
    for (size_t i = n; i-- > 0;) {
        uint16_t half;
        memcpy(&half, (const char *)out + i * sizeof half, sizeof half);
        uint32_t bits = (uint32_t)half << 16;
        memcpy(&out[i], &bits, sizeof bits);
    }
    return GYRE_OK;
}

gyre_status gyre_net_logits(gyre_net *net, gyre_queue *q, float *out) {
    return read_output(net, q, gyre_model_output(net->weights->model), out);
}

/* The plan gives the slot of what a node reads free only after the node's own was taken, and what
 * follows the outputs' node is the loss, which takes none. */
gyre_status gyre_net_features(gyre_net *net, gyre_queue *q, float *out) {
    return read_output(net, q, gyre_model_feature_node(net->weights->model), out);
}
