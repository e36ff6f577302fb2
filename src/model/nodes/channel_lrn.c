/* Local response normalisation across channels, as AlexNet has it (Krizhevsky et al. 2012, 3.3) in
 * the form of PyTorch's LocalResponseNorm and Caffe's ACROSS_CHANNELS: alpha is divided by the
 * window's size. The defaults are PyTorch's. */
#include "../builder.h"

enum { WINDOW_MAX = 1 << 10 };

typedef struct {
    int size;
    float alpha, beta, k;
} channel_lrn_options;

static const node_option options[] = {
    {"size", OPTION_COUNT, offsetof(channel_lrn_options, size), 1, WINDOW_MAX, NAN, NULL, NULL},
    {"alpha", OPTION_REAL, offsetof(channel_lrn_options, alpha), 0, INFINITY, 1e-4, NULL, NULL},
    {"beta", OPTION_REAL, offsetof(channel_lrn_options, beta), 0, INFINITY, 0.75, NULL, NULL},
    {"k", OPTION_REAL, offsetof(channel_lrn_options, k), 0, INFINITY, 1, NULL, NULL},
    {0},
};

static gyre_channel_lrn_shape shape(const node_call *c) {
    const channel_lrn_options *o = c->node->options;
    return (gyre_channel_lrn_shape){c->n,    c->in->h, c->in->w, c->in->c,
                                    o->size, o->alpha, o->beta,  o->k};
}

static gyre_status forward(const node_call *c) {
    gyre_channel_lrn_shape s = shape(c);
    return c->ops->channel_lrn(c->queue, &s, c->x[0], c->y);
}

static gyre_status dx(const node_call *c) {
    gyre_channel_lrn_shape s = shape(c);
    return c->ops->channel_lrn_dx(c->queue, &s, c->x[0], c->dy, c->dx[0]);
}

const gyre_node_type node_channel_lrn = {
    .name = "channel_lrn",
    .summary = "Local response normalisation across channels, as PyTorch has it.",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(channel_lrn_options),
    .options = options,
    .dx_may_be_dy = true,
    .keeps_x = true,
    .define = builder_same_size,
    .forward = forward,
    .dx = dx};
