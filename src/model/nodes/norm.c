/* Weights and biases of norms, and what stands in their place; see norm.h. */
#include "norm.h"

enum { WEIGHT, BIAS };

void norm_define(builder *b, gyre_node *n, int channels, norm_parts parts) {
    if (parts.affine) builder_vector(b, n, WEIGHT, "weight", channels, GYRE_INIT_ONE);
    if (parts.affine && parts.bias) builder_vector(b, n, BIAS, "bias", channels, GYRE_INIT_ZERO);
}

static bool lacks_any(const gyre_node *n) {
    return n->params[WEIGHT] < 0 || n->params[BIAS] < 0;
}

size_t norm_constants_size(const gyre_model *m, const gyre_node *n) {
    (void)m;
    return lacks_any(n) ? 2 * node_align_floats((size_t)n->c) : 0;
}

gyre_status norm_constants(const gyre_model *m, const gyre_node *n, float *out) {
    const size_t each = node_align_floats((size_t)n->c);
    (void)m;
    for (size_t i = 0; i < each; i++) out[i] = 1;
    memset(out + each, 0, each * sizeof *out);
    return GYRE_OK;
}

size_t norm_saved_size(const node_call *c, size_t floats) {
    if (lacks_any(c->node))
        floats = node_align_floats(floats) + 2 * node_align_floats((size_t)c->in->c);
    return floats * sizeof(float);
}

norm_vectors norm_vectors_of(const node_call *c, size_t floats) {
    const size_t each = node_align_floats((size_t)c->in->c);
    norm_vectors v = {c->w[WEIGHT], c->w[BIAS], c->dw[WEIGHT], c->dw[BIAS]};
    gyre_f32 unread = gyre_f32_at((gyre_f32)(void *)c->saved, node_align_floats(floats));
    if (v.gamma == NULL) {
        v.gamma = c->constants;
        v.dgamma = unread;
    }
    if (v.beta == NULL) {
        v.beta = gyre_f32_at(c->constants, each);
        v.dbeta = gyre_f32_at(unread, each);
    }
    return v;
}
