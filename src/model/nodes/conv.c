/* A convolution, with a bias and a ReLU behind it if asked for. The ReLU is applied inside forward;
 * backward masks dy by the output first.
 *
 * Sizes, strides and paddings are one number, or one for each direction or side; channels may be in
 * groups, of which each sees its own part of the input (depthwise: as many groups as channels). */
#include "../builder.h"

#include <limits.h>
#include <math.h>

typedef struct {
    int channels, groups;
    int size[2], stride[2], dilation[2]; /* height, width */
    int pad[4];                          /* top, left, bottom, right */
    bool bias, relu;
    bool dense, transposed;
} conv_options;

static const node_option options[] = {
    {"channels", OPTION_INT, offsetof(conv_options, channels), 1, INT_MAX, NAN, NULL, NULL},
    {"size", OPTION_PAIR, offsetof(conv_options, size), 1, NODE_SIDE_MAX, NAN, NULL, NULL},
    {"stride", OPTION_PAIR, offsetof(conv_options, stride), 1, NODE_SIDE_MAX, 1, NULL, NULL},
    {"pad", OPTION_SIDES, offsetof(conv_options, pad), 0, INT_MAX, 0, NULL, NULL},
    {"dilation", OPTION_PAIR, offsetof(conv_options, dilation), 1, 1 << 10, 1, NULL, NULL},
    {"groups", OPTION_COUNT, offsetof(conv_options, groups), 1, INT_MAX, 1, NULL, NULL},
    {"bias", OPTION_BOOL, offsetof(conv_options, bias), 0, 1, 1, NULL, NULL},
    {"relu", OPTION_BOOL, offsetof(conv_options, relu), 0, 1, 0, NULL, NULL},
    {"dense", OPTION_BOOL, offsetof(conv_options, dense), 0, 1, 0, NULL, NULL},
    {"transposed", OPTION_BOOL, offsetof(conv_options, transposed), 0, 1, 0, NULL, NULL},
    {0},
};

static gyre_conv_shape shape_of(const conv_options *o, int n, node_size in) {
    return (gyre_conv_shape){.n = n,
                             .h = in.h,
                             .w = in.w,
                             .c = in.c,
                             .k = o->channels,
                             .r = o->size[0],
                             .s = o->size[1],
                             .stride_h = o->stride[0],
                             .stride_w = o->stride[1],
                             .pad_top = o->pad[0],
                             .pad_left = o->pad[1],
                             .pad_bottom = o->pad[2],
                             .pad_right = o->pad[3],
                             .dilation_h = o->dilation[0],
                             .dilation_w = o->dilation[1],
                             .groups = o->groups,
                             .bias = o->bias,
                             .relu = o->relu};
}

/* A filter that lies on padding alone for some output would need no padding there. */
static gyre_status check_pad(const gyre_node *n, const char *side, int pad, int extent) {
    if (pad < extent) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "node %s: \"pad\": expected less than the filter's %d pixels, found %d (%s)",
                     n->name, extent, pad, side);
}

static gyre_status check(const gyre_node *n, const conv_options *o, node_size in) {
    int extent_h = gyre_conv_extent(o->size[0], o->dilation[0]);
    int extent_w = gyre_conv_extent(o->size[1], o->dilation[1]);
    if (in.c % o->groups != 0 || o->channels % o->groups != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"groups\": expected a divisor of the %d channels it reads and "
                         "of the %d it writes, found %d",
                         n->name, in.c, o->channels, o->groups);
    }
    if (o->dense && (o->groups > 1 || extent_h > 1 || extent_w > 1)) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"dense\": a linear layer for each pixel was expected, of size "
                         "1 and 1 group, found size %d x %d and %d groups",
                         n->name, o->size[0], o->size[1], o->groups);
    }
    if (o->transposed && !o->dense) {
        return gyre_fail(GYRE_EUSAGE, "node %s: \"transposed\": expected with \"dense\": true",
                         n->name);
    }
    int64_t taps = (int64_t)o->size[0] * o->size[1];
    int64_t most = taps * (in.c > o->channels ? in.c : o->channels);
    if (most > INT_MAX) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"size\": expected at most %d weights for a channel, found %lld",
                         n->name, INT_MAX, (long long)most);
    }
    GYRE_TRY(check_pad(n, "top", o->pad[0], extent_h));
    GYRE_TRY(check_pad(n, "left", o->pad[1], extent_w));
    GYRE_TRY(check_pad(n, "bottom", o->pad[2], extent_h));
    GYRE_TRY(check_pad(n, "right", o->pad[3], extent_w));
    int h = in.h + o->pad[0] + o->pad[2], w = in.w + o->pad[1] + o->pad[3];
    if (h >= extent_h && w >= extent_w) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "node %s: \"size\": the filter covers %dx%d pixels, but its input has %dx%d "
                     "with its padding (%dx%d without): expected a smaller filter, more padding or "
                     "larger images",
                     n->name, extent_h, extent_w, h, w, in.h, in.w);
}

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const conv_options *o = n->options;
    GYRE_TRY(check(n, o, *in));
    gyre_conv_shape s = shape_of(o, 1, *in);
    const int dims[] = {s.k, s.r, s.s, s.c / s.groups};
    n->c = s.k;
    n->h = gyre_conv_rows(&s);
    n->w = gyre_conv_columns(&s);
    int fan_in = s.r * s.s * (s.c / s.groups);
    builder_weight(b, n, 4, dims, fan_in, s.r * s.s * s.k);
    gyre_param *weight = b->status == GYRE_OK ? &b->model->params[n->params[0]] : NULL;
    if (weight != NULL && node_owns(n, weight)) {
        weight->dense = o->dense;
        weight->transposed = o->transposed;
    }
    if (o->bias) builder_bias(b, n, o->channels, fan_in);
    return b->status;
}

static gyre_conv_shape shape(const node_call *c) {
    return shape_of(c->node->options, c->n, *c->in);
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

const gyre_node_type node_conv = {
    .name = "conv",
    .summary = "A convolution, with a bias and a ReLU behind it if asked for. Channels may be in "
               "groups, each of which reads its own part of the input's. One of size 1 may be "
               "\"dense\": a linear layer for each pixel, as PyTorch's state_dict has it then; "
               "\"transposed\" with it: its weight is (in, out) there.",
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
