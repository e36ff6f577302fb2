/* Activations that are operators of ONNX. Those that exporters write as patterns are put together
 * in pattern.c. */
#include "attribute.h"
#include "operators.h"
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

/* Of the classes, as the loss has it. Before opset 13 all axes from this one on were one. */
void onnx_op_softmax(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0) || onnx_attention_softmax(m, c)) return;
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
