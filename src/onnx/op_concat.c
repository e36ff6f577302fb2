/* Concat of channels. A node of gyre joins two or three, so more of them are a chain; chains that
 * begin alike, as in a dense block, are one. */
#include "attribute.h"
#include "operators.h"
#include "row.h"
#include <string.h>

enum { NEAR = 4096 }; /* layers between two chains that begin alike */

static bool joins_channels(const onnx_call *c, int64_t axis) {
    const onnx_view *first = &c->in[0]->view;
    for (int k = 0; k < c->in_count; k++) {
        const onnx_view *v = &c->in[k]->view;
        if (v->rank != first->rank) return false;
        for (int i = 0; i < v->rank; i++) {
            if (i != axis && !onnx_view_same_dimension(v, first, i)) return false;
        }
        if (onnx_view_size(v, (int)axis) > 1 && onnx_view_find(v, ONNX_AXIS_C) != axis)
            return false;
    }
    return true;
}

/* The layer that joins just these two, -1: there is none. */
static int find_pair(const onnx_import *m, int a, int b) {
    int last = m->layers.count - 1;
    for (int i = last; i >= 0 && i > last - NEAR; i--) {
        const onnx_layer *l = &m->layers.list[i];
        if (l->type != NULL && strcmp(l->type, "concat") == 0 && l->inputs[0] == a &&
            l->inputs[1] == b) {
            return i;
        }
    }
    return -1;
}

/* What all the values make, in the axes that the call has them in. */
static void join(onnx_import *m, onnx_call *c, const char *axes) {
    onnx_value so_far = *c->in[0], *list[2];
    for (int k = 1; k < c->in_count; k++) {
        int64_t channels =
            onnx_size_of(m, &so_far)[ONNX_AXIS_C] + onnx_size_of(m, c->in[k])[ONNX_AXIS_C];
        list[0] = &so_far;
        list[1] = c->in[k];
        if (!onnx_may_read(m, c, list, 2)) return;
        int old = find_pair(m, so_far.layer, c->in[k]->layer);
        if (channels > INT32_MAX) {
            onnx_refuse(m, c, "its output has more channels than gyre's largest");
            return;
        }
        onnx_layer *l = old >= 0 ? onnx_layer_at(m, old) : onnx_give(m, c, "concat", list, 2);
        if (l == NULL) return;
        l->size[ONNX_AXIS_C] = channels;
        so_far.kind = ONNX_PICTURE;
        so_far.affine = NULL;
        so_far.layer = old >= 0 ? old : m->layers.count - 1;
        so_far.view = onnx_view_of(axes, l->size);
    }
    onnx_give_same(c, &so_far);
}

void onnx_op_concat(onnx_import *m, onnx_call *c) {
    for (int k = 0; k < c->in_count; k++) {
        if (!onnx_is_picture(m, c, k)) return;
    }
    if (c->in_count < 1) {
        onnx_refuse(m, c, "it has no inputs");
        return;
    }
    const onnx_view *first = &c->in[0]->view;
    int64_t axis = onnx_integer(c->node, "axis", 1);
    if (axis < 0) axis += first->rank;
    for (int k = 0; axis == 1 && k < c->in_count; k++) {
        onnx_value *v = c->in[k];
        const bool row = v->view.rank == 2 && !onnx_view_is(&v->view, "NC");
        if (row && !onnx_row_of_one(m, c, v)) return;
    }
    const char *axes = first->rank == 2                           ? "NC"
                       : axis == 3 && onnx_view_is(first, "NHWC") ? "NHWC"
                       : axis == 1 && onnx_view_is(first, "NCHW") ? "NCHW"
                                                                  : NULL;
    if (first->rank == 2 && (axis != 1 || !onnx_view_is(first, "NC"))) axes = NULL;
    if (axes == NULL || !joins_channels(c, axis)) {
        onnx_refuse(m, c, "gyre joins the channels of pictures alone");
        return;
    }
    join(m, c, axes);
}
