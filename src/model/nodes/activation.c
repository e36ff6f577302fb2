/* Activations but relu, each a type of its own, as PyTorch's modules of these names compute them.
 * Two have a number as an option: leaky_relu's slope, elu's alpha. */
#include "../builder.h"

typedef struct {
    float slope; /* below 0; not negative, so that the sign of y is that of x */
} slope_options;

static const node_option leaky_relu_table[] = {
    {"slope", OPTION_REAL, offsetof(slope_options, slope), 0, 1, 0.01, NULL, NULL},
    {0},
};
static const node_option elu_table[] = {
    {"alpha", OPTION_REAL, offsetof(slope_options, slope), 1e-6, 1e6, 1, NULL, NULL},
    {0},
};

#define HAS_SLOPE(kind) ((kind) == GYRE_ACTIVATION_LEAKY_RELU || (kind) == GYRE_ACTIVATION_ELU)

static gyre_activation_shape shape(const node_call *c, gyre_activation kind) {
    const slope_options *o = c->node->options;
    size_t n = (size_t)c->n * node_elements(c->out);
    return (gyre_activation_shape){n, kind, HAS_SLOPE(kind) ? o->slope : 0};
}

static gyre_status forward(const node_call *c, gyre_activation kind) {
    gyre_activation_shape s = shape(c, kind);
    return c->ops->activation(c->queue, &s, c->x[0], c->y);
}

static gyre_status dx(const node_call *c, gyre_activation kind, gyre_act v) {
    gyre_activation_shape s = shape(c, kind);
    return c->ops->activation_dx(c->queue, &s, v, c->dy, c->dx[0]);
}

/* What backward reads is a member of the call: x, of its first input, or y. */
#define VALUE_x c->x[0]
#define VALUE_y c->y
#define KEEPS_x .keeps_x
#define KEEPS_y .keeps_y
#define OPTIONS_OF(kind)                                                                           \
    ((kind) == GYRE_ACTIVATION_LEAKY_RELU ? leaky_relu_table                                       \
     : (kind) == GYRE_ACTIVATION_ELU      ? elu_table                                              \
                                          : (const node_option *)NULL)
#define SIZE_OF(kind) (HAS_SLOPE(kind) ? sizeof(slope_options) : 0)

#define TYPE(KIND, type, reads, about)                                                             \
    static gyre_status type##_forward(const node_call *c) {                                        \
        return forward(c, GYRE_ACTIVATION_##KIND);                                                 \
    }                                                                                              \
    static gyre_status type##_dx(const node_call *c) {                                             \
        return dx(c, GYRE_ACTIVATION_##KIND, VALUE_##reads);                                       \
    }                                                                                              \
    const gyre_node_type node_##type = {.name = #type,                                             \
                                        .summary = about,                                          \
                                        .inputs_min = 1,                                           \
                                        .inputs_max = 1,                                           \
                                        .options_size = SIZE_OF(GYRE_ACTIVATION_##KIND),           \
                                        .options = OPTIONS_OF(GYRE_ACTIVATION_##KIND),             \
                                        .dx_may_be_dy = true,                                      \
                                        KEEPS_##reads = true,                                      \
                                        .define = builder_same_size,                               \
                                        .forward = type##_forward,                                 \
                                        .dx = type##_dx};
GYRE_ACTIVATIONS(TYPE)
