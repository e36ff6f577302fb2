/* The average of a given number of bins, whatever the size of the picture: PyTorch's
 * AdaptiveAvgPool2d. Bins may overlap, or be smaller than a pixel is wide. */
#include "../builder.h"

typedef struct {
    int bins[2]; /* height, width */
} adaptive_pool_options;

static const node_option options[] = {
    {"bins", OPTION_PAIR, offsetof(adaptive_pool_options, bins), 1, NODE_SIDE_MAX, 1, NULL, NULL},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const adaptive_pool_options *o = n->options;
    (void)b;
    n->h = o->bins[0];
    n->w = o->bins[1];
    n->c = in->c;
    return GYRE_OK;
}

static gyre_adaptive_pool_shape shape(const node_call *c) {
    return (gyre_adaptive_pool_shape){c->n, c->in->h, c->in->w, c->in->c, c->out.h, c->out.w};
}

static gyre_status forward(const node_call *c) {
    gyre_adaptive_pool_shape s = shape(c);
    return c->ops->adaptive_pool(c->queue, &s, c->x[0], c->y);
}

static gyre_status dx(const node_call *c) {
    gyre_adaptive_pool_shape s = shape(c);
    return c->ops->adaptive_pool_dx(c->queue, &s, c->dy, c->dx[0]);
}

const gyre_node_type node_adaptive_average_pool = {
    .name = "adaptive_average_pool",
    .summary =
        "Averages of a given number of bins, whatever the size of the picture; PyTorch's bins.",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(adaptive_pool_options),
    .options = options,
    .define = define,
    .forward = forward,
    .dx = dx};
