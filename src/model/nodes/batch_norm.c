/* Batch norm (Ioffe & Szegedy 2015, arXiv 1502.03167): y = act(norm(x) + residual), the residual
 * being a second input. One operation gives all its gradients; the ReLU's mask is in y, so that the
 * residual's gradient needs nothing else. */
#include "norm.h"

#include <string.h>

typedef struct {
    bool relu;
    bool frozen; /* the running statistics stay, and normalise in training, too */
    float eps;
    float momentum; /* of the running statistics: the weight of each step's, as in PyTorch */
    norm_parts parts;
} batch_norm_options;

static const node_option options[] = {
    {"relu", OPTION_BOOL, offsetof(batch_norm_options, relu), 0, 1, 0, NULL, NULL},
    {"eps", OPTION_REAL, offsetof(batch_norm_options, eps), 0, 1, 1e-5, NULL, NULL},
    {"frozen", OPTION_BOOL, offsetof(batch_norm_options, frozen), 0, 1, 0, NULL, NULL},
    {"momentum", OPTION_REAL, offsetof(batch_norm_options, momentum), 0, 1, 0.1, NULL, NULL},
    NORM_OPTIONS(batch_norm_options),
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const batch_norm_options *o = n->options;
    if (n->input_count == 2 && memcmp(&in[0], &in[1], sizeof in[0]) != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: what is added has the size %d x %d x %d, its input %d x %d x %d",
                         n->name, in[1].h, in[1].w, in[1].c, in[0].h, in[0].w, in[0].c);
    }
    builder_same_size(b, n, in);
    norm_define(b, n, in->c, o->parts);
    builder_statistic(b, n, "running_mean", in->c, 0, o->momentum, o->frozen);
    builder_statistic(b, n, "running_var", in->c, 1, o->momentum, o->frozen);
    return b->status;
}

static gyre_batch_norm_shape shape(const node_call *c, bool add) {
    const batch_norm_options *o = c->node->options;
    bool frozen = c->train && (o->frozen || c->model->norm_frozen);
    return (gyre_batch_norm_shape){c->n,   c->in->h, c->in->w, c->in->c,
                                   o->eps, o->relu,  add,      frozen};
}

static size_t kept(const node_call *c) { /* floats */
    return 2 * (size_t)c->in->c;
}

static size_t saved_size(const node_call *c) {
    return norm_saved_size(c, kept(c));
}

static gyre_status forward(const node_call *c) {
    gyre_batch_norm_shape s = shape(c, c->node->input_count == 2);
    gyre_f32 saved = (gyre_f32)(void *)c->saved;
    const norm_vectors v = norm_vectors_of(c, kept(c));
    /* where all are frozen, the leaf's moments are cleared as a whole */
    if (s.frozen && !c->model->norm_frozen) {
        GYRE_TRY(c->ops->fill(c->queue, 2 * (size_t)s.c, 0, c->moments));
    }
    if (c->train && !s.frozen) {
        return c->ops->batch_norm_train(c->queue, &s, c->x[0], c->x[1], v.gamma, v.beta, saved,
                                        c->moments, c->y);
    }
    return c->ops->batch_norm_eval(c->queue, &s, c->x[0], c->x[1], v.gamma, v.beta, c->running,
                                   saved, c->y);
}

static gyre_status dx(const node_call *c) {
    gyre_batch_norm_shape s = shape(c, c->dx[1] != NULL);
    const norm_vectors v = norm_vectors_of(c, kept(c));
    return c->ops->batch_norm_dx(c->queue, &s, c->x[0], c->y, c->dy, v.gamma,
                                 (gyre_f32)(void *)c->saved, c->dx[0], c->dx[1], v.dgamma, v.dbeta);
}

const gyre_node_type node_batch_norm = {
    .name = "batch_norm",
    .summary = "Batch norm over the samples of a shard; a second input is added behind it, before "
               "the ReLU. A frozen one leaves its running statistics as they are and normalises by "
               "them in training, too." NORM_SUMMARY,
    .inputs_min = 1,
    .inputs_max = 2,
    .options_size = sizeof(batch_norm_options),
    .options = options,
    .dx_may_be_dy = true,
    .keeps_x = true,
    .keeps_y = true,
    .define = define,
    .saved_size = saved_size,
    .constants_size = norm_constants_size,
    .constants = norm_constants,
    .forward = forward,
    .dx = dx};
