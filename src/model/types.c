/* The list of node types, and of the losses among them. */
#include "node.h"

#include <string.h>

/* A new kind is a file in nodes/ that defines node_NAME, and a line here. */
#define NODE_TYPES(TYPE)                                                                           \
    TYPE(conv)                                                                                     \
    TYPE(linear)                                                                                   \
    TYPE(batch_norm)                                                                               \
    TYPE(layer_norm)                                                                               \
    TYPE(group_norm)                                                                               \
    TYPE(attention)                                                                                \
    TYPE(relu)                                                                                     \
    TYPE(relu6)                                                                                    \
    TYPE(leaky_relu)                                                                               \
    TYPE(elu)                                                                                      \
    TYPE(sigmoid)                                                                                  \
    TYPE(tanh)                                                                                     \
    TYPE(gelu)                                                                                     \
    TYPE(gelu_tanh)                                                                                \
    TYPE(silu)                                                                                     \
    TYPE(mish)                                                                                     \
    TYPE(hardsigmoid)                                                                              \
    TYPE(hardswish)                                                                                \
    TYPE(add)                                                                                      \
    TYPE(mul)                                                                                      \
    TYPE(geglu)                                                                                    \
    TYPE(positions)                                                                                \
    TYPE(scale)                                                                                    \
    TYPE(bias)                                                                                     \
    TYPE(affine)                                                                                   \
    TYPE(concat)                                                                                   \
    TYPE(flatten)                                                                                  \
    TYPE(upsample)                                                                                 \
    TYPE(dropout)                                                                                  \
    TYPE(latent)                                                                                   \
    TYPE(diffuse)                                                                                  \
    TYPE(time)                                                                                     \
    TYPE(context)                                                                                  \
    TYPE(embedding)                                                                                \
    TYPE(spatial_dropout)                                                                          \
    TYPE(stochastic_depth)                                                                         \
    TYPE(max_pool)                                                                                 \
    TYPE(average_pool)                                                                             \
    TYPE(adaptive_average_pool)                                                                    \
    TYPE(lrn)                                                                                      \
    TYPE(channel_lrn)                                                                              \
    TYPE(shortcut)                                                                                 \
    TYPE(cross_entropy)                                                                            \
    TYPE(one_hot_squared_error)                                                                    \
    TYPE(mean_squared_error)                                                                       \
    TYPE(mean_absolute_error)                                                                      \
    TYPE(huber)                                                                                    \
    TYPE(binary_cross_entropy)                                                                     \
    TYPE(denoise)

#define DECLARATION(name) extern const gyre_node_type node_##name;
NODE_TYPES(DECLARATION)

#define POINTER(name) &node_##name,
static const gyre_node_type *const types[] = {NODE_TYPES(POINTER) NULL};

const gyre_node_type *node_type_at(int index) {
    int count = (int)(sizeof types / sizeof types[0]);
    return index >= 0 && index < count ? types[index] : NULL;
}

const gyre_node_type *node_type_named(const char *name) {
    for (int i = 0; types[i] != NULL; i++) {
        if (strcmp(types[i]->name, name) == 0) return types[i];
    }
    return NULL;
}

static const gyre_node_type *loss_at(int index) {
    for (int i = 0; types[i] != NULL; i++) {
        if (types[i]->is_loss && index-- == 0) return types[i];
    }
    return NULL;
}

const char *gyre_model_loss(int index) {
    const gyre_node_type *type = loss_at(index);
    return type == NULL ? NULL : type->name;
}

const char *gyre_model_loss_summary(int index) {
    const gyre_node_type *type = loss_at(index);
    return type == NULL ? NULL : type->summary;
}
