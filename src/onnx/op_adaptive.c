/* Adaptive average pools whose bins have several sizes: ONNX has them as products with matrices of
 * shares, from the right along the width and from the left along the height. Each product is an
 * adaptive pool that leaves the other direction as it is; two of them in a row are one. */
#include "operators.h"
#include <limits.h>
#include <math.h>
#include <string.h>

/* How many bins the shares are of, (bins, size) or (size, bins); 0: they are none. */
static int64_t bins_of(onnx_import *m, onnx_constant *k, bool bins_first, int64_t size) {
    const int64_t bins = k->dims[bins_first ? 0 : 1];
    if (k->rank != 2 || k->dims[bins_first ? 1 : 0] != size || bins < 1 || bins > INT16_MAX)
        return 0;
    const double *share = onnx_constant_read(&m->work, k);
    for (int64_t b = 0; share != NULL && b < bins; b++) {
        const int64_t begin = b * size / bins, end = ((b + 1) * size + bins - 1) / bins;
        for (int64_t i = 0; i < size; i++) {
            const double found = share[bins_first ? b * size + i : i * bins + b];
            const double expected = i >= begin && i < end ? 1.0 / (double)(end - begin) : 0;
            if (!(fabs(found - expected) <= 1e-6 * expected)) return 0;
        }
    }
    return share == NULL ? 0 : bins;
}

/* The pool in front of it did the other direction alone: both are one pool of what that one reads.
 */
static onnx_value joined(onnx_import *m, onnx_value *v, int k) {
    const onnx_layer *l = onnx_layer_of(m, v);
    bool pool = l != NULL && l->type != NULL && strcmp(l->type, "adaptive_average_pool") == 0;
    if (!pool) return *v;
    const onnx_layer *before = onnx_layer_at(m, l->inputs[0]);
    const int64_t *size = before == NULL ? m->size : before->size;
    if (l->size[ONNX_AXIS_H + k] != size[ONNX_AXIS_H + k]) return *v;
    onnx_value in = onnx_value_at(m, l->inputs[0], v);
    in.view = onnx_view_of("NCHW", size);
    return in;
}

/* k: 0 along the height, 1 along the width. */
static bool give_bins(onnx_import *m, onnx_call *c, onnx_value *v, onnx_constant *shares, int k) {
    const int64_t *size = onnx_size_of(m, v);
    if (!onnx_view_is(&v->view, "NCHW")) return false;
    const int64_t bins = bins_of(m, shares, k == 0, size[ONNX_AXIS_H + k]);
    if (bins == 0) return false;
    int64_t out[2] = {size[ONNX_AXIS_H], size[ONNX_AXIS_W]};
    out[k] = bins;
    onnx_value in = joined(m, v, k);
    onnx_layer *l =
        onnx_give_sized(m, c, "adaptive_average_pool", &in, size[ONNX_AXIS_C], out[0], out[1]);
    if (l != NULL) onnx_option_list(&m->work, l, "bins", out, 2);
    return true;
}

bool onnx_adaptive_columns(onnx_import *m, onnx_call *c) {
    return give_bins(m, c, c->in[0], onnx_constant_in(c, 1), 1);
}

bool onnx_adaptive_rows(onnx_import *m, onnx_call *c) {
    if (c->in_count != 2 || c->in[1] == NULL || c->in[1]->kind != ONNX_PICTURE) return false;
    return give_bins(m, c, c->in[1], onnx_constant_in(c, 0), 0);
}
