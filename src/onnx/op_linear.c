/* Gemm and MatMul: a linear layer of rows, or of each pixel, which is a convolution of 1 x 1. */
#include "attribute.h"
#include "operators.h"
#include "row.h"

/* It lies as (in, out) in the network that was exported, which has it under its name. */
static bool is_transposed(const onnx_constant *w) {
    return w->transposed && w->tensor != NULL && onnx_told_name(w) != NULL;
}

/* `w` is (out, in). */
static void give_linear(onnx_import *m, onnx_call *c, onnx_constant *w, onnx_constant *bias) {
    onnx_value *in = c->in[0];
    bool hwc;
    if (!onnx_row(m, c, in, &hwc)) return;
    const int64_t *size = onnx_size_of(m, in);
    if (w->dims[1] != size[ONNX_AXIS_C] * size[ONNX_AXIS_H] * size[ONNX_AXIS_W]) {
        onnx_refuse(m, c, "its weights do not fit the %lld values that it reads",
                    (long long)(size[ONNX_AXIS_C] * size[ONNX_AXIS_H] * size[ONNX_AXIS_W]));
        return;
    }
    onnx_layer *l = onnx_give_sized(m, c, "linear", in, w->dims[0], 1, 1);
    if (l == NULL) return;
    onnx_option(&m->work, l, "out", (double)w->dims[0]);
    if (hwc) onnx_option_text(&m->work, l, "order", "hwc");
    if (is_transposed(w)) onnx_option_flag(&m->work, l, "transposed", true);
    onnx_layer_weight(l, "weight", w);
    if (bias != NULL) onnx_layer_weight(l, "bias", bias);
    if (c->out[0] != NULL) c->out[0]->view = onnx_view_of("NC", l->size);
}

/* The last dimension is the channels, whole; those before it are samples and pixels. */
static bool ends_in_channels(onnx_import *m, const onnx_value *v) {
    const int last = v->view.rank - 1;
    if (onnx_size_of(m, v)[ONNX_AXIS_C] == 1)
        return last > 0 && onnx_view_size(&v->view, last) == 1;
    return last > 0 && onnx_view_find(&v->view, ONNX_AXIS_C) == last;
}

/* A row for each pixel of each sample. */
static bool is_of_pixels(onnx_import *m, const onnx_value *v) {
    return v->view.rank > 2 || (ends_in_channels(m, v) && !onnx_view_is(&v->view, "NC"));
}

static void give_pixels(onnx_import *m, onnx_call *c, onnx_constant *w, onnx_constant *bias) {
    const int64_t *size = onnx_size_of(m, c->in[0]);
    onnx_view view = c->in[0]->view;
    if (!ends_in_channels(m, c->in[0]) || w->dims[1] != size[ONNX_AXIS_C] ||
        !onnx_view_end_in_channels(&view, w->dims[0])) {
        onnx_refuse(m, c, "a linear layer of gyre reads rows, or the channels of each pixel");
        return;
    }
    onnx_layer *l =
        onnx_give_sized(m, c, "conv", c->in[0], w->dims[0], size[ONNX_AXIS_H], size[ONNX_AXIS_W]);
    if (l == NULL) return;
    onnx_option(&m->work, l, "channels", (double)w->dims[0]);
    onnx_option(&m->work, l, "size", 1);
    onnx_option_flag(&m->work, l, "dense", true);
    if (is_transposed(w)) onnx_option_flag(&m->work, l, "transposed", true);
    onnx_layer_weight(l, "weight", w);
    if (bias != NULL) onnx_layer_weight(l, "bias", bias);
    if (c->out[0] != NULL) c->out[0]->view = view;
}

void onnx_op_gemm(onnx_import *m, onnx_call *c) {
    onnx_constant *w = onnx_constant_in(c, 1), *bias = onnx_constant_in(c, 2);
    double number;
    if (!onnx_is_picture(m, c, 0) || !onnx_is_weight(m, c, 1) || !onnx_may_be_weight(m, c, 2))
        return;
    bool plain = onnx_real(c->node, "alpha", 1) == 1 && onnx_integer(c->node, "transA", 0) == 0 &&
                 (bias == NULL || onnx_real(c->node, "beta", 1) == 1);
    if (w->rank != 2 || !plain) {
        onnx_refuse(m, c, "only y = x W + b is a linear layer of gyre");
        return;
    }
    if (onnx_integer(c->node, "transB", 0) == 0) w = onnx_constant_transpose(&m->work, w);
    if (w == NULL) return;
    if (bias != NULL && bias->count != (size_t)w->dims[0]) {
        onnx_refuse(m, c, "its bias has %zu numbers for %lld outputs", bias->count,
                    (long long)w->dims[0]);
        return;
    }
    if (bias != NULL && bias->name == NULL && bias->follows_count == 0 &&
        onnx_constant_all(&m->work, bias, &number) && number == 0) {
        bias = NULL;
    }
    if (is_of_pixels(m, c->in[0]))
        give_pixels(m, c, w, bias);
    else
        give_linear(m, c, w, bias);
}

void onnx_op_matmul(onnx_import *m, onnx_call *c) {
    onnx_constant *w = onnx_constant_in(c, 1);
    if (onnx_constant_in(c, 0) != NULL && onnx_adaptive_rows(m, c)) return;
    if (onnx_attention_product(m, c)) return;
    if (!onnx_is_picture(m, c, 0) || !onnx_is_weight(m, c, 1)) return;
    if (w->rank != 2) {
        onnx_refuse(m, c, "its weights have %d dimensions; gyre's have 2", w->rank);
        return;
    }
    if (onnx_adaptive_columns(m, c)) return;
    w = onnx_constant_transpose(&m->work, w);
    if (w == NULL) return;
    if (is_of_pixels(m, c->in[0]))
        give_pixels(m, c, w, NULL);
    else
        give_linear(m, c, w, NULL);
}
