/* A picture as one row of channels, in the order in which it lies in memory ("hwc"), or channel by
 * channel as PyTorch's flatten has it ("chw"), so that weights behind it need no permutation. */
#include "../builder.h"

#include <limits.h>
#include <stdio.h>

enum { ORDER_HWC, ORDER_CHW };

typedef struct {
    int order;
} flatten_options;

static const char *const orders[] = {"hwc", "chw", NULL};

static const node_option options[] = {
    {"order", OPTION_CHOICE, offsetof(flatten_options, order), 0, 0, ORDER_HWC, orders, NULL},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    size_t all = gyre_size_of(gyre_size_of((size_t)in->h, (size_t)in->w), (size_t)in->c);
    char what[GYRE_NODE_NAME_SIZE + 32];
    (void)b;
    snprintf(what, sizeof what, "node %s: the size of its input", n->name);
    n->h = n->w = 1;
    return gyre_size_narrow(GYRE_EUSAGE, what, all, INT_MAX, &n->c);
}

/* Of all samples: `rows` by `columns` as `from` lies there becomes `columns` by `rows`. */
static gyre_status move(const node_call *c, int rows, int columns, gyre_act from, gyre_act to) {
    const flatten_options *o = c->node->options;
    if (o->order == ORDER_CHW) {
        gyre_transpose_shape s = {c->n, rows, columns};
        return c->ops->transpose(c->queue, &s, from, to);
    }
    gyre_copy_shape s = {(size_t)c->n, c->out.c, c->out.c, 0, c->out.c, 0};
    return c->ops->copy_columns(c->queue, &s, from, to);
}

static gyre_status forward(const node_call *c) {
    return move(c, c->in->h * c->in->w, c->in->c, c->x[0], c->y);
}

static gyre_status dx(const node_call *c) {
    return move(c, c->in->c, c->in->h * c->in->w, c->dy, c->dx[0]);
}

const gyre_node_type node_flatten = {
    .name = "flatten",
    .summary = "A picture as one row of channels; \"chw\" is PyTorch's order.",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(flatten_options),
    .options = options,
    .define = define,
    .forward = forward,
    .dx = dx};
