/* A convolution, with a bias and a ReLU behind it if asked for. The ReLU is applied inside forward;
 * backward masks dy by the output first. */
#include "../builder.h"

#include <limits.h>
#include <math.h>

typedef struct {
    int channels, size, stride, pad;
    bool bias, relu;
} conv_options;

static const node_option options[] = {
    {"channels", OPTION_INT, offsetof(conv_options, channels), 1, INT_MAX, NAN, NULL},
    {"size", OPTION_INT, offsetof(conv_options, size), 1, INT_MAX, NAN, NULL},
    {"stride", OPTION_INT, offsetof(conv_options, stride), 1, INT_MAX, 1, NULL},
    {"pad", OPTION_INT, offsetof(conv_options, pad), 0, INT_MAX, 0, NULL},
    {"bias", OPTION_BOOL, offsetof(conv_options, bias), 0, 1, 1, NULL},
    {"relu", OPTION_BOOL, offsetof(conv_options, relu), 0, 1, 0, NULL},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const conv_options *o = n->options;
    const int dims[] = {o->channels, o->size, o->size, in->c};
    n->c = o->channels;
    n->h = gyre_conv_out(in->h, o->size, o->stride, o->pad);
    n->w = gyre_conv_out(in->w, o->size, o->stride, o->pad);
    int fan_in = o->size * o->size * in->c;
    builder_weight(b, n, 4, dims, fan_in, o->size * o->size * o->channels);
    if (o->bias) builder_bias(b, n, o->channels, fan_in);
    return b->status;
}

static gyre_conv_shape shape(const node_call *c) {
    const conv_options *o = c->node->options;
    return (gyre_conv_shape){c->n,    c->in->h,  c->in->w, c->in->c, o->channels,
                             o->size, o->stride, o->pad,   o->bias,  o->relu};
}

static size_t packed_size(const node_call *c) {
    gyre_conv_shape s = shape(c);
    return c->ops->conv_pack_size(c->backend, &s);
}

static gyre_status pack(const node_call *c) {
    gyre_conv_shape s = shape(c);
    return c->ops->conv_pack(c->queue, &s, c->w[0], c->packed);
}

static gyre_status forward(const node_call *c) {
    gyre_conv_shape s = shape(c);
    return c->ops->conv(c->queue, &s, c->x[0], c->packed, c->w[1], c->y);
}

static gyre_status dw(const node_call *c) {
    gyre_conv_shape s = shape(c);
    size_t outputs = (size_t)c->n * node_elements(c->out);
    if (s.relu) GYRE_TRY(c->ops->relu_dx(c->queue, outputs, c->y, c->dy, c->dy));
    if (!c->learns) return GYRE_OK;
    return c->ops->conv_dw(c->queue, &s, c->x[0], c->dy, c->dw[0], c->dw[1]);
}

static gyre_status dx(const node_call *c) {
    gyre_conv_shape s = shape(c);
    return c->ops->conv_dx(c->queue, &s, c->dy, c->packed, c->dx[0]);
}

const gyre_node_type node_conv = {.name = "conv",
                                  .inputs_min = 1,
                                  .inputs_max = 1,
                                  .options_size = sizeof(conv_options),
                                  .options = options,
                                  .keeps_x = true,
                                  .keeps_y = true, /* the ReLU's mask */
                                  .define = define,
                                  .packed_size = packed_size,
                                  .pack = pack,
                                  .flop = node_weight_flop,
                                  .forward = forward,
                                  .dw = dw,
                                  .dx = dx};
