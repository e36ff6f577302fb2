/* Group norm (Wu & He 2018, arXiv 1803.08494) over a sample's pixels and the channels of a group,
 * as PyTorch's nn.GroupNorm(groups, c) has it. As many groups as channels are instance norm; one
 * group is layer norm over the whole sample. One operation gives all its gradients. It sees no
 * other sample, so that training and evaluation are alike. */
#include "norm.h"

#include <limits.h>

typedef struct {
    int groups;
    float eps;
    bool silu;
    norm_parts parts;
} group_norm_options;

static const node_option options[] = {
    {"groups", OPTION_COUNT, offsetof(group_norm_options, groups), 1, INT_MAX, NAN, NULL, NULL},
    {"eps", OPTION_REAL, offsetof(group_norm_options, eps), 0, 1, 1e-5, NULL, NULL},
    {"silu", OPTION_BOOL, offsetof(group_norm_options, silu), 0, 1, 0, NULL, NULL},
    NORM_OPTIONS(group_norm_options),
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const group_norm_options *o = n->options;
    if (in->c % o->groups != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"groups\": expected a divisor of the %d channels it reads, "
                         "found %d",
                         n->name, in->c, o->groups);
    }
    builder_same_size(b, n, in);
    norm_define(b, n, in->c, o->parts);
    return b->status;
}

static gyre_group_norm_shape shape(const node_call *c) {
    const group_norm_options *o = c->node->options;
    return (gyre_group_norm_shape){c->n, c->in->h, c->in->w, c->in->c, o->groups, o->eps, o->silu};
}

static size_t kept(const node_call *c) { /* floats */
    const group_norm_options *o = c->node->options;
    return 2 * (size_t)c->n * (size_t)o->groups;
}

static size_t saved_size(const node_call *c) {
    return norm_saved_size(c, kept(c));
}

static gyre_status forward(const node_call *c) {
    gyre_group_norm_shape s = shape(c);
    const norm_vectors v = norm_vectors_of(c, kept(c));
    return c->ops->group_norm(c->queue, &s, c->x[0], v.gamma, v.beta, (gyre_f32)(void *)c->saved,
                              c->y);
}

static gyre_status dx(const node_call *c) {
    gyre_group_norm_shape s = shape(c);
    const norm_vectors v = norm_vectors_of(c, kept(c));
    return c->ops->group_norm_dx(c->queue, &s, c->x[0], c->dy, v.gamma, v.beta,
                                 (gyre_f32)(void *)c->saved, c->dx[0], v.dgamma, v.dbeta);
}

const gyre_node_type node_group_norm = {
    .name = "group_norm",
    .summary = "Group norm over the pixels of a sample and the channels of a group; as many groups "
               "as channels are instance norm." NORM_SUMMARY " With \"silu\" it gives x times the "
               "sigmoid of x, as a node silu behind it does, in less time and memory.",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(group_norm_options),
    .options = options,
    .dx_may_be_dy = true,
    .keeps_x = true,
    .define = define,
    .saved_size = saved_size,
    .constants_size = norm_constants_size,
    .constants = norm_constants,
    .forward = forward,
    .dx = dx};
