/* Group norm (Wu & He 2018, arXiv 1803.08494) over a sample's pixels and the channels of a group,
 * as PyTorch's nn.GroupNorm(groups, c) has it. As many groups as channels are instance norm; one
 * group is layer norm over the whole sample. One operation gives all its gradients. It sees no
 * other sample, so that training and evaluation are alike. */
#include "../builder.h"

#include <limits.h>

typedef struct {
    int groups;
    float eps;
} group_norm_options;

static const node_option options[] = {
    {"groups", OPTION_COUNT, offsetof(group_norm_options, groups), 1, INT_MAX, NAN, NULL, NULL},
    {"eps", OPTION_REAL, offsetof(group_norm_options, eps), 0, 1, 1e-5, NULL, NULL},
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
    builder_vector(b, n, 0, "weight", in->c, GYRE_INIT_ONE);
    builder_vector(b, n, 1, "bias", in->c, GYRE_INIT_ZERO);
    return b->status;
}

static gyre_group_norm_shape shape(const node_call *c) {
    const group_norm_options *o = c->node->options;
    return (gyre_group_norm_shape){c->n, c->in->h, c->in->w, c->in->c, o->groups, o->eps};
}

static size_t saved_size(const node_call *c) {
    const group_norm_options *o = c->node->options;
    return 2 * (size_t)c->n * (size_t)o->groups * sizeof(float);
}

static gyre_status forward(const node_call *c) {
    gyre_group_norm_shape s = shape(c);
    return c->ops->group_norm(c->queue, &s, c->x[0], c->w[0], c->w[1], (gyre_f32)(void *)c->saved,
                              c->y);
}

static gyre_status dx(const node_call *c) {
    gyre_group_norm_shape s = shape(c);
    return c->ops->group_norm_dx(c->queue, &s, c->x[0], c->dy, c->w[0], (gyre_f32)(void *)c->saved,
                                 c->dx[0], c->dw[0], c->dw[1]);
}

const gyre_node_type node_group_norm = {
    .name = "group_norm",
    .summary = "Group norm over the pixels of a sample and the channels of a group; as many groups "
               "as channels are instance norm.",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(group_norm_options),
    .options = options,
    .dx_may_be_dy = true,
    .keeps_x = true,
    .define = define,
    .saved_size = saved_size,
    .forward = forward,
    .dx = dx};
