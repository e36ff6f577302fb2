/* y = factor x + shift: numbers that belong to the network and that no training changes. They are
 * options, or one of each for a channel, which come with a file of weights as frozen statistics do.
 * The operation is that of batch norm in evaluation, with mean 0 and variance 1. */
#include "../builder.h"

typedef struct {
    float factor, shift;
    bool by_channel;
} affine_options;

static const node_option options[] = {
    {"factor", OPTION_REAL, offsetof(affine_options, factor), -INFINITY, INFINITY, 1, NULL, NULL},
    {"shift", OPTION_REAL, offsetof(affine_options, shift), -INFINITY, INFINITY, 0, NULL, NULL},
    {"by_channel", OPTION_BOOL, offsetof(affine_options, by_channel), 0, 1, 0, NULL, NULL},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const affine_options *o = n->options;
    builder_same_size(b, n, in);
    if (!o->by_channel) return b->status;
    builder_statistic(b, n, "factor", in->c, o->factor, 0, true);
    builder_statistic(b, n, "shift", in->c, o->shift, 0, true);
    return b->status;
}

/* The constants: factors, shifts, and the statistics of a batch norm that leaves x as it is. */
static size_t constants_size(const gyre_model *m, const gyre_node *n) {
    (void)m;
    return 2 * node_align_floats((size_t)n->c) + 2 * (size_t)n->c;
}

static gyre_status constants(const gyre_model *m, const gyre_node *n, float *out) {
    const affine_options *o = n->options;
    const size_t c = (size_t)n->c, each = node_align_floats(c);
    float *mean = out + 2 * each;
    (void)m;
    for (size_t i = 0; i < each; i++) {
        out[i] = o->factor;
        out[each + i] = o->shift;
    }
    for (size_t i = 0; i < c; i++) {
        mean[i] = 0;
        mean[c + i] = 1;
    }
    return GYRE_OK;
}

static gyre_f32 factors(const node_call *c) {
    const affine_options *o = c->node->options;
    return o->by_channel ? c->running : c->constants;
}

static gyre_status forward(const node_call *c) {
    const affine_options *o = c->node->options;
    const size_t channels = (size_t)c->in->c, each = node_align_floats(channels);
    const gyre_batch_norm_shape s = {.n = c->n, .h = c->in->h, .w = c->in->w, .c = c->in->c};
    gyre_f32 shifts =
        o->by_channel ? gyre_f32_at(c->running, channels) : gyre_f32_at(c->constants, each);
    /* where all statistics are frozen, the leaf's moments are cleared as a whole */
    if (c->train && o->by_channel && !c->model->norm_frozen)
        GYRE_TRY(c->ops->fill(c->queue, 2 * channels, 0, c->moments));
    return c->ops->batch_norm_eval(c->queue, &s, c->x[0], NULL, factors(c), shifts,
                                   gyre_f32_at(c->constants, 2 * each), NULL, c->y);
}

static gyre_status dx(const node_call *c) {
    const gyre_scale_shape s = {c->n, c->in->h, c->in->w, c->in->c};
    return c->ops->scale(c->queue, &s, c->dy, factors(c), c->dx[0]);
}

const gyre_node_type node_affine = {
    .name = "affine",
    .summary = "A factor and a shift that training leaves as they are: one of each, or with "
               "\"by_channel\" one for each channel, which come with a file of weights.",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(affine_options),
    .options = options,
    .dx_may_be_dy = true,
    .define = define,
    .constants_size = constants_size,
    .constants = constants,
    .forward = forward,
    .dx = dx};
