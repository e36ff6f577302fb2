/* Add, Sub, Mul, Div and Pow: of two layers, of a layer and weights, of the images and the numbers
 * that normalise them, or a step of a pattern. */
#include "affine.h"
#include "chain.h"
#include "learned.h"
#include "operators.h"
#include "pattern.h"
#include "row.h"
#include <math.h>
#include <string.h>

/* ---- weights */

/* Mul by a number for each channel: the weight of a norm that has neither that nor a bias. */
static bool give_weight(onnx_import *m, onnx_call *c, onnx_value *v, onnx_constant *k) {
    const onnx_layer *before = onnx_layer_of(m, v);
    if (onnx_is_literal(k) || !onnx_by_channel(m, v, k)) return false;
    if (before == NULL || !before->plain || onnx_layer_find_weight(before, "weight") != NULL)
        return false;
    onnx_layer *l = onnx_copy_layer(m, c, v);
    if (l != NULL) onnx_layer_weight(l, "weight", k);
    return true;
}

/* The constant makes the value no larger. */
static bool fits_into(const onnx_value *v, const onnx_constant *k) {
    if (k->rank > v->view.rank) return false;
    for (int i = 0; i < k->rank; i++) {
        const int64_t size = onnx_view_size(&v->view, i + v->view.rank - k->rank);
        if (k->dims[i] != 1 && k->dims[i] != size) return false;
    }
    return true;
}

/* x becomes -x: a part of the network, since no normalisation does so. */
static bool turns(const onnx_call *c, double number, int place) {
    if (onnx_call_is(c, "Sub")) return place == 1;
    return number < 0 && (onnx_call_is(c, "Mul") || (place == 0 && onnx_call_is(c, "Div")));
}

/* It leaves the picture as it is. */
static bool is_idle(const onnx_call *c, double number, int place) {
    if (number == 1 && onnx_call_is(c, "Mul")) return true;
    if (number == 0 && onnx_call_is(c, "Add")) return true;
    return place == 0 &&
           ((number == 1 && onnx_call_is(c, "Div")) || (number == 0 && onnx_call_is(c, "Sub")));
}

/* A new group norm's weights in a file with folded constants: other axes cost them their names. */
static bool is_lost_weight(onnx_import *m, onnx_value *v, const onnx_constant *k) {
    const onnx_layer *before = onnx_layer_of(m, v);
    return before != NULL && before->plain && k->count > 1 && !onnx_is_literal(k);
}

static void with_constant(onnx_import *m, onnx_call *c, int place) {
    onnx_value *v = c->in[place];
    onnx_constant *k = c->in[1 - place]->constant;
    double number;
    if (!onnx_row_for(m, c, v, k)) return;
    if (!fits_into(v, k)) {
        onnx_refuse(m, c, "its constant of %d dimensions does not fit into the picture", k->rank);
        return;
    }
    if (onnx_mask_added(m, c, v, k)) return;
    const bool single = onnx_constant_all(&m->work, k, &number);
    const bool network = v->forked || onnx_call_is(c, "Pow") || (single && turns(c, number, place));
    if (v->layer == ONNX_IMAGES && !network && !k->trained) {
        if (onnx_parameter_of(k) != NULL) m->normaliser = onnx_parameter_of(k);
        onnx_affine_step(m, c, v, k, place == 1);
        return;
    }
    const bool trained = onnx_is_trained(m, k);
    const bool one =
        single && (!trained || k->count == 1 || k->uniform); /* equal numbers train apart */
    const bool idle = one && !trained && is_idle(c, number, place);
    if (idle && !onnx_is_parameter(k) && !is_lost_weight(m, v, k)) {
        onnx_give_same(c, v);
        return;
    }
    if (onnx_call_is(c, "Mul") && give_weight(m, c, v, k)) return;
    const bool learned = onnx_give_learned(m, c, v, k, place == 1);
    if (learned && (k->count > 1 || c->out[0]->kind != ONNX_PICTURE)) return;
    if (!one) {
        if (onnx_give_channels(m, c, v, k, place == 1)) return;
        if (onnx_give_positions(m, c, v, k)) return;
        onnx_refuse(
            m, c,
            "gyre's constants of this kind are finite numbers, one or one for each channel, or, "
            "where they are added, one for each channel of each pixel");
        return;
    }
    if (idle && !learned) {
        onnx_give_same(c, v);
        return;
    }
    const int stand_in = learned ? c->out[0]->layer + 1 : 0;
    onnx_layer *l = onnx_give_step(m, c, &v, 1, trained ? NAN : number);
    if (l == NULL) return;
    if (trained) l->trained_number = number;
    l->stand_in = stand_in;
    l->number_first = place == 1 && !onnx_call_is(c, "Mul") && !onnx_call_is(c, "Add");
    l->made_of = onnx_parameter_of(k) == NULL ? NULL : k;
    if (onnx_call_is(c, "Mul") || onnx_call_is(c, "Div")) onnx_pattern_product(m, c);
}

