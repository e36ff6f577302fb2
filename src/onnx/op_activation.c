/* Activations that are operators of ONNX. Those that exporters write as patterns are put together
 * in pattern.c. */
#include "affine.h"
#include "attribute.h"
#include "operators.h"
#include <float.h>
#include <math.h>
#include <string.h>

void onnx_op_activation(onnx_import *m, onnx_call *c) {
    static const char *const names[][2] = {{"Relu", "relu"}, {"Sigmoid", "sigmoid"},
                                           {"Tanh", "tanh"}, {"HardSwish", "hardswish"},
                                           {"Mish", "mish"}, {NULL, NULL}};
    int k = 0;
    if (!onnx_is_picture(m, c, 0)) return;
    while (names[k + 1][0] != NULL && strcmp(names[k][0], c->node->op_type) != 0) k++;
    onnx_give(m, c, names[k][1], &c->in[0], 1);
}

void onnx_op_leaky_relu(onnx_import *m, onnx_call *c) {
    double slope = onnx_short(onnx_real(c->node, "alpha", 0.01));
    if (!onnx_is_picture(m, c, 0)) return;
    if (!(slope >= 0 && slope <= 1)) {
        onnx_refuse(m, c, "gyre's slope is 0 to 1, this one is %g", slope);
        return;
    }
    onnx_layer *l = onnx_give(m, c, "leaky_relu", &c->in[0], 1);
    if (l != NULL && slope != 0.01) onnx_option(&m->work, l, "slope", slope);
}

static onnx_layer *give_elu(onnx_import *m, onnx_call *c, onnx_value *x, double alpha) {
    if (!(alpha >= 0 && alpha <= 1e6)) {
        onnx_refuse(m, c, "gyre's alpha is 0 to 1e6, this one is %g", alpha);
        return NULL;
    }
    onnx_layer *l = onnx_give(m, c, "elu", &x, 1);
    if (l != NULL && alpha != 1) onnx_option(&m->work, l, "alpha", onnx_short(alpha));
    return l;
}

void onnx_op_elu(onnx_import *m, onnx_call *c) {
    if (onnx_is_picture(m, c, 0)) give_elu(m, c, c->in[0], onnx_real(c->node, "alpha", 1));
}

/* A layer that reads the output which the call has so far. */
static void then_affine(onnx_import *m, onnx_call *c, double factor, double shift) {
    if (c->out[0] == NULL || c->out[0]->kind != ONNX_PICTURE) return;
    onnx_value before = *c->out[0], *only = &before;
    onnx_layer *l = onnx_give(m, c, "affine", &only, 1);
    if (l != NULL && factor != 1) onnx_option(&m->work, l, "factor", onnx_short(factor));
    if (l != NULL && shift != 0) onnx_option(&m->work, l, "shift", onnx_short(shift));
}

/* alpha (exp(x / alpha) - 1) below 0 is ELU for alpha 1; else an ELU of x / alpha, times alpha:
 * above 0, too. */
void onnx_op_celu(onnx_import *m, onnx_call *c) {
    double alpha = onnx_real(c->node, "alpha", 1);
    if (!onnx_is_picture(m, c, 0)) return;
    if (!(alpha >= 1e-6 && alpha <= 1e6)) {
        onnx_refuse(m, c, "gyre's alpha is 1e-6 to 1e6, this one is %g", alpha);
        return;
    }
    if (alpha == 1) {
        give_elu(m, c, c->in[0], 1);
        return;
    }
    onnx_value *x = c->in[0];
    onnx_layer *l = onnx_give(m, c, "affine", &x, 1);
    if (l == NULL || c->out[0] == NULL) return;
    onnx_option(&m->work, l, "factor", onnx_short(1 / alpha));
    onnx_value small = *c->out[0];
    give_elu(m, c, &small, 1);
    then_affine(m, c, alpha, 0);
}

/* gamma ELU(x) */
void onnx_op_selu(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    give_elu(m, c, c->in[0], onnx_real(c->node, "alpha", 1.67326319217681884765625));
    then_affine(m, c, onnx_real(c->node, "gamma", 1.05070102214813232421875), 0);
}

