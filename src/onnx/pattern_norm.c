/* Norms that exporters write by their formulas. */
#include "pattern.h"

#include <math.h>
#include <string.h>

static const onnx_layer *input(const onnx_import *m, const onnx_layer *l, int k) {
    return onnx_layer_at(m, l->inputs[k]);
}

/* x - mean(x) over the channels. */
static bool is_centred(const onnx_import *m, int place) {
    const onnx_layer *l = onnx_layer_at(m, place);
    if (!onnx_is_step(l, "Sub") || l->input_count != 2) return false;
    const onnx_layer *mean = input(m, l, 1);
    return onnx_is_step(mean, "ReduceMean") && mean->inputs[0] == l->inputs[0];
}

/* sqrt(mean((x - mean)^2) + eps); NaN: it is not. */
static double deviation(const onnx_import *m, int place, int centred) {
    const onnx_layer *root = onnx_layer_at(m, place);
    bool rooted = onnx_is_step(root, "Sqrt") || (onnx_is_step(root, "Pow") && root->number == 0.5);
    const onnx_layer *sum = rooted ? input(m, root, 0) : NULL;
    if (!onnx_is_step(sum, "Add") || isnan(sum->number)) return NAN;
    const onnx_layer *mean = input(m, sum, 0);
    if (!onnx_is_step(mean, "ReduceMean") || !onnx_pattern_is_square(m, mean->inputs[0], centred))
        return NAN;
    return sum->number;
}

void onnx_pattern_quotient(onnx_import *m, onnx_call *c) {
    const onnx_layer *quotient = onnx_layer_of(m, c->out[0]);
    if (quotient == NULL || quotient->input_count != 2 || onnx_pattern_lrn(m, c)) return;
    int centred = quotient->inputs[0];
    double eps = is_centred(m, centred) ? deviation(m, quotient->inputs[1], centred) : NAN;
    if (!(eps >= 0 && eps <= 1)) return;
    onnx_value in = onnx_value_at(m, onnx_layer_at(m, centred)->inputs[0], c->out[0]);
    onnx_value *only = &in;
    onnx_layer *l = onnx_give(m, c, "layer_norm", &only, 1);
    if (l == NULL) return;
    if (onnx_short(eps) != 1e-5) onnx_option(&m->work, l, "eps", onnx_short(eps));
    l->plain = true;
}
