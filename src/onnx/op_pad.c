/* Pad: a step that what reads it takes into its own padding, channels around a shortcut, or a part
 * of local response normalisation. */
#include "attribute.h"
#include "operators.h"
#include <math.h>
#include <string.h>

onnx_value *onnx_unpadded(onnx_import *m, onnx_value *v, int64_t pads[4]) {
    const onnx_layer *l = onnx_layer_of(m, v);
    if (v->view.rank != 4 || l == NULL || l->type != NULL || strcmp(l->from->op_type, "Pad") != 0)
        return v;
    onnx_value *in = onnx_take(&m->work, 1, sizeof *in);
    if (in == NULL) return v;
    const onnx_layer *before = onnx_layer_at(m, l->inputs[0]);
    *in = onnx_value_at(m, l->inputs[0], v);
    in->view = onnx_view_of("NCHW", before == NULL ? m->size : before->size);
    for (int i = 0; i < 4; i++) pads[i] = l->pads[i];
    return in;
}

static bool pads_of(onnx_import *m, const onnx_call *c, const double **out) {
    onnx_constant *k = onnx_constant_in(c, 1);
    *out = k == NULL || k->count != 8 ? NULL : onnx_constant_read(&m->work, k);
    return *out != NULL;
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
    enum { RANK = 5, CHANNELS = 2 };
    onnx_constant *k = onnx_constant_in(c, 1);
    const double *pads = k == NULL || k->count != 2 * RANK ? NULL : onnx_constant_read(&m->work, k);
    bool fits = pads != NULL && onnx_is_volume(c->in[0]) && pads_zeros(m, c);
    for (int i = 0; fits && i < 2 * RANK; i++) {
        fits = i % RANK == CHANNELS ? pads[i] >= 0 && pads[i] <= INT16_MAX : pads[i] == 0;
    }
    if (!fits) {
        onnx_refuse(m, c, "gyre pads channels as a part of local response normalisation alone");
        return;
    }
    const int64_t before = (int64_t)pads[CHANNELS], after = (int64_t)pads[RANK + CHANNELS];
    onnx_give_volume(m, c, onnx_size_of(m, c->in[0])[ONNX_AXIS_C] + before + after, before, after);
}

void onnx_op_pad(onnx_import *m, onnx_call *c) {
    const double *pads = NULL;
    double old[8];
    const Onnx__AttributeProto *a = onnx_attribute(c->node, "pads");
    if (!onnx_is_picture(m, c, 0)) return;
    if (c->in[0]->view.rank == 5) {
        pad_volume(m, c);
        return;
    }
    if (a != NULL && a->n_ints == 8) {
        for (int i = 0; i < 8; i++) old[i] = (double)a->ints[i];
        pads = old;
    }
    bool known = pads != NULL || pads_of(m, c, &pads);
    bool picture = onnx_view_is(&c->in[0]->view, "NCHW") && known && pads_zeros(m, c);
    for (int i = 0; picture && i < 8; i++) picture = pads[i] >= 0 && pads[i] <= INT16_MAX;
    const bool sides = picture && pads[2] + pads[3] + pads[6] + pads[7] > 0;
    const bool channels = picture && pads[1] + pads[5] > 0;
    if (channels && !sides && pads[0] + pads[4] == 0 &&
        onnx_pad_channels(m, c, (int64_t)pads[1], (int64_t)pads[5])) {
        return;
    }
    if (!picture || pads[0] + pads[1] + pads[4] + pads[5] > 0) {
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
    l->why = "gyre pads pictures in front of a convolution or an average alone";
    memcpy(l->pads, now, sizeof now);
}
