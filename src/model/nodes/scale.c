/* A learned factor for each channel, which begins as `initial`: the layer scale of CaiT (Touvron et
 * al. 2021, arXiv 2103.17239, 3.1) and ConvNeXt. Or one for all, as in ReZero (Bachlechner et al.
 * 2020, arXiv 2003.04887): the numbers of a picture are then pixels of one channel. */
#include "../builder.h"

typedef struct {
    float initial;
    bool by_channel;
} scale_options;

static const node_option options[] = {
    {"initial", OPTION_REAL, offsetof(scale_options, initial), -INFINITY, INFINITY, 1, NULL, NULL},
    {"by_channel", OPTION_BOOL, offsetof(scale_options, by_channel), 0, 1, 1, NULL, NULL},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const scale_options *o = n->options;
    builder_same_size(b, n, in);
    builder_constant(b, n, 0, "weight", o->by_channel ? in->c : 1, (double)o->initial);
    return b->status;
}

static gyre_scale_shape shape(const node_call *c) {
    const scale_options *o = c->node->options;
    const int w = c->in->w;
    if (o->by_channel) return (gyre_scale_shape){c->n, c->in->h, w, c->in->c};
    return (gyre_scale_shape){c->n, c->in->h, w * c->in->c, 1};
}

static gyre_status forward(const node_call *c) {
    gyre_scale_shape s = shape(c);
    return c->ops->scale(c->queue, &s, c->x[0], c->w[0], c->y);
}

static gyre_status dw(const node_call *c) {
    gyre_scale_shape s = shape(c);
    if (!c->learns) return GYRE_OK;
    return c->ops->scale_dw(c->queue, &s, c->x[0], c->dy, c->dw[0]);
}

static gyre_status dx(const node_call *c) {
    gyre_scale_shape s = shape(c);
    return c->ops->scale(c->queue, &s, c->dy, c->w[0], c->dx[0]);
}

const gyre_node_type node_scale = {.name = "scale",
                                   .summary = "A learned factor for each channel, or one for all.",
                                   .inputs_min = 1,
                                   .inputs_max = 1,
                                   .options_size = sizeof(scale_options),
                                   .options = options,
                                   .dx_may_be_dy = true,
                                   .keeps_x = true,
                                   .define = define,
                                   .dw = dw,
                                   .forward = forward,
                                   .dx = dx};
