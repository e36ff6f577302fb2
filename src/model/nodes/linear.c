/* A fully connected layer: it reads a picture in NHWC order as one row. The ReLU behind it is
 * applied inside forward; backward masks dy by the output first. */
#include "../builder.h"

#include "gyre/size.h"
#include <limits.h>
#include <math.h>
#include <stdio.h>

enum { ORDER_CHW, ORDER_HWC };

typedef struct {
    int out, order;
    bool bias, relu, transposed;
} linear_options;

static const char *const orders[] = {"chw", "hwc", NULL};

static const node_option options[] = {
    {"out", OPTION_INT, offsetof(linear_options, out), 1, INT_MAX, NAN, NULL, NULL},
    {"bias", OPTION_BOOL, offsetof(linear_options, bias), 0, 1, 1, NULL, NULL},
    {"relu", OPTION_BOOL, offsetof(linear_options, relu), 0, 1, 0, NULL, NULL},
    {"order", OPTION_CHOICE, offsetof(linear_options, order), 0, 0, ORDER_CHW, orders, NULL},
    {"transposed", OPTION_BOOL, offsetof(linear_options, transposed), 0, 1, 0, NULL, NULL},
    {0},
};

/* The inputs: an int, though images may have more pixels. */
static gyre_status count_inputs(const gyre_model *m, const gyre_node *n, const node_size *in,
                                int *out) {
    size_t all = gyre_size_of(gyre_size_of((size_t)in->h, (size_t)in->w), (size_t)in->c);
    char what[320];
    snprintf(what, sizeof what, "the inputs of layer %s of \"%s\" for images of %dx%d", n->name,
             m->name, m->h, m->w);
    return gyre_size_narrow(GYRE_EUSAGE, what, all, INT_MAX, out);
}

static bool is_flat(const gyre_model *m, const gyre_node *n) {
    const node_size in = node_output(m, n->inputs[0]);
    return n->input_count == 1 && in.h == 1 && in.w == 1 && in.c == n->c && n->params[0] < 0;
}

/* The picture whose values are the inputs in the order (h, w, c): read as it is, or behind a
 * flatten of that order and nodes that keep it. */
static node_size find_picture(const gyre_model *m, const gyre_node *n) {
    int at = n->inputs[0];
    while (at >= 0 && is_flat(m, &m->nodes[at])) at = m->nodes[at].inputs[0];
    if (at < 0 || strcmp(m->nodes[at].type->name, "flatten") != 0) {
        return node_output(m, n->inputs[0]);
    }
    const bool hwc = node_option_value(&m->nodes[at], "order") == 0;
    return hwc ? node_output(m, m->nodes[at].inputs[0]) : node_output(m, at);
}

/* What only PyTorch's network needs to know. */
static gyre_status set_order(const gyre_model *m, const gyre_node *n, gyre_param *weight) {
    const linear_options *o = n->options;
    const node_size read = find_picture(m, n);
    const bool two_orders = (size_t)read.h * (size_t)read.w > 1 && read.c > 1;
    if (o->transposed && o->order == ORDER_CHW && two_orders) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"transposed\": expected with \"order\": \"hwc\" where a layer "
                         "reads a picture of %d x %d with %d channels",
                         n->name, read.h, read.w, read.c);
    }
    weight->picture[0] = read.h;
    weight->picture[1] = read.w;
    weight->picture[2] = read.c;
    weight->torch_hwc = o->order == ORDER_HWC;
    weight->transposed = o->transposed;
    return GYRE_OK;
}

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const linear_options *o = n->options;
    int inputs = 0;
    GYRE_TRY(count_inputs(b->model, n, in, &inputs));
    const int dims[] = {o->out, inputs};
    n->h = n->w = 1;
    n->c = o->out;
    builder_weight(b, n, 2, dims, inputs, o->out);
    if (o->bias) builder_bias(b, n, o->out, inputs);
    if (b->status != GYRE_OK) return b->status;
    if (b->shared[0] > 0) return GYRE_OK; /* the order is its owner's */
    return set_order(b->model, n, &b->model->params[n->params[0]]);
}

static gyre_linear_shape shape(const node_call *c) {
    const linear_options *o = c->node->options;
    return (gyre_linear_shape){c->n, (int)node_elements(c->in[0]), o->out, o->bias, o->relu};
}

static size_t packed_size(const node_call *c) {
    gyre_linear_shape s = shape(c);
    return c->ops->linear_pack_size(c->backend, &s);
}

static gyre_status pack(const node_call *c) {
    gyre_linear_shape s = shape(c);
    return c->ops->linear_pack(c->queue, &s, c->w[0], c->packed);
}

static gyre_status forward(const node_call *c) {
    gyre_linear_shape s = shape(c);
    return c->ops->linear(c->queue, &s, c->x[0], c->packed, c->w[1], c->y);
}

static gyre_status dw(const node_call *c) {
    gyre_linear_shape s = shape(c);
    size_t outputs = (size_t)c->n * node_elements(c->out);
    if (s.relu) GYRE_TRY(c->ops->relu_dx(c->queue, outputs, c->y, c->dy, c->dy));
    if (!c->learns) return GYRE_OK;
    return c->ops->linear_dw(c->queue, &s, c->x[0], c->dy, c->dw[0], c->dw[1]);
}

static gyre_status dx(const node_call *c) {
    gyre_linear_shape s = shape(c);
    return c->ops->linear_dx(c->queue, &s, c->dy, c->packed, c->dx[0]);
}

const gyre_node_type node_linear = {
    .name = "linear",
    .summary =
        "A fully connected layer: it reads a picture as one row, in the order (h, w, c). The "
        "last two options tell how its weight lies in the network of PyTorch that it goes "
        "to and comes from: for a row (c, h, w) or (h, w, c), and \"transposed\": (in, out).",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(linear_options),
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
