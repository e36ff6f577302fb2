/* Pad: a step that what reads it takes into its own padding, channels around a shortcut, or a part
 * of local response normalisation. */
#include "attribute.h"
#include "operators.h"
#include "pattern.h"
#include <math.h>
#include <string.h>

onnx_value *onnx_unpadded(onnx_import *m, onnx_value *v, int64_t pads[4]) {
    const onnx_layer *l = onnx_layer_of(m, v);
    if (v->view.rank != 4 || !onnx_is_step(l, "Pad") || l->volume) return v;
    onnx_value *in = onnx_take(&m->work, 1, sizeof *in);
    if (in == NULL) return v;
    const onnx_layer *before = onnx_layer_at(m, l->inputs[0]);
    *in = onnx_value_at(m, l->inputs[0], v);
    in->view = onnx_view_of("NCHW", before == NULL ? m->size : before->size);
    for (int i = 0; i < 4; i++) pads[i] = l->pads[i];
    return in;
}

enum { PICTURE = 4, VOLUME = 5 };

/* How much is added in front of each of `rank` dimensions, and then behind each: by all of them, or
 * by those that opset 18 names; false: the call does not say it so. */
static bool read_pads(onnx_import *m, const onnx_call *c, int rank, double out[2 * VOLUME]) {
    const Onnx__AttributeProto *a = onnx_attribute(c->node, "pads");
    onnx_constant *k = onnx_constant_in(c, 1), *which = onnx_constant_in(c, 3);
    const double *given = k == NULL ? NULL : onnx_constant_read(&m->work, k);
    const double *axes = which == NULL ? NULL : onnx_constant_read(&m->work, which);
    const size_t count = which == NULL ? (size_t)rank : which->count;
    const size_t all = k != NULL ? k->count : a != NULL ? a->n_ints : 0;
    unsigned seen = 0;
    memset(out, 0, 2 * (size_t)rank * sizeof *out);
    if (count > (size_t)rank || all != 2 * count || (k != NULL && given == NULL) ||
        (which != NULL && axes == NULL)) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        const double at = axes == NULL ? (double)i : axes[i] < 0 ? axes[i] + rank : axes[i];
        if (!(at >= 0 && at < rank) || (seen >> (int)at & 1) != 0) return false;
        seen |= 1U << (int)at;
        out[(int)at] = given != NULL ? given[i] : (double)a->ints[i];
        out[rank + (int)at] = given != NULL ? given[count + i] : (double)a->ints[count + i];
    }
    return true;
}

/* What is filled in: 0 unless it says another number. */
static bool pads_zeros(onnx_import *m, const onnx_call *c) {
    double number = onnx_real(c->node, "value", 0);
    onnx_constant *k = onnx_constant_in(c, 2);
    if (k != NULL && !onnx_constant_all(&m->work, k, &number)) return false;
    const Onnx__AttributeProto *mode = onnx_attribute(c->node, "mode");
    return number == 0 && (mode == NULL || onnx_is_text(c->node, "mode", "constant"));
}

/* Channels of (N, 1, C, H, W), as LocalResponseNorm has it. */
static void pad_volume(onnx_import *m, onnx_call *c) {
    enum { CHANNELS = 2 };
    double pads[2 * VOLUME];
    bool fits = onnx_is_volume(c->in[0]) && pads_zeros(m, c) && read_pads(m, c, VOLUME, pads);
    for (int i = 0; fits && i < 2 * VOLUME; i++) {
        fits = i % VOLUME == CHANNELS ? pads[i] >= 0 && pads[i] <= INT16_MAX : pads[i] == 0;
    }
    if (!fits) {
        onnx_refuse(m, c, "gyre pads channels as a part of local response normalisation alone");
        return;
    }
    const int64_t before = (int64_t)pads[CHANNELS], after = (int64_t)pads[VOLUME + CHANNELS];
    if (before + after == 0) {
        onnx_give_same(c, c->in[0]);
        return;
    }
    onnx_give_volume(m, c, onnx_size_of(m, c->in[0])[ONNX_AXIS_C] + before + after, before, after);
}

void onnx_op_pad(onnx_import *m, onnx_call *c) {
    double pads[2 * VOLUME];
    if (!onnx_is_picture(m, c, 0)) return;
    for (int k = 1; k <= 3; k++) {
        if (!onnx_may_be_weight(m, c, k)) return;
    }
    if (c->in[0]->view.rank == VOLUME) {
        pad_volume(m, c);
        return;
    }
    bool picture =
        onnx_view_is(&c->in[0]->view, "NCHW") && read_pads(m, c, PICTURE, pads) && pads_zeros(m, c);
    for (int i = 0; picture && i < 2 * PICTURE; i++) picture = pads[i] >= 0 && pads[i] <= INT16_MAX;
    const bool sides = picture && pads[2] + pads[3] + pads[6] + pads[7] > 0;
    const bool channels = picture && pads[1] + pads[5] > 0;
    const bool samples = picture && pads[0] + pads[4] > 0;
    if (picture && !sides && !channels && !samples) {
        onnx_give_same(c, c->in[0]);
        return;
    }
    if (channels && !sides && !samples &&
        onnx_pad_channels(m, c, (int64_t)pads[1], (int64_t)pads[5])) {
        return;
    }
    if (!picture || channels || samples) {
        onnx_refuse(m, c,
                    "gyre pads pictures with zeros alone, in front of a convolution or an average, "
                    "or channels with as many zeros in front as behind");
        return;
    }
    const int64_t *size = onnx_size_of(m, c->in[0]);
    const int64_t now[4] = {(int64_t)pads[2], (int64_t)pads[3], (int64_t)pads[6], (int64_t)pads[7]};
    onnx_layer *l =
        onnx_give_sized(m, c, NULL, c->in[0], size[ONNX_AXIS_C],
                        size[ONNX_AXIS_H] + now[0] + now[2], size[ONNX_AXIS_W] + now[1] + now[3]);
    if (l == NULL) return;
    l->number = NAN;
    memcpy(l->pads, now, sizeof now);
}
