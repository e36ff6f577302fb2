/* Numbers that training sets to 0 at random, with the probability p, and multiplies by 1 / (1 - p)
 * elsewhere; evaluation leaves them. dropout draws for each number (Srivastava et al. 2014),
 * spatial_dropout for each channel of a sample (Tompson et al. 2015, arXiv 1411.4280; PyTorch's
 * Dropout2d), stochastic_depth for each sample (Huang et al. 2016, arXiv 1603.09382; torchvision's
 * StochasticDepth, mode "row"), which ends the branch that `add` joins to its shortcut.
 *
 * What is drawn depends on the seed, the step, the sample's place in the global batch and the
 * node's name, and is drawn again in backward: nothing is kept. */
#include "../builder.h"

typedef struct {
    float p;
    uint32_t name[2];
} dropout_options;

static const node_option options[] = {
    {"p", OPTION_REAL, offsetof(dropout_options, p), 0, 0.9999, 0.5, NULL, NULL},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    dropout_options *o = n->options;
    uint64_t hash = node_name_hash(n);
    o->name[0] = (uint32_t)hash;
    o->name[1] = (uint32_t)(hash >> 32);
    return builder_same_size(b, n, in);
}

static gyre_status drop(const node_call *c, gyre_drop unit, gyre_act from, gyre_act to) {
    const dropout_options *o = c->node->options;
    gyre_dropout_shape s = {.n = c->n,
                            .first = (uint32_t)c->first,
                            .pixels = (size_t)c->in->h * (size_t)c->in->w,
                            .c = (size_t)c->in->c,
                            .unit = unit,
                            .name = {o->name[0], o->name[1]},
                            .threshold = (uint32_t)((double)o->p * 0x1p32),
                            .factor = 1 / (1 - o->p)};
    return c->ops->dropout(c->queue, &s, c->draws, from, to);
}

static gyre_status forward(const node_call *c, gyre_drop unit) {
    if (c->train) return drop(c, unit, c->x[0], c->y);
    gyre_copy_shape s = {
        (size_t)c->n * (size_t)c->in->h * (size_t)c->in->w, c->in->c, c->in->c, 0, c->in->c, 0};
    return c->ops->copy_columns(c->queue, &s, c->x[0], c->y);
}

#define DROPOUT(type, unit, about)                                                                 \
    static gyre_status type##_forward(const node_call *c) {                                        \
        return forward(c, unit);                                                                   \
    }                                                                                              \
    static gyre_status type##_dx(const node_call *c) {                                             \
        return drop(c, unit, c->dy, c->dx[0]);                                                     \
    }                                                                                              \
    const gyre_node_type node_##type = {.name = #type,                                             \
                                        .summary = about,                                          \
                                        .inputs_min = 1,                                           \
                                        .inputs_max = 1,                                           \
                                        .options_size = sizeof(dropout_options),                   \
                                        .options = options,                                        \
                                        .dx_may_be_dy = true,                                      \
                                        .draws = true,                                             \
                                        .define = define,                                          \
                                        .forward = type##_forward,                                 \
                                        .dx = type##_dx};
DROPOUT(dropout, GYRE_DROP_ELEMENTS,
        "In training, sets numbers to 0 with the probability p and multiplies the others by 1 / (1 "
        "- p).")
DROPOUT(spatial_dropout, GYRE_DROP_CHANNELS, "Dropout of whole channels of a sample.")
DROPOUT(stochastic_depth, GYRE_DROP_SAMPLES, "Dropout of whole samples, at the end of a branch.")
