/* Shape structs from the layer list. */
#include "shapes.h"

/* The layer that `l` reads; the images look like a layer, too. */
static gyre_layer input_of(const gyre_model *m, const gyre_layer *l) {
    if (l->input >= 0) return m->layers[l->input];
    return (gyre_layer){.h = m->h, .w = m->w, .c = m->c};
}

gyre_conv_shape shape_of_conv(const gyre_model *m, const gyre_layer *l, int n) {
    gyre_layer x = input_of(m, l);
    return (gyre_conv_shape){n,    x.h,       x.w,    x.c,          l->c,
                             l->r, l->stride, l->pad, l->bias >= 0, l->relu};
}

gyre_linear_shape shape_of_linear(const gyre_model *m, const gyre_layer *l, int n) {
    gyre_layer x = input_of(m, l);
    return (gyre_linear_shape){n, (int)layer_size(&x), l->c, l->bias >= 0, l->relu};
}

gyre_norm_shape shape_of_norm(const gyre_layer *l, int n) {
    const float eps = 1e-5f;
    return (gyre_norm_shape){n, l->h, l->w, l->c, eps, l->relu, l->residual >= 0, false};
}

gyre_pool_shape shape_of_pool(const gyre_model *m, const gyre_layer *l, int n) {
    gyre_layer x = input_of(m, l);
    return (gyre_pool_shape){n, x.h, x.w, x.c, l->r, l->stride, l->pad, l->max, l->ceil};
}

gyre_lrn_shape shape_of_lrn(const gyre_layer *l, int n) {
    return (gyre_lrn_shape){n, l->h, l->w, l->c, l->r, l->alpha, l->beta, l->relu};
}

gyre_shortcut_shape shape_of_shortcut(const gyre_model *m, const gyre_layer *l, int n) {
    gyre_layer x = input_of(m, l);
    return (gyre_shortcut_shape){n, x.h, x.w, x.c, l->c, l->stride};
}
