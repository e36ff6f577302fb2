/* Rows: Flatten and Reshape leave (c, h, w) as PyTorch has it, gyre's pictures lie as (h, w, c). */
#include "row.h"

#include <string.h>

static const onnx_axis planes[] = {ONNX_AXIS_C, ONNX_AXIS_H, ONNX_AXIS_W};
static const onnx_axis pixels[] = {ONNX_AXIS_H, ONNX_AXIS_W, ONNX_AXIS_C};

/* The view is (N, all of a sample) with its axes in this order. */
static bool is_row(const onnx_view *v, const int64_t *size, const onnx_axis order[3]) {
    if (v->rank != 2) return false;
    int at = v->ends[0];
    if (at > 1 || (at == 1 && v->atoms[0].axis != ONNX_AXIS_N)) return false;
    for (int i = 0; i < 3; i++) {
        if (size[order[i]] == 1) continue;
        const onnx_atom *a = &v->atoms[at];
        if (at == v->ends[1] || a->axis != order[i] || a->size != size[order[i]]) return false;
        at++;
    }
    return at == v->ends[1];
}

static bool flatten(onnx_import *m, onnx_call *c, onnx_value *v, const char *order) {
    onnx_layer *l = onnx_insert(m, c, "flatten", v);
    if (l == NULL) return false;
    l->size[ONNX_AXIS_C] *= l->size[ONNX_AXIS_H] * l->size[ONNX_AXIS_W];
    l->size[ONNX_AXIS_H] = l->size[ONNX_AXIS_W] = 1;
    v->view = onnx_view_of("NC", l->size);
    onnx_option_text(&m->work, l, "order", order);
    return true;
}

static bool refuse(onnx_import *m, onnx_call *c) {
    onnx_refuse(m, c, "it reads something else than a sample's values as one row");
    return false;
}

/* The values of a row are those of a picture that a flatten in front of it put in this order. */
static bool is_behind_pixels(const onnx_import *m, int place) {
    const onnx_layer *l = onnx_layer_at(m, place);
    while (l != NULL && l->input_count == 1 && l->type != NULL && strcmp(l->type, "linear") != 0) {
        const cJSON *order = cJSON_GetObjectItemCaseSensitive(l->options, "order");
        if (strcmp(l->type, "flatten") == 0) return strcmp(order->valuestring, "hwc") == 0;
        l = onnx_layer_at(m, l->inputs[0]);
    }
    return false;
}

bool onnx_row(onnx_import *m, onnx_call *c, onnx_value *v, bool *hwc) {
    const int64_t *size = onnx_size_of(m, v);
    *hwc = !is_row(&v->view, size, planes) || is_behind_pixels(m, v->layer);
    if (is_row(&v->view, size, pixels)) return true;
    if (is_row(&v->view, size, planes)) return flatten(m, c, v, "chw");
    return refuse(m, c);
}

bool onnx_row_of_one(onnx_import *m, onnx_call *c, onnx_value *v) {
    const int64_t *size = onnx_size_of(m, v);
    bool one = size[ONNX_AXIS_H] == 1 && size[ONNX_AXIS_W] == 1;
    if (is_row(&v->view, size, planes)) return one || flatten(m, c, v, "chw");
    if (is_row(&v->view, size, pixels)) return flatten(m, c, v, "hwc");
    return refuse(m, c);
}

bool onnx_row_for(onnx_import *m, onnx_call *c, onnx_value *v, const onnx_constant *k) {
    const int64_t *size = onnx_size_of(m, v);
    const int64_t all = size[ONNX_AXIS_C] * size[ONNX_AXIS_H] * size[ONNX_AXIS_W];
    const bool row = v->view.rank == 2 && !onnx_view_is(&v->view, "NC") &&
                     onnx_view_size(&v->view, 1) == all && k->count == (size_t)all;
    const bool images = v->layer == ONNX_IMAGES && !k->trained;
    return !row || images || onnx_row_of_one(m, c, v);
}
