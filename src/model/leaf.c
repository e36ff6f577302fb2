/* A leaf's parts: [gradient | batch-norm moments | loss, right], each on a 64-byte boundary. */
#include "gyre/net.h"

static size_t align(size_t floats) {
    return (floats + 15) / 16 * 16;
}

size_t gyre_leaf_moments(const gyre_model *m) {
    return align(m->parameters);
}

size_t gyre_leaf_stats(const gyre_model *m) {
    return gyre_leaf_moments(m) + align(m->buffers);
}

size_t gyre_leaf_size(const gyre_model *m) {
    return gyre_leaf_stats(m) + 16;
}
