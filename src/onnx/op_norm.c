/* Normalisation. Exporters write the parts of older ones alone: a norm without weights, then Mul
 * and Add by channel, which op_binary.c gives to the norm. */
#include "attribute.h"
#include "operators.h"
#include "row.h"
#include <string.h>

static bool is_all(onnx_import *m, onnx_constant *k, double number) {
    double found;
    return k == NULL || (onnx_constant_all(&m->work, k, &found) && found == number);
}

/* Numbers in the place of a parameter: PyTorch's exporters write them where a norm has none. */
static bool is_filler(onnx_import *m, onnx_constant *k, double number) {
    return k != NULL && onnx_parameter_of(k) == NULL && is_all(m, k, number);
}

/* The weights that it has, of the shape (channels). */
static void set_weights(onnx_import *m, onnx_layer *l, onnx_constant *scale, onnx_constant *bias) {
    if (scale != NULL && !is_filler(m, scale, 1)) onnx_layer_weight(l, "weight", scale);
    if (bias != NULL && !is_filler(m, bias, 0)) onnx_layer_weight(l, "bias", bias);
}

static void set_eps(onnx_import *m, onnx_layer *l, const onnx_call *c) {
    double eps = onnx_short(onnx_real(c->node, "epsilon", 1e-5));
    if (eps != 1e-5) onnx_option(&m->work, l, "eps", eps);
}

/* ONNX has the weight of the past, gyre that of the new. Of 1 and 0, the statistics would stay as
 * they are, or be the last batch's: exporters write so where PyTorch averages over all batches. */
static void set_momentum(onnx_import *m, onnx_layer *l, const onnx_call *c) {
    double momentum = onnx_short_complement(onnx_real(c->node, "momentum", 0.9));
    bool usable = momentum > 0 && momentum < 1;
    m->no_momentum = m->no_momentum || !usable;
    if (usable && momentum != 0.1) onnx_option(&m->work, l, "momentum", momentum);
}

void onnx_op_batch_norm(onnx_import *m, onnx_call *c) {
    static const char *const names[] = {"weight", "bias", "running_mean", "running_var"};
    if (!onnx_is_picture(m, c, 0)) return;
    onnx_value *in = c->in[0];
    bool row = in->view.rank == 2 && !onnx_view_is(&in->view, "NC");
    if (row && !onnx_row_of_one(m, c, in)) return;
    if (!onnx_view_is(&in->view, "NC") && !onnx_view_is(&in->view, "NCHW")) {
        onnx_refuse(m, c, "gyre normalises over samples and pixels, for each channel");
        return;
    }
    const int64_t *size = onnx_size_of(m, in);
    for (int k = 1; k <= 4; k++) {
        if (!onnx_is_weight(m, c, k)) return;
        if (onnx_constant_in(c, k)->count == (size_t)size[ONNX_AXIS_C]) continue;
        onnx_refuse(m, c, "its %s is not one number for each of %lld channels", names[k - 1],
                    (long long)size[ONNX_AXIS_C]);
        return;
    }
    onnx_layer *l = onnx_give(m, c, "batch_norm", &in, 1);
    if (l == NULL) return;
    set_eps(m, l, c);
    set_momentum(m, l, c);
    set_weights(m, l, onnx_constant_in(c, 1), onnx_constant_in(c, 2));
    for (int k = 3; k <= 4; k++) onnx_layer_weight(l, names[k - 1], onnx_constant_in(c, k));
}

static bool fits(const onnx_constant *k, int64_t channels) {
    return k == NULL || k->count == (size_t)channels;
}

void onnx_op_layer_norm(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0) || !onnx_may_be_weight(m, c, 1) || !onnx_may_be_weight(m, c, 2))
        return;
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
    l->plain = l->weight_count == 0;
}

static void give_group_norm(onnx_import *m, onnx_call *c, int64_t groups, onnx_constant *scale,
                            onnx_constant *bias) {
    onnx_layer *l = onnx_give(m, c, "group_norm", &c->in[0], 1);
    if (l == NULL) return;
    onnx_option(&m->work, l, "groups", (double)groups);
    set_eps(m, l, c);
    set_weights(m, l, scale, bias);
    l->plain = l->weight_count == 0;
}

