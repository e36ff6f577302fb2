/* The halves of a value's channels, as Slice or Split take them: steps of a gated GELU. */
#include "attribute.h"
#include "operators.h"
#include "pattern.h"
#include <math.h>

/* Half `which`, 1 or 2, of the channels, which are a dimension of the value. */
static void give_half(onnx_import *m, onnx_call *c, int which) {
    const int place = onnx_view_find(&c->in[0]->view, ONNX_AXIS_C);
    onnx_layer *l = onnx_give_step(m, c, &c->in[0], 1, NAN);
    if (l == NULL || c->out[0] == NULL) return;
    onnx_view *v = &c->out[0]->view;
    l->half = which;
    l->size[ONNX_AXIS_C] /= 2;
    onnx_atom *a = &v->atoms[v->ends[place] - 1]; /* the whole axis is one atom */
    a->size /= 2;
    if (a->size > 1) return;
    onnx_view_drop_atoms(v, place);
}

/* The dimension is the channels, of an even number. */
static bool are_channels(const onnx_call *c, int64_t axis) {
    const onnx_view *v = &c->in[0]->view;
    const int place = onnx_view_find(v, ONNX_AXIS_C);
    if (axis < 0) axis += v->rank;
    return place >= 0 && axis == place && onnx_view_size(v, place) % 2 == 0;
}

/* Input k is one whole number; NaN: it is not, `otherwise`: it is left out. */
static double number_in(onnx_import *m, const onnx_call *c, int k, double otherwise) {
    double x = otherwise;
    onnx_constant *given = onnx_constant_in(c, k);
    if (k >= c->in_count || c->in[k] == NULL) return otherwise;
    if (given == NULL || given->count != 1 || !onnx_constant_all(&m->work, given, &x)) return NAN;
    return x;
}

bool onnx_slice_half(onnx_import *m, onnx_call *c) {
    const double axis = number_in(m, c, 3, 0), step = number_in(m, c, 4, 1);
    double from = number_in(m, c, 1, NAN), to = number_in(m, c, 2, NAN);
    if (!(fabs(axis) < ONNX_RANK_MAX) || step != 1 || !are_channels(c, (int64_t)axis)) return false;
    const double all = (double)onnx_size_of(m, c->in[0])[ONNX_AXIS_C];
    if (from < 0) from += all;
    if (to < 0) to += all;
    const bool first = from == 0 && to == all / 2, second = from == all / 2 && to >= all;
    if (first || second) give_half(m, c, first ? 1 : 2);
    return first || second;
}

/* Sizes of the parts: an input since opset 13, an attribute before; both halves alike. */
static bool splits_in_halves(onnx_import *m, const onnx_call *c) {
    const Onnx__AttributeProto *a = onnx_attribute(c->node, "split");
    onnx_constant *k = onnx_constant_in(c, 1);
    double each = 0;
    const bool sequence = onnx_call_is(c, "SplitToSequence");
    if ((c->node->n_output != 2 && !sequence) || !are_channels(c, onnx_integer(c->node, "axis", 0)))
        return false;
    const double half = (double)onnx_size_of(m, c->in[0])[ONNX_AXIS_C] / 2;
    if (k != NULL && sequence && k->count == 1)
        return onnx_constant_all(&m->work, k, &each) && each == half;
    if (k != NULL) return k->count == 2 && onnx_constant_all(&m->work, k, &each) && each == half;
    if (sequence || (c->in_count > 1 && c->in[1] != NULL)) return false;
    return a == NULL || (a->n_ints == 2 && a->ints[0] == a->ints[1]);
}

void onnx_op_split(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    if (!splits_in_halves(m, c)) {
        onnx_refuse(m, c, "gyre takes no parts of pictures but every so manyth pixel");
        return;
    }
    if (onnx_call_is(c, "SplitToSequence")) {
        onnx_give_same(c, c->in[0]);
        if (c->out[0] != NULL) c->out[0]->kind = ONNX_HALVES;
        return;
    }
    onnx_call second = *c;
    second.out[0] = c->out[1];
    give_half(m, c, 1);
    give_half(m, &second, 2);
}

void onnx_op_sequence_at(onnx_import *m, onnx_call *c) {
    const double which = number_in(m, c, 1, NAN);
    const bool known = c->in_count == 2 && c->in[0] != NULL && c->in[0]->kind == ONNX_HALVES;
    if (!known || !(which == 0 || which == 1 || which == -1 || which == -2)) {
        onnx_refuse(m, c, known ? "it takes none of two halves" : NULL);
        return;
    }
    onnx_value whole = *c->in[0];
    whole.kind = ONNX_PICTURE;
    c->in[0] = &whole;
    give_half(m, c, which == 0 || which == -2 ? 1 : 2);
}
