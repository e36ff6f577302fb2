/* Conv, and Pad in front of it. */
#include "attribute.h"
#include "operators.h"
#include "window.h"
#include <string.h>

static void set_options(onnx_import *m, onnx_layer *l, const onnx_constant *w, const onnx_window *o,
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
    onnx_window o;
    int64_t more[4] = {0}, groups = onnx_integer(c->node, "group", 1);
    double number;
    if (!onnx_is_picture(m, c, 0) || !onnx_is_weight(m, c, 1) || !onnx_may_be_weight(m, c, 2))
        return;
    onnx_value *in = onnx_unpadded(m, c->in[0], more);
    const int64_t *size = onnx_size_of(m, in);
    static const char why[] = "gyre convolves pictures of two dimensions alone";
    if (!onnx_is_planes(m, c, in, why)) return;
    if (w->rank != 4) {
        onnx_refuse(m, c, "%s", why);
        return;
    }
    if (groups < 1 || w->dims[0] < 1 || w->dims[0] % groups != 0 ||
        size[ONNX_AXIS_C] % groups != 0 || w->dims[1] != size[ONNX_AXIS_C] / groups) {
        onnx_refuse(m, c, "%lld filters of %lld channels in %lld groups do not fit %lld channels",
                    (long long)w->dims[0], (long long)w->dims[1], (long long)groups,
                    (long long)size[ONNX_AXIS_C]);
        return;
    }
    if (!onnx_window_read(m, c, &onnx_size_of(m, c->in[0])[ONNX_AXIS_H], &w->dims[2], &o)) return;
    if (bias != NULL && bias->count != (size_t)w->dims[0]) {
        onnx_refuse(m, c, "its bias has %zu numbers for %lld outputs", bias->count,
                    (long long)w->dims[0]);
        return;
    }
    for (int i = 0; i < 4; i++) o.pad[i] += more[i];
    int64_t h =
        size[ONNX_AXIS_H] + o.pad[WINDOW_TOP] + o.pad[WINDOW_BOTTOM] - onnx_window_extent(&o, 0);
    int64_t wide =
        size[ONNX_AXIS_W] + o.pad[WINDOW_LEFT] + o.pad[WINDOW_RIGHT] - onnx_window_extent(&o, 1);
    if (h < 0 || wide < 0) {
        onnx_refuse(m, c, "its filter is larger than the picture");
        return;
    }
    onnx_layer *l =
        onnx_give_sized(m, c, "conv", in, w->dims[0], h / o.stride[0] + 1, wide / o.stride[1] + 1);
    if (l == NULL) return;
    set_options(m, l, w, &o, groups);
    onnx_layer_weight(l, "weight", w);
    bool none = bias == NULL || (bias->name == NULL && bias->follows_count == 0 &&
                                 onnx_constant_all(&m->work, bias, &number) && number == 0);
    if (!none) onnx_layer_weight(l, "bias", bias);
}
