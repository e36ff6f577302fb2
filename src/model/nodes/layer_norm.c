/* Layer norm (Ba, Kiros & Hinton 2016, arXiv 1607.06450) over the channels of each pixel, as
 * PyTorch's nn.LayerNorm(c) has it for images whose channels come last. One operation gives all its
 * gradients. It sees no other sample, so that training and evaluation are alike. */
#include "norm.h"

typedef struct {
    float eps;
    norm_parts parts;
} layer_norm_options;

static const node_option options[] = {
    {"eps", OPTION_REAL, offsetof(layer_norm_options, eps), 0, 1, 1e-5, NULL, NULL},
    NORM_OPTIONS(layer_norm_options),
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const layer_norm_options *o = n->options;
    builder_same_size(b, n, in);
    norm_define(b, n, in->c, o->parts);
    return b->status;
}

static gyre_layer_norm_shape shape(const node_call *c) {
    const layer_norm_options *o = c->node->options;
    return (gyre_layer_norm_shape){c->n, c->in->h, c->in->w, c->in->c, o->eps};
}

static size_t kept(const node_call *c) { /* floats */
    return 2 * (size_t)c->n * (size_t)c->in->h * (size_t)c->in->w;
}

static size_t saved_size(const node_call *c) {
    return norm_saved_size(c, kept(c));
}

static gyre_status forward(const node_call *c) {
    gyre_layer_norm_shape s = shape(c);
    const norm_vectors v = norm_vectors_of(c, kept(c));
    return c->ops->layer_norm(c->queue, &s, c->x[0], v.gamma, v.beta, (gyre_f32)(void *)c->saved,
                              c->y);
}

static gyre_status dx(const node_call *c) {
    gyre_layer_norm_shape s = shape(c);
    const norm_vectors v = norm_vectors_of(c, kept(c));
    return c->ops->layer_norm_dx(c->queue, &s, c->x[0], c->dy, v.gamma, (gyre_f32)(void *)c->saved,
                                 c->dx[0], v.dgamma, v.dbeta);
}

const gyre_node_type node_layer_norm = {
    .name = "layer_norm",
    .summary = "Layer norm over the channels of each pixel." NORM_SUMMARY,
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(layer_norm_options),
    .options = options,
    .dx_may_be_dy = true,
    .keeps_x = true,
    .define = define,
    .saved_size = saved_size,
    .constants_size = norm_constants_size,
    .constants = norm_constants,
    .forward = forward,
    .dx = dx};