/* ---- two layers */

static bool spreads(const int64_t *small, const int64_t *large) {
    bool pixels =
        small[ONNX_AXIS_H] == large[ONNX_AXIS_H] && small[ONNX_AXIS_W] == large[ONNX_AXIS_W];
    bool one = small[ONNX_AXIS_H] == 1 && small[ONNX_AXIS_W] == 1;
    bool channels = small[ONNX_AXIS_C] == large[ONNX_AXIS_C];
    return (pixels && (channels || small[ONNX_AXIS_C] == 1)) || (one && channels);
}

/* The dimensions of both stand for the same axes where neither is 1. */
static bool agree(const onnx_view *a, const onnx_view *b) {
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++) {
        int64_t x = onnx_view_size(a, i), y = onnx_view_size(b, i);
        if (x != 1 && y != 1 && !onnx_view_same_dimension(a, b, i)) return false;
    }
    return true;
}

/* NULL: a node of gyre joins both, the larger one of them, which is *first, in front. */
static const char *why_not_joined(onnx_import *m, const onnx_value *a, const onnx_value *b,
                                  int *first) {
    const int64_t *x = onnx_size_of(m, a), *y = onnx_size_of(m, b);
    *first = spreads(y, x) || !spreads(x, y) ? 0 : 1;
    if (!agree(&a->view, &b->view))
        return "gyre adds and multiplies pictures whose axes are the same";
    if (spreads(y, x) || spreads(x, y)) return NULL;
    return "one picture was expected to have the other's size, or one value for each of its "
           "channels or pixels";
}

static void with_layer(onnx_import *m, onnx_call *c, const char *type) {
    int first;
    const char *why = why_not_joined(m, c->in[0], c->in[1], &first);
    onnx_value *list[2] = {c->in[first], c->in[1 - first]};
    if (why == NULL)
        onnx_give(m, c, type, list, 2);
    else
        onnx_refuse(m, c, "%s", why);
}

/* a - b, which patterns have, too: a step, and a sum in its place. */
static void give_difference(onnx_import *m, onnx_call *c) {
    int first;
    onnx_chain n = {m, c, c->out[0] == NULL};
    const bool joined = why_not_joined(m, c->in[0], c->in[1], &first) == NULL && !n.failed;
    if (joined) {
        const onnx_value pair[2] = {*c->in[0], onnx_chain_affine(&n, *c->in[1], -1, 0)};
        onnx_chain_add(&n, "add", pair[first], &pair[1 - first], NULL);
        if (n.failed) return;
    }
    const int stand_in = joined ? c->out[0]->layer + 1 : 0;
    onnx_layer *l = onnx_give_step(m, c, c->in, 2, NAN);
    if (l != NULL) l->stand_in = stand_in;
}