void onnx_op_group_norm(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0) || !onnx_is_weight(m, c, 1) || !onnx_is_weight(m, c, 2)) return;
    onnx_constant *scale = onnx_constant_in(c, 1), *bias = onnx_constant_in(c, 2);
    int64_t groups = onnx_integer(c->node, "num_groups", 0);
    int64_t channels = onnx_size_of(m, c->in[0])[ONNX_AXIS_C];
    const onnx_view *v = &c->in[0]->view;
    bool alike = is_all(m, scale, 1) && is_all(m, bias, 0); /* opset 18 has them by group */
    if (groups < 1 || channels % groups != 0 ||
        !(onnx_view_is(v, "NCHW") || onnx_view_is(v, "NC")) ||
        !(alike || (fits(scale, channels) && fits(bias, channels)))) {
        onnx_refuse(m, c, "gyre's group norm has a weight and a bias for each channel");
        return;
    }
    if (!fits(scale, channels)) scale = NULL;
    if (!fits(bias, channels)) bias = NULL;
    give_group_norm(m, c, groups, scale, bias);
}

/* The groups of a group norm whose sums go over the last of three dimensions; 0: it is none. The
 * other two are N and the groups, which may lie in either, and nothing else. */
static int64_t groups_of(const onnx_view *v, int64_t channels) {
    if (v->rank != 3) return 0;
    const int end = v->ends[1], first = end > 0 && v->atoms[0].axis == ONNX_AXIS_N ? 1 : 0;
    if (first == end) return 1; /* (N, 1, all) */
    const onnx_atom *a = &v->atoms[first];
    bool groups = first + 1 == end && a->axis == ONNX_AXIS_C && a->size * a->stride == channels;
    return groups ? a->size : 0;
}

void onnx_op_instance_norm(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0) || !onnx_is_weight(m, c, 1) || !onnx_is_weight(m, c, 2)) return;
    onnx_constant *scale = onnx_constant_in(c, 1), *bias = onnx_constant_in(c, 2);
    int64_t channels = onnx_size_of(m, c->in[0])[ONNX_AXIS_C];
    const onnx_view *v = &c->in[0]->view;
    bool pictures = onnx_view_is(v, "NCHW");
    int64_t groups = groups_of(v, channels);
    if (pictures && fits(scale, channels) && fits(bias, channels))
        give_group_norm(m, c, channels, scale, bias);
    else if (groups > 0 && is_all(m, scale, 1) && is_all(m, bias, 0))
        give_group_norm(m, c, groups, NULL, NULL);
    else
        onnx_refuse(m, c, "it is no instance norm of channels, nor a part of a group norm");
}

bool onnx_is_norm(const onnx_layer *l) {
    static const char *const names[] = {"batch_norm", "layer_norm", "group_norm"};
    for (int i = 0; l->type != NULL && i < 3; i++) {
        if (strcmp(l->type, names[i]) == 0) return true;
    }
    return false;
}

/* The file tells that training changes its running statistics: by an attribute, before opset 14 by
 * its outputs, and dynamo's exporter by the name alone. */
static bool is_of_training(const onnx_import *m, const Onnx__NodeProto *n) {
    const char *name = n->name == NULL ? "" : n->name;
    return onnx_integer(n, "training_mode", 0) != 0 || (m->opset < 14 && n->n_output > 1) ||
           strstr(name, "batch_norm_legit_functional") != NULL;
}

/* Of a network in evaluation mode no batch norm is of training, and none of them is frozen. */
void onnx_norms_freeze(onnx_import *m) {
    bool training = false;
    for (int i = 0; i < m->layers.count; i++) {
        const onnx_layer *l = onnx_layer_at(m, i);
        training = training || (onnx_layer_is(l, "batch_norm") && is_of_training(m, l->from));
    }
    for (int i = 0; training && i < m->layers.count; i++) {
        onnx_layer *l = onnx_layer_at(m, i);
        if (onnx_layer_is(l, "batch_norm") && !is_of_training(m, l->from))
            onnx_option_flag(&m->work, l, "frozen", true);
    }
}

/* A bias alone is no norm of gyre's: the weight is there, and stays 1. */
void onnx_norms_complete(onnx_import *m) {
    for (int i = 0; i < m->layers.count; i++) {
        onnx_layer *l = onnx_layer_at(m, i);
        bool alone = l->needed && onnx_is_norm(l) && onnx_layer_find_weight(l, "bias") != NULL &&
                     onnx_layer_find_weight(l, "weight") == NULL;
        onnx_constant *ones =
            alone ? onnx_constant_fill(&m->work, 1, &l->size[ONNX_AXIS_C], false, 1) : NULL;
        l->fixed = ones != NULL;
        if (l->fixed) onnx_layer_weight(l, "weight", ones);
    }
}
