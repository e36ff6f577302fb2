/* Learned positions (Dosovitskiy et al. 2021, arXiv 2010.11929, 3.1): a parameter with a number for
 * each channel of each pixel, added to every sample. It begins as N(0, 0.02). */
#include "../builder.h"

#include <string.h>

enum { ORDER_HWC, ORDER_CHW };

typedef struct {
    int order;
} positions_options;

static const char *const orders[] = {"hwc", "chw", NULL};

static const node_option options[] = {
    {"order", OPTION_CHOICE, offsetof(positions_options, order), 0, 0, ORDER_HWC, orders, NULL},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const int dims[] = {in->h, in->w, in->c};
    const positions_options *o = n->options;
    builder_same_size(b, n, in);
    builder_normal(b, n, 0, "weight", 3, dims, 0.02);
    if (b->status != GYRE_OK || b->shared[0] > 0 || o->order == ORDER_HWC) return b->status;
    memcpy(b->model->params[n->params[0]].picture, dims, sizeof dims);
    return GYRE_OK;
}

static gyre_positions_shape shape(const node_call *c) {
    return (gyre_positions_shape){c->n, c->in->h, c->in->w, c->in->c};
}

static gyre_status forward(const node_call *c) {
    const gyre_positions_shape s = shape(c);
    return c->ops->positions(c->queue, &s, c->x[0], c->w[0], c->y);
}

static gyre_status dw(const node_call *c) {
    const gyre_positions_shape s = shape(c);
    if (!c->learns) return GYRE_OK;
    return c->ops->positions_dw(c->queue, &s, c->dy, c->dw[0]);
}

/* dy, where it lies. */
static gyre_status dx(const node_call *c) {
    (void)c;
    return GYRE_OK;
}

const gyre_node_type node_positions = {
    .name = "positions",
    .summary = "A learned number for each channel of each pixel, which is added to every sample. "
               "\"order\": how it lies in the network of PyTorch that it goes to and comes from.",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(positions_options),
    .options = options,
    .dx_may_be_dy = true,
    .define = define,
    .forward = forward,
    .dw = dw,
    .dx = dx};
