/* A layer's shape as the backend wants it, for n images. Internal to src/model. */
#ifndef GYRE_MODEL_SHAPES_H
#define GYRE_MODEL_SHAPES_H

#include "gyre/backend.h"
#include "gyre/model.h"

gyre_conv_shape shape_of_conv(const gyre_model *m, const gyre_layer *l, int n);
gyre_linear_shape shape_of_linear(const gyre_model *m, const gyre_layer *l, int n);
gyre_norm_shape shape_of_norm(const gyre_layer *l, int n);
gyre_pool_shape shape_of_pool(const gyre_model *m, const gyre_layer *l, int n);
gyre_lrn_shape shape_of_lrn(const gyre_layer *l, int n);
gyre_shortcut_shape shape_of_shortcut(const gyre_model *m, const gyre_layer *l, int n);

static inline size_t layer_size(const gyre_layer *l) { /* elements of its output per image */
    return (size_t)l->h * (size_t)l->w * (size_t)l->c;
}

#endif
