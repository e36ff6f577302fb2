/* Conv, and Pad in front of it. */
#include "attribute.h"
#include "operators.h"
#include <math.h>
#include <string.h>

enum { TOP, LEFT, BOTTOM, RIGHT };

typedef struct {
    int64_t size[2], stride[2], dilation[2], pad[4];
} window;

static int64_t extent(const window *o, int k) {
    return (o->size[k] - 1) * o->dilation[k] + 1;
}

/* Padding that makes the output as large as the input divided by the stride. */
static void pad_same(window *o, const int64_t in[2], bool upper) {
    for (int k = 0; k < 2; k++) {
        int64_t out = (in[k] + o->stride[k] - 1) / o->stride[k];
        int64_t all = (out - 1) * o->stride[k] + extent(o, k) - in[k];
        if (all < 0) all = 0;
        o->pad[TOP + k] = upper ? all / 2 : all - all / 2;
        o->pad[BOTTOM + k] = all - o->pad[TOP + k];
    }
}

static bool read_window(const onnx_call *c, const onnx_constant *w, const int64_t in[2],
                        window *o) {
    o->size[0] = w->dims[2];
    o->size[1] = w->dims[3];
    bool read = onnx_integers(c->node, "strides", 2, 1, o->stride) &&
                onnx_integers(c->node, "dilations", 2, 1, o->dilation) &&
                onnx_integers(c->node, "pads", 4, 0, o->pad);
    if (!read || o->stride[0] < 1 || o->stride[1] < 1) return false;
    if (extent(o, 0) > INT32_MAX || extent(o, 1) > INT32_MAX) return false;
    bool upper = onnx_is_text(c->node, "auto_pad", "SAME_UPPER");
    if (upper || onnx_is_text(c->node, "auto_pad", "SAME_LOWER")) pad_same(o, in, upper);
    if (onnx_is_text(c->node, "auto_pad", "VALID")) memset(o->pad, 0, sizeof o->pad);
    return true;
}

static void set_options(onnx_import *m, onnx_layer *l, const onnx_constant *w, const window *o,
                        int64_t groups) {
    static const int64_t ones[2] = {1, 1}, zeros[4] = {0};
    onnx_option(&m->work, l, "channels", (double)w->dims[0]);
    onnx_option_list(&m->work, l, "size", o->size, 2);
    if (memcmp(o->stride, ones, sizeof ones) != 0)
        onnx_option_list(&m->work, l, "stride", o->stride, 2);
    if (memcmp(o->pad, zeros, sizeof zeros) != 0) onnx_option_list(&m->work, l, "pad", o->pad, 4);
    if (memcmp(o->dilation, ones, sizeof ones) != 0)
        onnx_option_list(&m->work, l, "dilation", o->dilation, 2);
    if (groups != 1) onnx_option(&m->work, l, "groups", (double)groups);
}

void onnx_op_conv(onnx_import *m, onnx_call *c) {
    onnx_constant *w = onnx_constant_in(c, 1), *bias = onnx_constant_in(c, 2);
    window o;
    int64_t more[4] = {0}, groups = onnx_integer(c->node, "group", 1);
    double number;
    if (!onnx_is_picture(m, c, 0)) return;
    if (w == NULL || (c->in_count > 2 && c->in[2] != NULL && bias == NULL)) {
        onnx_refuse(m, c, "its weights are computed from the input");
        return;
    }
    onnx_value *in = onnx_unpadded(m, c->in[0], more);
    const int64_t *size = onnx_size_of(m, in);
    if (w->rank != 4 || !onnx_view_is(&in->view, "NCHW")) {
        onnx_refuse(m, c, "gyre convolves pictures of two dimensions alone");
        return;
    }
    if (!read_window(c, w, &size[ONNX_AXIS_H], &o) || groups < 1 || w->dims[0] < 1 ||
        w->dims[1] != size[ONNX_AXIS_C] / groups || size[ONNX_AXIS_C] % groups != 0) {
        onnx_refuse(m, c, "its weights or attributes do not fit %lld channels",
                    (long long)size[ONNX_AXIS_C]);
        return;
    }
    if (bias != NULL && bias->count != (size_t)w->dims[0]) {
        onnx_refuse(m, c, "its bias has %zu numbers for %lld outputs", bias->count,
                    (long long)w->dims[0]);
        return;
    }
    for (int i = 0; i < 4; i++) o.pad[i] += more[i];
    int64_t h = size[ONNX_AXIS_H] + o.pad[TOP] + o.pad[BOTTOM] - extent(&o, 0);
    int64_t wide = size[ONNX_AXIS_W] + o.pad[LEFT] + o.pad[RIGHT] - extent(&o, 1);
    if (h < 0 || wide < 0) {
        onnx_refuse(m, c, "its filter is larger than the picture");
        return;
    }
    onnx_layer *l =
        onnx_give_sized(m, c, "conv", in, w->dims[0], h / o.stride[0] + 1, wide / o.stride[1] + 1);
    if (l == NULL) return;
    set_options(m, l, w, &o, groups);
    onnx_layer_weight(l, "weight", w);
    bool none = bias == NULL ||
                (bias->name == NULL && onnx_constant_all(&m->work, bias, &number) && number == 0);
    if (!none) onnx_layer_weight(l, "bias", bias);
}
