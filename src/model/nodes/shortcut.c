/* The shortcut of option A (He et al. 2015, arXiv 1512.03385, 3.3): every stride-th pixel, with
 * zeros for the channels that are new. */
#include "../builder.h"

#include <limits.h>
#include <math.h>

typedef struct {
    int channels, stride;
} shortcut_options;

static const node_option options[] = {
    {"channels", OPTION_INT, offsetof(shortcut_options, channels), 1, INT_MAX, NAN, NULL, NULL},
    {"stride", OPTION_COUNT, offsetof(shortcut_options, stride), 1, NODE_SIDE_MAX, 1, NULL, NULL},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const shortcut_options *o = n->options;
    (void)b;
    if (o->channels < in->c) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: expected at least the %d channels of its input, "
                         "found %d",
                         n->name, in->c, o->channels);
    }
    n->h = gyre_shortcut_out(in->h, o->stride);
    n->w = gyre_shortcut_out(in->w, o->stride);
    n->c = o->channels;
    return GYRE_OK;
}

static gyre_shortcut_shape shape(const node_call *c) {
    const shortcut_options *o = c->node->options;
    return (gyre_shortcut_shape){c->n, c->in->h, c->in->w, c->in->c, o->channels, o->stride};
}

static gyre_status forward(const node_call *c) {
    gyre_shortcut_shape s = shape(c);
    return c->ops->shortcut(c->queue, &s, c->x[0], c->y);
}

static gyre_status dx(const node_call *c) {
    gyre_shortcut_shape s = shape(c);
    return c->ops->shortcut_dx(c->queue, &s, c->dy, c->dx[0]);
}

const gyre_node_type node_shortcut = {.name = "shortcut",
                                      .summary =
                                          "Every stride-th pixel, and zeros for channels that are "
                                          "new: half of them in front (ResNet's option A).",
                                      .inputs_min = 1,
                                      .inputs_max = 1,
                                      .options_size = sizeof(shortcut_options),
                                      .options = options,
                                      .define = define,
                                      .forward = forward,
                                      .dx = dx};
