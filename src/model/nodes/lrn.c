/* Local response normalisation within a channel, as Caffe has it. A ReLU in front of it is done on
 * the fly: forward reads max(0, x), and dx is masked by x. */
#include "../builder.h"

#include <limits.h>
#include <math.h>

typedef struct {
    int size;
    float alpha, beta;
    bool relu; /* of what it reads */
} lrn_options;

static const node_option options[] = {
    {"size", OPTION_COUNT, offsetof(lrn_options, size), 1, NODE_SIDE_MAX, NAN, NULL, NULL},
    {"alpha", OPTION_REAL, offsetof(lrn_options, alpha), 0, INFINITY, 1, NULL, NULL},
    {"beta", OPTION_REAL, offsetof(lrn_options, beta), 0, INFINITY, 0.75, NULL, NULL},
    {"relu", OPTION_BOOL, offsetof(lrn_options, relu), 0, 1, 0, NULL, NULL},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const lrn_options *o = n->options;
    if (o->size % 2 == 1) return builder_same_size(b, n, in);
    return gyre_fail(GYRE_EUSAGE,
                     "node %s: \"size\": an odd number was expected, as many pixels on each side "
                     "of one; found %d",
                     n->name, o->size);
}

static gyre_lrn_shape shape(const node_call *c) {
    const lrn_options *o = c->node->options;
    return (gyre_lrn_shape){c->n,    c->in->h, c->in->w, c->in->c,
                            o->size, o->alpha, o->beta,  o->relu};
}

static gyre_status forward(const node_call *c) {
    gyre_lrn_shape s = shape(c);
    return c->ops->lrn(c->queue, &s, c->x[0], c->y);
}

static gyre_status dx(const node_call *c) {
    gyre_lrn_shape s = shape(c);
    return c->ops->lrn_dx(c->queue, &s, c->x[0], c->dy, c->dx[0]);
}

const gyre_node_type node_lrn = {
    .name = "lrn",
    .summary = "Local response normalisation within a channel, as Caffe has it.",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(lrn_options),
    .options = options,
    .dx_may_be_dy = true,
    .keeps_x = true,
    .define = define,
    .forward = forward,
    .dx = dx};
