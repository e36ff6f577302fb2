/* Local response normalisation across channels: ONNX's operator, and the parts that PyTorch's
 * exporters write in its place, as windows over the channels of (N, 1, C, H, W). The whole pattern
 * is put together in pattern_lrn.c. */
#include "attribute.h"
#include "operators.h"
#include <math.h>
#include <string.h>

void onnx_op_lrn(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    int64_t size = onnx_integer(c->node, "size", 0);
    if (!onnx_view_is(&c->in[0]->view, "NCHW") || size < 1 || size > 1024) {
        onnx_refuse(m, c, "gyre's is over 1 to 1024 neighbouring channels");
        return;
    }
    if (size % 2 == 0) {
        onnx_refuse(m, c,
                    "of an even number of channels, %lld here, ONNX has the larger half behind "
                    "the channel and gyre, as PyTorch, in front of it",
                    (long long)size);
        return;
    }
    onnx_layer *l = onnx_give(m, c, "channel_lrn", &c->in[0], 1);
    if (l == NULL) return;
    onnx_option(&m->work, l, "size", (double)size);
    onnx_option(&m->work, l, "alpha", onnx_short(onnx_real(c->node, "alpha", 1e-4)));
    onnx_option(&m->work, l, "beta", onnx_short(onnx_real(c->node, "beta", 0.75)));
    onnx_option(&m->work, l, "k", onnx_short(onnx_real(c->node, "bias", 1)));
}

/* ---- windows over channels */

bool onnx_is_volume(const onnx_value *v) {
    onnx_view four = v->view;
    return four.rank == 5 && onnx_view_remove(&four, 1) && onnx_view_is(&four, "NCHW");
}

onnx_layer *onnx_give_volume(onnx_import *m, onnx_call *c, int64_t channels, int64_t before,
                             int64_t after) {
    const int64_t *size = onnx_size_of(m, c->in[0]);
    onnx_layer *l =
        onnx_give_sized(m, c, NULL, c->in[0], channels, size[ONNX_AXIS_H], size[ONNX_AXIS_W]);
    if (l == NULL) return NULL;
    l->number = NAN;
    l->volume = true;
    l->pads[0] = before;
    l->pads[1] = after;
    if (c->out[0] != NULL) onnx_view_insert(&c->out[0]->view, 1);
    return l;
}

void onnx_lrn_pool(onnx_import *m, onnx_call *c) {
    int64_t size[3], stride[3], dilation[3], pad[6];
    if (!onnx_is_picture(m, c, 0)) return;
    bool read = onnx_integers(c->node, "kernel_shape", 3, 0, size) &&
                onnx_integers(c->node, "strides", 3, 1, stride) &&
                onnx_integers(c->node, "dilations", 3, 1, dilation) &&
                onnx_integers(c->node, "pads", 6, 0, pad);
    bool automatic =
        onnx_attribute(c->node, "auto_pad") != NULL && !onnx_is_text(c->node, "auto_pad", "NOTSET");
    const int64_t padded = read ? pad[0] + pad[3] : 0;
    bool counted = padded == 0 || onnx_integer(c->node, "count_include_pad", 0) != 0;
    bool fits = read && !automatic && counted && onnx_is_volume(c->in[0]) && size[0] >= 1 &&
                size[1] == 1 && size[2] == 1;
    for (int i = 0; fits && i < 3; i++) {
        fits = stride[i] == 1 && dilation[i] == 1 && (i == 0 || pad[i] + pad[3 + i] == 0);
    }
    const int64_t channels =
        fits ? onnx_size_of(m, c->in[0])[ONNX_AXIS_C] + padded - size[0] + 1 : 0;
    if (channels < 1) {
        onnx_refuse(m, c,
                    "gyre pools pictures of two dimensions, and channels as a part of local "
                    "response normalisation alone");
        return;
    }
    onnx_layer *l = onnx_give_volume(m, c, channels, pad[0], pad[3]);
    if (l != NULL) l->number = (double)size[0];
}