/* Two pictures, or one and a constant: *place is that of the picture then, else -1. */
static bool operands(onnx_import *m, onnx_call *c, int *place) {
    bool first = onnx_constant_in(c, 0) != NULL, second = onnx_constant_in(c, 1) != NULL;
    *place = first ? 1 : second ? 0 : -1;
    return (first || onnx_is_picture(m, c, 0)) && (second || onnx_is_picture(m, c, 1));
}

void onnx_op_add(onnx_import *m, onnx_call *c) {
    int place;
    if (onnx_raise_noise(m, c)) return;
    if (!operands(m, c, &place)) return;
    if (place >= 0)
        with_constant(m, c, place);
    else
        with_layer(m, c, "add");
}

/* Sub and Pow; Pow of two layers patterns alone have. */
void onnx_op_with_constant(onnx_import *m, onnx_call *c) {
    int place;
    if (!operands(m, c, &place)) return;
    if (place >= 0)
        with_constant(m, c, place);
    else if (onnx_call_is(c, "Sub"))
        give_difference(m, c);
    else
        onnx_give_step(m, c, c->in, 2, NAN);
}

/* The layer was divided by the probability before it is multiplied by the noise. */
static bool is_undone(const onnx_import *m, const onnx_value *v, double keep) {
    const onnx_layer *l = onnx_layer_of(m, v);
    const bool numbered = l != NULL && !isnan(l->number) && !l->number_first;
    if (!numbered || !(onnx_is_step(l, "Mul") || onnx_is_step(l, "Div"))) return false;
    const double factor = onnx_is_step(l, "Mul") ? l->number : 1 / l->number;
    return fabs(factor * keep - 1) <= 1e-5;
}

/* A layer times noise: what is dropped is told by the shape of the noise. */
static bool give_dropped(onnx_import *m, onnx_call *c) {
    int place = c->in[0] != NULL && c->in[0]->kind == ONNX_NOISE ? 0 : 1;
    if (c->in_count != 2 || c->in[1] == NULL || c->in[place]->kind != ONNX_NOISE) return false;
    onnx_value *noise = c->in[place], *v = c->in[1 - place];
    if (!onnx_is_picture(m, c, 1 - place)) return true;
    const char *type = onnx_noise_type(noise, v);
    onnx_value undone;
    if (type != NULL && noise->keep > 0 && is_undone(m, v, noise->factor * noise->keep)) {
        undone = onnx_value_at(m, onnx_layer_of(m, v)->inputs[0], v);
        v = &undone;
    } else if (type == NULL || noise->keep <= 0 || fabs(noise->factor * noise->keep - 1) > 1e-5) {
        onnx_refuse(m, c, "it is random, but neither dropout nor stochastic depth");
        return true;
    }
    onnx_layer *l = onnx_give(m, c, type, &v, 1);
    if (l != NULL) onnx_option(&m->work, l, "p", onnx_short_complement(noise->keep));
    return true;
}

void onnx_op_mul(onnx_import *m, onnx_call *c) {
    int place;
    if (give_dropped(m, c) || !operands(m, c, &place)) return;
    if (place >= 0) {
        with_constant(m, c, place);
        return;
    }
    with_layer(m, c, "mul");
    onnx_pattern_product(m, c);
}

void onnx_op_div(onnx_import *m, onnx_call *c) {
    int place;
    double number;
    onnx_constant *k = onnx_constant_in(c, 1);
    if (c->in_count == 2 && c->in[0] != NULL && c->in[0]->kind == ONNX_NOISE &&
        c->in[0]->keep >= 0 && k != NULL && onnx_constant_all(&m->work, k, &number) &&
        number != 0) {
        onnx_give_same(c, c->in[0]);
        if (c->out[0] != NULL) c->out[0]->factor /= number;
        return;
    }
    if (!operands(m, c, &place)) return;
    if (place >= 0) {
        with_constant(m, c, place);
        return;
    }
    onnx_give_step(m, c, c->in, 2, NAN);
    onnx_pattern_quotient(m, c);
}
