/* The list of node types. */
#include "node.h"

#include <string.h>

/* A new kind is a file in nodes/ that defines node_NAME, and a line here. */
#define NODE_TYPES(TYPE)                                                                           \
    TYPE(conv)                                                                                     \
    TYPE(linear)                                                                                   \
    TYPE(batch_norm)                                                                               \
    TYPE(relu)                                                                                     \
    TYPE(max_pool)                                                                                 \
    TYPE(average_pool)                                                                             \
    TYPE(lrn)                                                                                      \
    TYPE(shortcut)                                                                                 \
    TYPE(softmax_loss)

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
