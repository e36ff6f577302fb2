/* Numbers inside a network that no training changes: an affine node, of one factor and shift, or of
 * some for each channel. Single numbers are steps at first, since patterns have them, too. */
#include "affine.h"
#include "learned.h"
#include "needed.h"
#include "operators.h"
#include "pattern.h"
#include <math.h>
#include <string.h>

/* ---- a number for each channel */

/* Factors (all 1) and shifts (all 0), of which `op` with the constant makes others. */
static bool read_channels(onnx_import *m, const onnx_call *c, bool first, onnx_constant *k,
                          onnx_constant *factor, onnx_constant *shift) {
    const double *x = onnx_constant_read(&m->work, k);
    for (size_t i = 0; x != NULL && i < k->count; i++) {
        double *f = &factor->values[i], *s = &shift->values[i];
        if (onnx_call_is(c, "Mul")) *f = x[i];
        if (onnx_call_is(c, "Div")) *f = 1 / x[i];
        if (onnx_call_is(c, "Add") || (onnx_call_is(c, "Sub") && first)) *s = x[i];
        if (onnx_call_is(c, "Sub")) *(first ? f : s) = first ? -1 : -x[i];
        if (!isfinite(*f) || !isfinite(*s)) return false;
    }
    return x != NULL;
}

/* An affine node that so far only multiplies. */
static bool takes_shift(onnx_import *m, const onnx_layer *l) {
    double number;
    onnx_constant *shift = onnx_layer_is(l, "affine") ? onnx_layer_find_weight(l, "shift") : NULL;
    return shift != NULL && l->made_of == NULL && onnx_constant_all(&m->work, shift, &number) &&
           number == 0;
}

bool onnx_give_channels(onnx_import *m, onnx_call *c, onnx_value *v, onnx_constant *k, bool first) {
    const int64_t channels = (int64_t)k->count;
    const bool inverse = first && onnx_call_is(c, "Div");
    if (onnx_call_is(c, "Pow") || inverse || !onnx_by_channel(m, v, k)) return false;
    onnx_constant *factor = onnx_constant_make(&m->work, 1, &channels, false);
    onnx_constant *shift = onnx_constant_make(&m->work, 1, &channels, false);
    for (int64_t i = 0; factor != NULL && i < channels; i++) factor->values[i] = 1;
    if (factor == NULL || shift == NULL || !read_channels(m, c, first, k, factor, shift))
        return false;
    factor->name = shift->name = k->name;
    factor->kind = shift->kind = k->kind;
    const bool joins = takes_shift(m, onnx_layer_of(m, v)) && !onnx_call_is(c, "Mul") &&
                       !onnx_call_is(c, "Div") && !first;
    onnx_layer *l = joins ? onnx_copy_layer(m, c, v) : onnx_give(m, c, "affine", &v, 1);
    if (l == NULL) return true;
    if (onnx_parameter_of(k) != NULL) l->made_of = k;
    if (joins) {
        for (int i = 0; i < l->weight_count; i++) {
            if (strcmp(l->weights[i].suffix, "shift") == 0) l->weights[i].constant = shift;
        }
        return true;
    }
    onnx_option_flag(&m->work, l, "by_channel", true);
    onnx_layer_weight(l, "factor", factor);
    onnx_layer_weight(l, "shift", shift);
    return true;
}

/* ---- one number */

/* y = factor x + shift; false: the step is something else, or its numbers are not finite. */
static bool read_step(const onnx_layer *l, double *factor, double *shift) {
    const double x = isnan(l->number) ? l->trained_number : l->number;
    const bool first = l->number_first;
    *factor = 1;
    *shift = 0;
    if (isnan(x) || l->input_count != 1) return false;
    if (onnx_is_step(l, "Mul"))
        *factor = x;
    else if (onnx_is_step(l, "Div") && !first)
        *factor = 1 / x;
    else if (onnx_is_step(l, "Add") || (onnx_is_step(l, "Sub") && first))
        *shift = x;
    else if (onnx_is_step(l, "Sub"))
        *shift = -x;
    else
        return false;
    if (onnx_is_step(l, "Sub") && first) *factor = -1;
    return isfinite((float)*factor) && isfinite((float)*shift);
}

static void set_numbers(onnx_import *m, onnx_layer *l, double factor, double shift) {
    l->type = "affine";
    if (factor != 1) onnx_option(&m->work, l, "factor", onnx_short(factor));
    if (shift != 0) onnx_option(&m->work, l, "shift", onnx_short(shift));
}

/* The node in front multiplies by a number, and nothing else reads it: a sum behind it joins it. */
static bool joins(const onnx_import *m, const onnx_layer *l, double factor) {
    const onnx_layer *before = onnx_layer_at(m, l->inputs[0]);
    return factor == 1 && onnx_layer_is(before, "affine") && before->uses == 1 &&
           before->weight_count == 0 && before->made_of == NULL &&
           cJSON_GetObjectItemCaseSensitive(before->options, "shift") == NULL;
}

void onnx_affine_nodes(onnx_import *m) {
    double factor, shift;
    onnx_stand_ins(m);
    onnx_needed_mark(m);
    for (int i = 0; i < m->layers.count; i++) {
        onnx_layer *l = onnx_layer_at(m, i);
        if (!l->needed) continue;
        if (read_step(l, &factor, &shift)) {
            const onnx_layer *before = onnx_layer_at(m, l->inputs[0]);
            if (joins(m, l, factor)) {
                const cJSON *option = cJSON_GetObjectItemCaseSensitive(before->options, "factor");
                factor = option == NULL ? 1 : option->valuedouble;
                l->inputs[0] = before->inputs[0];
            }
            set_numbers(m, l, factor, shift);
        }
        const bool constant = onnx_layer_is(l, "affine") || onnx_layer_is(l, "positions");
        if (constant && l->made_of != NULL) m->constant = onnx_parameter_of(l->made_of);
    }
    onnx_needed_mark(m);
}

void onnx_op_neg(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    onnx_layer *l = onnx_give(m, c, "affine", &c->in[0], 1);
    if (l != NULL) onnx_option(&m->work, l, "factor", -1);
}
