/* Dropout, as an operator of its own or as the formula that exporters make of it: random numbers
 * that are compared with the probability to keep, divided by it and multiplied with a layer. */
#include "attribute.h"
#include "operators.h"
#include <math.h>

/* Each of noise and value is read along their dimensions: N alone, N and C, or all. */
const char *onnx_noise_type(const onnx_value *noise, const onnx_value *of) {
    const onnx_view *a = &noise->view, *b = &of->view;
    bool samples = a->rank == b->rank, channels = samples, all = samples;
    if (!samples || a->rank == 0) return NULL;
    int place = onnx_view_find(b, ONNX_AXIS_C);
    for (int i = 0; i < b->rank; i++) {
        int64_t x = onnx_view_size(a, i), y = onnx_view_size(b, i);
        samples = samples && x == (i == 0 ? y : 1);
        channels = channels && x == (i == 0 || i == place ? y : 1);
        all = all && x == y;
    }
    return all ? "dropout" : samples ? "stochastic_depth" : channels ? "spatial_dropout" : NULL;
}

void onnx_op_dropout(onnx_import *m, onnx_call *c) {
    double p = onnx_real(c->node, "ratio", 0.5);
    onnx_constant *given = onnx_constant_in(c, 1);
    if (!onnx_is_picture(m, c, 0) || !onnx_may_be_weight(m, c, 1)) return;
    bool known = given == NULL || onnx_constant_all(&m->work, given, &p);
    p = onnx_short(p);
    if (!known || !(p >= 0 && p <= 0.9999)) {
        onnx_refuse(m, c, "gyre drops with a probability of 0 to 0.9999");
        return;
    }
    if (p == 0) {
        onnx_give_same(c, c->in[0]);
        return;
    }
    onnx_layer *l = onnx_give(m, c, "dropout", &c->in[0], 1);
    if (l != NULL && p != 0.5) onnx_option(&m->work, l, "p", p);
}

/* Uniform numbers in the shape of the input. */
void onnx_op_random(onnx_import *m, onnx_call *c) {
    const onnx_value *in = c->in_count > 0 ? c->in[0] : NULL;
    onnx_value *out = c->out[0];
    bool whole = onnx_real(c->node, "low", 0) == 0 && onnx_real(c->node, "high", 1) == 1;
    bool shaped = in != NULL && (in->kind == ONNX_CONSTANT || in->kind == ONNX_PICTURE);
    if (!whole || !shaped || out == NULL) {
        onnx_refuse(m, c, whole && in != NULL ? NULL : "gyre draws for dropout alone");
        return;
    }
    out->kind = ONNX_NOISE;
    out->keep = -1;
    out->factor = 1;
    out->view = in->view;
    if (in->kind == ONNX_PICTURE) return;
    out->view = (onnx_view){.rank = in->constant->rank};
    for (int i = 0; i < out->view.rank; i++) {
        int before = i == 0 ? 0 : out->view.ends[i - 1];
        int64_t size = in->constant->dims[i];
        out->view.ends[i] = before + (size > 1);
        if (size > 1) out->view.atoms[before] = (onnx_atom){ONNX_AXIS_N, size, 1};
    }
}

bool onnx_raise_noise(onnx_import *m, onnx_call *c) {
    const int place = c->in_count == 2 && c->in[0] != NULL && c->in[0]->kind == ONNX_NOISE ? 0 : 1;
    const onnx_value *noise = c->in_count == 2 ? c->in[place] : NULL;
    onnx_constant *k = onnx_constant_in(c, 1 - place);
    double number;
    if (noise == NULL || noise->kind != ONNX_NOISE || noise->keep >= 0 || k == NULL ||
        !onnx_constant_all(&m->work, k, &number)) {
        return false;
    }
    onnx_give_same(c, noise);
    if (c->out[0] != NULL) c->out[0]->raised += number;
    return true;
}

/* floor(keep + x) of a uniform x is 1 with the probability `keep`. */
void onnx_op_floor(onnx_import *m, onnx_call *c) {
    const onnx_value *noise = c->in_count == 1 ? c->in[0] : NULL;
    if (noise == NULL || noise->kind != ONNX_NOISE || noise->keep >= 0 ||
        !(noise->raised > 0 && noise->raised < 1)) {
        onnx_refuse(m, c, "gyre rounds random numbers alone, for dropout");
        return;
    }
    onnx_give_same(c, noise);
    if (c->out[0] != NULL) c->out[0]->keep = noise->raised;
}

void onnx_op_less(onnx_import *m, onnx_call *c) {
    double keep;
    onnx_constant *k = onnx_constant_in(c, 1);
    const onnx_value *noise = c->in_count == 2 ? c->in[0] : NULL;
    if (noise == NULL || noise->kind != ONNX_NOISE || noise->keep >= 0 || noise->raised != 0 ||
        k == NULL || !onnx_constant_all(&m->work, k, &keep)) {
        onnx_refuse(m, c, "gyre compares random numbers alone, for dropout");
        return;
    }
    onnx_give_same(c, noise);
    if (c->out[0] != NULL) c->out[0]->keep = keep;
}
