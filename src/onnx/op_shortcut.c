/* Every so manyth pixel (Slice), and channels of zeros around those that are there (Pad): together
 * the shortcut of option A, as ResNets for small pictures have it. */
#include "attribute.h"
#include "operators.h"
#include <limits.h>
#include <string.h>

static const double *numbers_of(onnx_import *m, const onnx_call *c, int k, size_t count) {
    onnx_constant *n = onnx_constant_in(c, k);
    return n == NULL || n->count != count ? NULL : onnx_constant_read(&m->work, n);
}

/* The steps along height and width of a Slice that begins at the first pixel and goes to the last
 * one; false: it takes another part. */
static bool read_steps(onnx_import *m, const onnx_call *c, int64_t out[2]) {
    const onnx_constant *starts = onnx_constant_in(c, 1);
    const size_t count = starts == NULL ? 0 : starts->count;
    const double *first = numbers_of(m, c, 1, count), *last = numbers_of(m, c, 2, count);
    const double *axes = numbers_of(m, c, 3, count), *steps = numbers_of(m, c, 4, count);
    const int rank = c->in[0]->view.rank;
    bool steps_missing = c->in_count < 5 || c->in[4] == NULL;
    bool axes_missing = c->in_count < 4 || c->in[3] == NULL;
    out[0] = out[1] = 1;
    if (count == 0 || first == NULL || last == NULL) return false;
    if ((steps == NULL && !steps_missing) || (axes == NULL && !axes_missing)) return false;
    for (size_t i = 0; i < count; i++) {
        const double at = axes_missing ? (double)i : axes[i] < 0 ? axes[i] + rank : axes[i];
        const double step = steps_missing ? 1 : steps[i];
        if (!(at >= 0 && at < rank) || first[i] != 0 || !(step >= 1 && step <= INT16_MAX)) {
            return false;
        }
        const int axis = (int)at;
        if (last[i] < (double)onnx_view_size(&c->in[0]->view, axis)) return false;
        if (step != 1 && axis != 2 && axis != 3) return false;
        if (axis >= 2 && axis <= 3) out[axis - 2] = (int64_t)step;
    }
    return true;
}

static bool is_from(const onnx_layer *l, const char *op) {
    return l != NULL && l->type != NULL && strcmp(l->from->op_type, op) == 0;
}

/* `steps` are kept in the layer, for what comes behind it. */
static void give_steps(onnx_import *m, onnx_call *c, onnx_value *in, const int64_t steps[2]) {
    static const int64_t one[] = {1, 1};
    const int64_t *size = onnx_size_of(m, in);
    const bool square = steps[0] == steps[1];
    onnx_layer *l = onnx_give_sized(m, c, square ? "shortcut" : "max_pool", in, size[ONNX_AXIS_C],
                                    (size[ONNX_AXIS_H] + steps[0] - 1) / steps[0],
                                    (size[ONNX_AXIS_W] + steps[1] - 1) / steps[1]);
    if (l == NULL) return;
    memcpy(l->steps, steps, sizeof l->steps);
    if (square) {
        onnx_option(&m->work, l, "channels", (double)l->size[ONNX_AXIS_C]);
        onnx_option(&m->work, l, "stride", (double)steps[0]);
    } else {
        onnx_option_list(&m->work, l, "size", one, 2);
        onnx_option_list(&m->work, l, "stride", steps, 2);
    }
}

void onnx_op_slice(onnx_import *m, onnx_call *c) {
    int64_t steps[2];
    if (!onnx_is_picture(m, c, 0) || onnx_slice_half(m, c)) return;
    if (!onnx_view_is(&c->in[0]->view, "NCHW") || c->in[0]->view.rank != 4 ||
        !read_steps(m, c, steps)) {
        onnx_refuse(m, c, "gyre takes no parts of pictures but every so manyth pixel");
        return;
    }
    const onnx_layer *before = onnx_layer_of(m, c->in[0]);
    if (steps[0] == 1 && steps[1] == 1) {
        onnx_give_same(c, c->in[0]);
    } else if (is_from(before, "Slice")) { /* one axis each: both are one step */
        onnx_value in = onnx_value_at(m, before->inputs[0], c->in[0]);
        const int64_t both[] = {before->steps[0] * steps[0], before->steps[1] * steps[1]};
        in.view = onnx_view_of("NCHW", onnx_size_of(m, &in));
        give_steps(m, c, &in, both);
    } else {
        give_steps(m, c, c->in[0], steps);
    }
}

bool onnx_pad_channels(onnx_import *m, onnx_call *c, int64_t front, int64_t back) {
    const onnx_layer *before = onnx_layer_of(m, c->in[0]);
    const int64_t *size = onnx_size_of(m, c->in[0]);
    const int64_t h = size[ONNX_AXIS_H], w = size[ONNX_AXIS_W];
    const int64_t channels = size[ONNX_AXIS_C] + front + back;
    const bool strided = is_from(before, "Slice") && strcmp(before->type, "shortcut") == 0;
    const int64_t stride = strided ? before->steps[0] : 1;
    onnx_value in = *c->in[0];
    if (front != (front + back) / 2 || channels > INT_MAX) return false;
    if (strided) {
        in = onnx_value_at(m, before->inputs[0], c->in[0]);
        in.view = onnx_view_of("NCHW", onnx_size_of(m, &in));
    }
    onnx_layer *l = onnx_give_sized(m, c, "shortcut", &in, channels, h, w);
    if (l == NULL) return true;
    onnx_option(&m->work, l, "channels", (double)channels);
    onnx_option(&m->work, l, "stride", (double)stride);
    return true;
}
