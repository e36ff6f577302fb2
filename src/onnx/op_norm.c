/* Normalisation. Exporters write the parts of older ones alone: a norm without weights, then Mul
 * and Add by channel, which op_binary.c gives to the norm. */
#include "attribute.h"
#include "operators.h"
#include "row.h"

static bool is_all(onnx_import *m, onnx_constant *k, double number) {
    double found;
    return k == NULL || (onnx_constant_all(&m->work, k, &found) && found == number);
}

/* Of no parameter of the network: PyTorch writes constants where a norm has no weights. */
static bool has_no_weights(onnx_import *m, onnx_constant *scale, onnx_constant *bias) {
    return (scale == NULL || scale->name == NULL) && (bias == NULL || bias->name == NULL) &&
           is_all(m, scale, 1) && is_all(m, bias, 0);
}

static void set_eps(onnx_import *m, onnx_layer *l, const onnx_call *c) {
    double eps = onnx_short(onnx_real(c->node, "epsilon", 1e-5));
    if (eps != 1e-5) onnx_option(&m->work, l, "eps", eps);
}

void onnx_op_batch_norm(onnx_import *m, onnx_call *c) {
    static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};
    if (!onnx_is_picture(m, c, 0)) return;
    onnx_value *in = c->in[0];
    const int64_t *size = onnx_size_of(m, in);
    bool row = in->view.rank == 2 && !onnx_view_is(&in->view, "NC");
    if (row && !onnx_row_of_one(m, c, in)) return;
    if (!onnx_view_is(&in->view, "NC") && !onnx_view_is(&in->view, "NCHW")) {
        onnx_refuse(m, c, "gyre normalises over samples and pixels, for each channel");
        return;
    }
    size = onnx_size_of(m, in);
    for (int k = 1; k <= 4; k++) {
        const onnx_constant *w = onnx_constant_in(c, k);
        if (w != NULL && w->count == (size_t)size[ONNX_AXIS_C]) continue;
        onnx_refuse(m, c, "its %s is not one number for each of %lld channels", names[k - 1],
                    (long long)size[ONNX_AXIS_C]);
        return;
    }
    onnx_layer *l = onnx_give(m, c, "batch_norm", &in, 1);
    if (l == NULL) return;
    /* ONNX has the weight of the past, gyre that of the new */
    double momentum = onnx_short_complement(onnx_real(c->node, "momentum", 0.9));
    set_eps(m, l, c);
    if (momentum != 0.1) onnx_option(&m->work, l, "momentum", momentum);
    for (int k = 1; k <= 4; k++) onnx_layer_weight(l, names[k - 1], onnx_constant_in(c, k));
    l->fixed = has_no_weights(m, onnx_constant_in(c, 1), onnx_constant_in(c, 2));
}

/* Gives weights of the shape (channels), or none. */
static void set_weights(onnx_import *m, onnx_layer *l, onnx_constant *scale, onnx_constant *bias) {
    l->plain = l->fixed = has_no_weights(m, scale, bias);
    if (l->plain) return;
    if (scale != NULL) onnx_layer_weight(l, "weight", scale);
    if (bias != NULL) onnx_layer_weight(l, "bias", bias);
}

static bool fits(const onnx_constant *k, int64_t channels) {
    return k == NULL || k->count == (size_t)channels;
}

void onnx_op_layer_norm(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    onnx_value *in = c->in[0];
    onnx_constant *scale = onnx_constant_in(c, 1), *bias = onnx_constant_in(c, 2);
    int64_t axis = onnx_integer(c->node, "axis", -1), channels = onnx_size_of(m, in)[ONNX_AXIS_C];
    if (in->view.rank == 2 && !onnx_view_is(&in->view, "NC")) {
        if (!onnx_row_of_one(m, c, in)) return;
        channels = onnx_size_of(m, in)[ONNX_AXIS_C];
    }
    int last = in->view.rank - 1;
    bool pixels = (axis == -1 || axis == last) &&
                  (channels == 1 ? onnx_view_size(&in->view, last) == 1
                                 : onnx_view_find(&in->view, ONNX_AXIS_C) == last);
    if (!pixels || !fits(scale, channels) || !fits(bias, channels)) {
        onnx_refuse(m, c, "gyre's layer norm is over the channels of each pixel");
        return;
    }
    onnx_layer *l = onnx_give(m, c, "layer_norm", &in, 1);
    if (l == NULL) return;
    set_eps(m, l, c);
    set_weights(m, l, scale, bias);
}

static void give_group_norm(onnx_import *m, onnx_call *c, int64_t groups, onnx_constant *scale,
                            onnx_constant *bias) {
    onnx_layer *l = onnx_give(m, c, "group_norm", &c->in[0], 1);
    if (l == NULL) return;
    onnx_option(&m->work, l, "groups", (double)groups);
    set_eps(m, l, c);
    set_weights(m, l, scale, bias);
}

void onnx_op_group_norm(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    onnx_constant *scale = onnx_constant_in(c, 1), *bias = onnx_constant_in(c, 2);
    int64_t groups = onnx_integer(c->node, "num_groups", 0);
    int64_t channels = onnx_size_of(m, c->in[0])[ONNX_AXIS_C];
    const onnx_view *v = &c->in[0]->view;
    bool alike = is_all(m, scale, 1) && is_all(m, bias, 0); /* opset 18 has them by group */
    if (groups < 1 || channels % groups != 0 || scale == NULL || bias == NULL ||
        !(onnx_view_is(v, "NCHW") || onnx_view_is(v, "NC")) ||
        !(alike || (fits(scale, channels) && fits(bias, channels)))) {
        onnx_refuse(m, c, "gyre's group norm has a weight and a bias for each channel");
        return;
    }
    if (!fits(scale, channels)) scale = NULL;
    if (!fits(bias, channels)) bias = NULL;
    give_group_norm(m, c, groups, scale, bias);
}

/* (N, groups, the rest of a sample): the parts of a group norm; 0: it is none. */
static int64_t groups_of(const onnx_view *v, int64_t channels) {
    if (v->rank != 3 || v->ends[1] - v->ends[0] != 1) return 0;
    const onnx_atom *a = &v->atoms[v->ends[0]];
    if (a->axis != ONNX_AXIS_C || a->size * a->stride != channels) return 0;
    return v->ends[0] == 0 || v->atoms[0].axis == ONNX_AXIS_N ? a->size : 0;
}

void onnx_op_instance_norm(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    onnx_constant *scale = onnx_constant_in(c, 1), *bias = onnx_constant_in(c, 2);
    int64_t channels = onnx_size_of(m, c->in[0])[ONNX_AXIS_C];
    const onnx_view *v = &c->in[0]->view;
    bool pictures = onnx_view_is(v, "NCHW") && scale != NULL && bias != NULL;
    int64_t groups = groups_of(v, channels);
    if (v->rank == 3 && v->ends[1] == v->ends[0]) groups = 1; /* (N, 1, all) */
    if (pictures && fits(scale, channels) && fits(bias, channels))
        give_group_norm(m, c, channels, scale, bias);
    else if (groups > 0 && is_all(m, scale, 1) && is_all(m, bias, 0))
        give_group_norm(m, c, groups, NULL, NULL);
    else
        onnx_refuse(m, c, "it is no instance norm of channels, nor a part of a group norm");
}