/* max(x, 0) + w min(x, 0) = relu(x) - w relu(-x); w is one number, or one for each channel. */
void onnx_op_prelu(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0) || !onnx_is_weight(m, c, 1)) return;
    onnx_value *x = c->in[0], below, above;
    onnx_constant *w = onnx_constant_in(c, 1);
    const bool one = w->count == 1;
    if ((!one && !onnx_by_channel(m, x, w)) || c->out[0] == NULL) {
        onnx_refuse(m, c, "its slope is neither one number, nor one for each channel");
        return;
    }
    if (onnx_give(m, c, "relu", &x, 1) == NULL) return;
    above = *c->out[0];
    onnx_layer *l = onnx_give(m, c, "affine", &x, 1);
    if (l == NULL) return;
    onnx_option(&m->work, l, "factor", -1);
    below = *c->out[0];
    if (onnx_give(m, c, "relu", &(onnx_value *){&below}, 1) == NULL) return;
    then_affine(m, c, -1, 0);
    below = *c->out[0];
    l = onnx_give(m, c, "scale", &(onnx_value *){&below}, 1);
    if (l == NULL) return;
    if (one && onnx_size_of(m, x)[ONNX_AXIS_C] > 1)
        onnx_option_flag(&m->work, l, "by_channel", false);
    onnx_layer_weight(l, "weight", w);
    below = *c->out[0];
    onnx_give(m, c, "add", (onnx_value *const[]){&above, &below}, 2);
}

void onnx_op_gelu(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    bool tanh = onnx_is_text(c->node, "approximate", "tanh");
    onnx_give(m, c, tanh ? "gelu_tanh" : "gelu", &c->in[0], 1);
}

void onnx_op_hard_sigmoid(onnx_import *m, onnx_call *c) {
    double alpha = onnx_real(c->node, "alpha", 0.2), beta = onnx_real(c->node, "beta", 0.5);
    if (!onnx_is_picture(m, c, 0)) return;
    if (fabs(alpha - 1.0 / 6) < 1e-6 && beta == 0.5)
        onnx_give(m, c, "hardsigmoid", &c->in[0], 1);
    else
        onnx_refuse(m, c, "gyre's is x / 6 + 1 / 2, this one %g x + %g", alpha, beta);
}

/* A bound of Clip: an attribute before opset 11, then an input. */
static double bound(onnx_import *m, const onnx_call *c, int k, const char *name, double otherwise) {
    double x = onnx_real(c->node, name, otherwise);
    onnx_constant *given = onnx_constant_in(c, k);
    if (k < c->in_count && c->in[k] != NULL && given == NULL) return NAN;
    if (given != NULL && !onnx_constant_all(&m->work, given, &x)) return NAN;
    return x;
}

/* Between two bounds by relu6 of a picture that was moved there; above one by relu. */
static void give_clipped(onnx_import *m, onnx_call *c, double low, double high) {
    const double largest = FLT_MAX;
    const bool below = low > -largest, above = high < largest;
    const double factor = below && above ? 6 / (high - low) : below ? 1 : -1;
    const double shift = below ? -low * factor : high;
    onnx_value *x = c->in[0];
    if (!below && !above) {
        onnx_give_same(c, x);
        return;
    }
    onnx_layer *l = onnx_give(m, c, "affine", &x, 1);
    if (l == NULL || c->out[0] == NULL) return;
    if (factor != 1) onnx_option(&m->work, l, "factor", onnx_short(factor));
    if (shift != 0) onnx_option(&m->work, l, "shift", onnx_short(shift));
    onnx_value moved = *c->out[0];
    onnx_give(m, c, below && above ? "relu6" : "relu", &(onnx_value *){&moved}, 1);
    then_affine(m, c, 1 / factor, below ? low : high);
}

void onnx_op_clip(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    double low = bound(m, c, 1, "min", -INFINITY), high = bound(m, c, 2, "max", INFINITY);
    if (low == 0 && high == 6)
        onnx_give(m, c, "relu6", &c->in[0], 1);
    else if (low == 0 && high >= 3e38)
        onnx_give(m, c, "relu", &c->in[0], 1);
    else if (low < high)
        give_clipped(m, c, low, high);
    else
        onnx_refuse(m, c, "it clips to %g..%g", low, high);
}

/* Of the classes, as the loss has it. Before opset 13 all axes from this one on were one. */
void onnx_op_softmax(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    const onnx_view *v = &c->in[0]->view;
    const int channels = onnx_view_find(v, ONNX_AXIS_C);
    int64_t axis = onnx_integer(c->node, "axis", m->opset < 13 ? 1 : -1);
    if (axis < 0) axis += v->rank;
    bool fits = channels >= 0 && axis == channels;
    for (int i = channels + 1; m->opset < 13 && i < v->rank; i++) {
        fits = fits && onnx_view_size(v, i) == 1;
    }
    if (fits)
        onnx_give_step(m, c, &c->in[0], 1, NAN);
    else
        onnx_refuse(m, c,
                    "gyre's loss has a softmax over the classes, this one is over another axis");
}

void onnx_op_step(onnx_import *m, onnx_call *c) {
    if (onnx_is_picture(m, c, 0)) onnx_give_step(m, c, &c->in[0], 1, NAN);
}
