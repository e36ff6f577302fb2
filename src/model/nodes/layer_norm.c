/* Layer norm (Ba, Kiros & Hinton 2016, arXiv 1607.06450) over the channels of each pixel, as
 * PyTorch's nn.LayerNorm(c) has it for images whose channels come last. One operation gives all its
 * gradients. It sees no other sample, so that training and evaluation are alike. */
#include "../builder.h"

typedef struct {
    float eps;
} layer_norm_options;

static const node_option options[] = {
    {"eps", OPTION_REAL, offsetof(layer_norm_options, eps), 0, 1, 1e-5, NULL, NULL},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    builder_same_size(b, n, in);
    builder_vector(b, n, 0, "weight", in->c, GYRE_INIT_ONE);
    builder_vector(b, n, 1, "bias", in->c, GYRE_INIT_ZERO);
    return b->status;
}

static gyre_layer_norm_shape shape(const node_call *c) {
    const layer_norm_options *o = c->node->options;
    return (gyre_layer_norm_shape){c->n, c->in->h, c->in->w, c->in->c, o->eps};
}

static size_t saved_size(const node_call *c) {
    return 2 * (size_t)c->n * (size_t)c->in->h * (size_t)c->in->w * sizeof(float);
}

static gyre_status forward(const node_call *c) {
    gyre_layer_norm_shape s = shape(c);
    return c->ops->layer_norm(c->queue, &s, c->x[0], c->w[0], c->w[1], (gyre_f32)(void *)c->saved,
                              c->y);
}

static gyre_status dx(const node_call *c) {
    gyre_layer_norm_shape s = shape(c);
    return c->ops->layer_norm_dx(c->queue, &s, c->x[0], c->dy, c->w[0], (gyre_f32)(void *)c->saved,
                                 c->dx[0], c->dw[0], c->dw[1]);
}

const gyre_node_type node_layer_norm = {.name = "layer_norm",
                                        .summary = "Layer norm over the channels of each pixel.",
                                        .inputs_min = 1,
                                        .inputs_max = 1,
                                        .options_size = sizeof(layer_norm_options),
                                        .options = options,
                                        .dx_may_be_dy = true,
                                        .keeps_x = true,
                                        .define = define,
                                        .saved_size = saved_size,
                                        .forward = forward,
                                        .dx = dx};
