/* Each pixel `factor` times in both directions (nearest neighbour), as decoders have it. */
#include "../builder.h"

enum { FACTOR_MAX = 64 };

typedef struct {
    int factor;
} upsample_options;

static const node_option options[] = {
    {"factor", OPTION_COUNT, offsetof(upsample_options, factor), 1, FACTOR_MAX, 2, NULL, NULL},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const upsample_options *o = n->options;
    (void)b;
    if (in->h > NODE_SIDE_MAX / o->factor || in->w > NODE_SIDE_MAX / o->factor) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: expected at most %d pixels in each direction, found %d x %d "
                         "times %d",
                         n->name, NODE_SIDE_MAX, in->h, in->w, o->factor);
    }
    n->h = in->h * o->factor;
    n->w = in->w * o->factor;
    n->c = in->c;
    return GYRE_OK;
}

static gyre_upsample_shape shape(const node_call *c) {
    const upsample_options *o = c->node->options;
    return (gyre_upsample_shape){c->n, c->in->h, c->in->w, c->in->c, o->factor};
}

static gyre_status forward(const node_call *c) {
    gyre_upsample_shape s = shape(c);
    return c->ops->upsample(c->queue, &s, c->x[0], c->y);
}

static gyre_status dx(const node_call *c) {
    gyre_upsample_shape s = shape(c);
    return c->ops->upsample_dx(c->queue, &s, c->dy, c->dx[0]);
}

const gyre_node_type node_upsample = {
    .name = "upsample",
    .summary = "Each pixel several times in both directions (nearest neighbour).",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(upsample_options),
    .options = options,
    .define = define,
    .forward = forward,
    .dx = dx};
