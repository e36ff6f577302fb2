/* A learned number for each channel that is added to it, or one for all: the numbers of a picture
 * are then pixels of one channel. Forward is batch norm in evaluation, with weight and variance 1
 * and mean 0, as in affine.c. */
#include "../builder.h"

typedef struct {
    float initial;
    bool by_channel;
} bias_options;

static const node_option options[] = {
    {"initial", OPTION_REAL, offsetof(bias_options, initial), -INFINITY, INFINITY, 0, NULL, NULL},
    {"by_channel", OPTION_BOOL, offsetof(bias_options, by_channel), 0, 1, 1, NULL, NULL},
    {0},
};

/* Of the parameter: channels, or 1. */
static size_t count_of(const gyre_node *n) {
    const bias_options *o = n->options;
    return o->by_channel ? (size_t)n->c : 1;
}

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const bias_options *o = n->options;
    builder_same_size(b, n, in);
    builder_constant(b, n, 0, "bias", o->by_channel ? in->c : 1, (double)o->initial);
    return b->status;
}

/* Weights of 1, then means of 0 and variances of 1. */
static size_t constants_size(const gyre_model *m, const gyre_node *n) {
    (void)m;
    return node_align_floats(count_of(n)) + 2 * count_of(n);
}

static gyre_status constants(const gyre_model *m, const gyre_node *n, float *out) {
    const size_t c = count_of(n), each = node_align_floats(c);
    (void)m;
    for (size_t i = 0; i < each; i++) out[i] = 1;
    for (size_t i = 0; i < c; i++) {
        out[each + i] = 0;
        out[each + c + i] = 1;
    }
    return GYRE_OK;
}

static gyre_status forward(const node_call *c) {
    const int count = (int)count_of(c->node), w = c->in->w * (c->in->c / count);
    const gyre_batch_norm_shape s = {.n = c->n, .h = c->in->h, .w = w, .c = count};
    gyre_f32 running = gyre_f32_at(c->constants, node_align_floats((size_t)count));
    return c->ops->batch_norm_eval(c->queue, &s, c->x[0], NULL, c->constants, c->w[0], running,
                                   NULL, c->y);
}

static gyre_status dw(const node_call *c) {
    const int count = (int)count_of(c->node), w = c->in->w * (c->in->c / count);
    const gyre_scale_shape s = {c->n, c->in->h, w, count};
    if (!c->learns) return GYRE_OK;
    return c->ops->scale_dw(c->queue, &s, NULL, c->dy, c->dw[0]);
}

/* dy, where it lies. */
static gyre_status dx(const node_call *c) {
    (void)c;
    return GYRE_OK;
}

const gyre_node_type node_bias = {
    .name = "bias",
    .summary = "A learned number for each channel, or one for all, which is added.",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(bias_options),
    .options = options,
    .dx_may_be_dy = true,
    .define = define,
    .constants_size = constants_size,
    .constants = constants,
    .forward = forward,
    .dw = dw,
    .dx = dx};
