/* Add of a number for each place of a sample: learned positions, or those that a file has as
 * numbers. gyre has them as (h, w, c). */
#include "operators.h"
#include <string.h>

static const onnx_axis pixels[] = {ONNX_AXIS_H, ONNX_AXIS_W, ONNX_AXIS_C};
static const onnx_axis planes[] = {ONNX_AXIS_C, ONNX_AXIS_H, ONNX_AXIS_W};

/* The parts of the view behind N are these axes, whole and in this order. */
static bool has_order(const onnx_view *v, const int64_t *size, const onnx_axis order[3]) {
    int at = v->ends[0];
    for (int i = 0; i < 3; i++) {
        if (size[order[i]] == 1) continue;
        const onnx_atom *a = &v->atoms[at];
        if (at == v->ends[v->rank - 1] || a->axis != order[i] || a->size != size[order[i]])
            return false;
        at++;
    }
    return at == v->ends[v->rank - 1];
}

/* One number for each place, in the value's own dimensions; the first of them is N. */
static bool is_of_places(const onnx_view *v, const onnx_constant *k) {
    const int more = v->rank - k->rank;
    if (v->rank < 2 || more < 0 || more > 1 || (more == 0 && k->dims[0] != 1)) return false;
    if (v->ends[0] > 1 || (v->ends[0] == 1 && v->atoms[0].axis != ONNX_AXIS_N)) return false;
    for (int i = 1; i < v->rank; i++) {
        if (k->dims[i - more] != onnx_view_size(v, i)) return false;
    }
    return true;
}

bool onnx_give_positions(onnx_import *m, onnx_call *c, onnx_value *v, onnx_constant *k) {
    int64_t size[ONNX_AXES];
    memcpy(size, onnx_size_of(m, v), sizeof size);
    const bool last = has_order(&v->view, size, pixels);
    const bool first = !last && has_order(&v->view, size, planes);
    if (!onnx_call_is(c, "Add") || !is_of_places(&v->view, k) || !(first || last)) return false;
    onnx_constant *places = onnx_constant_copy(&m->work, k);
    onnx_layer *l = places == NULL ? NULL : onnx_give(m, c, "positions", &v, 1);
    if (l == NULL) return true;
    const int64_t dims[3] = {size[ONNX_AXIS_H], size[ONNX_AXIS_W], size[ONNX_AXIS_C]};
    places->rank = 3;
    memcpy(places->dims, dims, sizeof dims);
    places->planes = first;
    if (first) onnx_option_text(&m->work, l, "order", "chw");
    places->untrained = onnx_is_literal(k);
    if (onnx_is_literal(k) && onnx_parameter_of(k) != NULL) l->made_of = k;
    onnx_layer_weight(l, "weight", places);
    return true;
}
