/* Pools, means over pixels, and nearest neighbours. */
#include "attribute.h"
#include "operators.h"
#include "origin.h"
#include "window.h"
#include <limits.h>
#include <math.h>
#include <string.h>

typedef struct {
    onnx_window w;
    bool ceil, counted; /* counted: pixels outside count, as zeros */
    int64_t out[2];     /* windows */
} pool;

/* Windows along one direction. Rounding up adds none that begins behind the picture. */
static int64_t out_of(const pool *o, int k, int64_t in, int64_t end, bool ceil) {
    int64_t room = in + o->w.pad[k] + end - o->w.size[k] + (ceil ? o->w.stride[k] - 1 : 0);
    int64_t out = room < 0 ? 0 : room / o->w.stride[k] + 1;
    return ceil && (out - 1) * o->w.stride[k] >= in + o->w.pad[k] ? out - 1 : out;
}

/* Windows begin where the padding in front does, so that the padding behind tells only how many
 * there are: gyre's node has the same on both sides, and rounds up or down. */
static bool find_rounding(pool *o, const int64_t in[2]) {
    for (int k = 0; k < 2; k++) o->out[k] = out_of(o, k, in[k], o->w.pad[2 + k], o->ceil);
    for (int ceil = 0; ceil < 2; ceil++) {
        if (out_of(o, 0, in[0], o->w.pad[0], ceil) != o->out[0]) continue;
        if (out_of(o, 1, in[1], o->w.pad[1], ceil) != o->out[1]) continue;
        o->ceil = ceil;
        return true;
    }
    return false;
}

static const char windows[] = "gyre pools pictures of two dimensions, with the same padding on "
                              "both sides, less than the window, and without dilation";

static void refuse_window(onnx_import *m, onnx_call *c) {
    onnx_refuse(m, c, "%s", windows);
}

/* The windows of a call on (N, C, H, W), or the call is refused. */
static bool read_pool(onnx_import *m, onnx_call *c, pool *o) {
    if (!onnx_is_picture(m, c, 0)) return false;
    const int64_t *in = &onnx_size_of(m, c->in[0])[ONNX_AXIS_H];
    if (!onnx_is_planes(m, c, c->in[0], windows)) return false;
    if (!onnx_window_read(m, c, in, NULL, &o->w)) return false;
    o->ceil = onnx_integer(c->node, "ceil_mode", 0) != 0;
    if (o->w.dilation[0] == 1 && o->w.dilation[1] == 1 && find_rounding(o, in)) return true;
    refuse_window(m, c);
    return false;
}

/* The windows fill the picture, side by side, as the bins of an adaptive pool do. */
static bool fills(const pool *o, const int64_t in[2]) {
    for (int k = 0; k < 2; k++) {
        if (o->w.stride[k] != o->w.size[k] || o->w.size[k] * o->out[k] != in[k]) return false;
        if (o->w.pad[k] > 0) return false;
    }
    return o->out[0] * o->out[1] > 1;
}

/* Bins where the file tells that the pool is adaptive; of windows of one pixel no other one is. */
static bool give_bins(onnx_import *m, onnx_call *c, onnx_value *in, const pool *o, bool single) {
    const int64_t *size = onnx_size_of(m, in);
    if (!fills(o, &size[ONNX_AXIS_H])) return false;
    if (!single && onnx_origin_of_pool(m, c->node) != ONNX_POOL_ADAPTIVE) return false;
    onnx_layer *l =
        onnx_give_sized(m, c, "adaptive_average_pool", in, size[ONNX_AXIS_C], o->out[0], o->out[1]);
    if (l != NULL) onnx_option_list(&m->work, l, "bins", o->out, 2);
    return true;
}

static void give_pool(onnx_import *m, onnx_call *c, const char *type, onnx_value *in,
                      const pool *o) {
    const bool filling = fills(o, &onnx_size_of(m, in)[ONNX_AXIS_H]);
    const onnx_pool_origin origin = filling ? onnx_origin_of_pool(m, c->node) : ONNX_POOL_PLAIN;
    if (o->w.pad[0] >= o->w.size[0] || o->w.pad[1] >= o->w.size[1]) {
        refuse_window(m, c);
        return;
    }
    if (o->out[0] < 1 || o->out[1] < 1) {
        onnx_refuse(m, c, "its window is larger than the picture");
        return;
    }
    onnx_layer *l =
        onnx_give_sized(m, c, type, in, onnx_size_of(m, in)[ONNX_AXIS_C], o->out[0], o->out[1]);
    if (l == NULL) return;
    l->fitted = origin != ONNX_POOL_PLAIN;
    l->adaptive = origin == ONNX_POOL_ADAPTIVE;
    onnx_option_list(&m->work, l, "size", o->w.size, 2);
    if (o->w.stride[0] != o->w.size[0] || o->w.stride[1] != o->w.size[1])
        onnx_option_list(&m->work, l, "stride", o->w.stride, 2);
    if (o->w.pad[0] + o->w.pad[1] > 0) onnx_option_list(&m->work, l, "pad", o->w.pad, 2);
    if (o->ceil) onnx_option_flag(&m->work, l, "ceil", true);
    if (o->counted && o->w.pad[0] + o->w.pad[1] > 0)
        onnx_option_flag(&m->work, l, "count_pad", true);
}

void onnx_op_max_pool(onnx_import *m, onnx_call *c) {
    pool o;
    o.counted = false;
    if (read_pool(m, c, &o)) give_pool(m, c, "max_pool", c->in[0], &o);
}

/* A Pad in front of it, whose zeros count: as padding of its own that counts. */
static bool take_pad(onnx_import *m, onnx_call *c, pool *o, onnx_value **in) {
    int64_t pads[4] = {0};
    *in = onnx_unpadded(m, c->in[0], pads);
    bool own = o->w.pad[0] + o->w.pad[1] + o->w.pad[2] + o->w.pad[3] > 0;
    if (*in == c->in[0])
        return !o->counted || (o->w.pad[0] == o->w.pad[2] && o->w.pad[1] == o->w.pad[3]);
    if (pads[0] != pads[2] || pads[1] != pads[3] || own) return false;
    pool all = *o;
    memcpy(all.w.pad, pads, sizeof all.w.pad);
    all.counted = true;
    bool same = find_rounding(&all, &onnx_size_of(m, *in)[ONNX_AXIS_H]) &&
                all.out[0] == o->out[0] && all.out[1] == o->out[1];
    *o = all;
    return same;
}

void onnx_op_average_pool(onnx_import *m, onnx_call *c) {
    pool o;
    onnx_value *in = NULL;
    const Onnx__AttributeProto *shape = onnx_attribute(c->node, "kernel_shape");
    if (shape != NULL && shape->n_ints == 3) {
        onnx_lrn_pool(m, c);
        return;
    }
    if (!read_pool(m, c, &o)) return;
    o.counted = onnx_integer(c->node, "count_include_pad", 0) != 0;
    static const int64_t ones[2] = {1, 1}, none[4] = {0};
    bool single = memcmp(o.w.size, ones, sizeof ones) == 0 &&
                  memcmp(o.w.stride, ones, sizeof ones) == 0 &&
                  memcmp(o.w.pad, none, sizeof none) == 0;
    if (give_bins(m, c, c->in[0], &o, single)) return;
    if (single)
        onnx_give_same(c, c->in[0]);
    else if (take_pad(m, c, &o, &in))
        give_pool(m, c, "average_pool", in, &o);
    else
        onnx_refuse(m, c, "gyre's averages count padding that is the same on both sides");
}

static void give_global(onnx_import *m, onnx_call *c, const char *type, onnx_value *in) {
    onnx_layer *l = onnx_give_sized(m, c, type, in, onnx_size_of(m, in)[ONNX_AXIS_C], 1, 1);
    if (l != NULL) onnx_option_flag(&m->work, l, "global", true);
}

static void global(onnx_import *m, onnx_call *c, const char *type) {
    if (!onnx_is_picture(m, c, 0)) return;
    if (onnx_is_planes(m, c, c->in[0], "gyre pools pictures of two dimensions alone"))
        give_global(m, c, type, c->in[0]);
}

void onnx_op_global_average(onnx_import *m, onnx_call *c) {
    global(m, c, "average_pool");
}

void onnx_op_global_max(onnx_import *m, onnx_call *c) {
    global(m, c, "max_pool");
}

/* ---- ReduceMean, ReduceMax */

/* A bit for each dimension that is reduced; 0: unknown, or none. */
static unsigned reduced(onnx_import *m, const onnx_call *c) {
    const Onnx__AttributeProto *a = onnx_attribute(c->node, "axes");
    onnx_constant *k = onnx_constant_in(c, 1);
    const double *read = k == NULL ? NULL : onnx_constant_read(&m->work, k);
    size_t count = read != NULL ? k->count : a != NULL ? a->n_ints : 0;
    int rank = c->in[0]->view.rank;
    unsigned bits = 0;
    for (size_t i = 0; i < count; i++) {
        double axis = read != NULL ? read[i] : (double)a->ints[i];
        if (axis < 0) axis += rank;
        if (!(axis >= 0 && axis < rank)) return 0;
        bits |= 1U << (int)axis;
    }
    return bits;
}

/* The dimensions are the pixels of a sample, all of them and nothing else. */
static bool are_pixels(const onnx_view *v, unsigned bits, const int64_t *size) {
    int64_t pixels = 1;
    for (int i = 0; i < v->rank; i++) {
        if ((bits >> i & 1) == 0) continue;
        for (int k = i == 0 ? 0 : v->ends[i - 1]; k < v->ends[i]; k++) {
            if (v->atoms[k].axis != ONNX_AXIS_H && v->atoms[k].axis != ONNX_AXIS_W) return false;
        }
        pixels *= onnx_view_size(v, i);
    }
    return pixels == size[ONNX_AXIS_H] * size[ONNX_AXIS_W];
}

/* The dimension is the whole height (0) or width (1) of a picture, alone; -1. */
static int direction_of(const onnx_view *v, unsigned bits) {
    for (int k = 0; k < 2; k++) {
        const int at = onnx_view_find(v, ONNX_AXIS_H + k);
        if (at >= 0 && bits == 1U << at) return k;
    }
    return -1;
}

/* A pool along one direction, whose window is the example's. */
static void give_line(onnx_import *m, onnx_call *c, const char *type, int k) {
    int64_t size[ONNX_AXES], window[2] = {1, 1};
    memcpy(size, onnx_size_of(m, c->in[0]), sizeof size);
    window[k] = size[ONNX_AXIS_H + k];
    size[ONNX_AXIS_H + k] = 1;
    onnx_layer *l = onnx_give_sized(m, c, type, c->in[0], size[ONNX_AXIS_C], size[ONNX_AXIS_H],
                                    size[ONNX_AXIS_W]);
    if (l == NULL) return;
    l->adaptive = l->fitted = true;
    onnx_option_list(&m->work, l, "size", window, 2);
}

/* Of what a pool of the other direction has left, the pool of all pixels. */
static onnx_value whole_of(onnx_import *m, const onnx_call *c, const char *type) {
    const onnx_layer *l = onnx_layer_of(m, c->in[0]);
    const bool line =
        onnx_layer_is(l, type) && l->fitted && strcmp(l->from->op_type, c->node->op_type) == 0;
    return line ? onnx_value_at(m, l->inputs[0], c->in[0]) : *c->in[0];
}

/* type: of the pool that does the same; a mean over channels is a step of a layer norm. */
static void reduce(onnx_import *m, onnx_call *c, const char *type, bool mean) {
    if (!onnx_is_picture(m, c, 0)) return;
    unsigned bits = reduced(m, c);
    onnx_view v = c->in[0]->view;
    const int64_t *size = onnx_size_of(m, c->in[0]);
    bool keep = onnx_integer(c->node, "keepdims", 1) != 0;
    bool channels =
        onnx_view_find(&v, ONNX_AXIS_C) >= 0 && bits == 1U << onnx_view_find(&v, ONNX_AXIS_C);
    bool pixels = are_pixels(&v, bits, size);
    const int direction = direction_of(&v, bits);
    if (bits == 0 || (!pixels && direction < 0 && !(channels && keep && mean))) {
        onnx_refuse(m, c,
                    mean ? "gyre takes means over the pixels of a picture, or its height or width"
                         : "gyre takes the largest of the pixels of a picture, or along its height "
                           "or width");
        return;
    }
    for (int i = v.rank - 1; i >= 0; i--) {
        if ((bits >> i & 1) == 0) continue;
        onnx_view_drop_atoms(&v, i);
        if (!keep) onnx_view_remove(&v, i);
    }
    onnx_value whole = whole_of(m, c, type);
    if (pixels)
        give_global(m, c, type, &whole);
    else if (direction >= 0)
        give_line(m, c, type, direction);
    else
        onnx_give_step(m, c, &c->in[0], 1, NAN); /* of a layer norm */
    if (c->out[0] != NULL && c->out[0]->kind == ONNX_PICTURE) c->out[0]->view = v;
}

void onnx_op_reduce_mean(onnx_import *m, onnx_call *c) {
    reduce(m, c, "average_pool", true);
}

void onnx_op_reduce_max(onnx_import *m, onnx_call *c) {
    reduce(m, c, "max_pool", false);
}

/* ---- Resize */

/* Do the modes give each pixel `factor` times? ONNX, operator Resize: from the place x of the
 * output follows one between pixels of the input, which nearest_mode rounds. */
static bool repeats(const onnx_call *c, bool old, int64_t factor) {
    const char *place = "coordinate_transformation_mode", *mode = "nearest_mode";
    const Onnx__NodeProto *n = c->node;
    bool named = onnx_attribute(n, place) != NULL;
    bool from_edge = old || onnx_is_text(n, place, "asymmetric");
    if (!from_edge && named && !onnx_is_text(n, place, "half_pixel") &&
        !onnx_is_text(n, place, "half_pixel_symmetric") &&
        !onnx_is_text(n, place, "pytorch_half_pixel")) {
        return false;
    }
    for (int64_t x = 0; x < factor; x++) {
        double at =
            from_edge ? (double)x / (double)factor : ((double)x + 0.5) / (double)factor - 0.5;
        double nearest = ceil(at - 0.5); /* round_prefer_floor */
        if (old || onnx_is_text(n, mode, "floor"))
            nearest = floor(at);
        else if (onnx_is_text(n, mode, "ceil"))
            nearest = ceil(at);
        else if (onnx_is_text(n, mode, "round_prefer_ceil"))
            nearest = floor(at + 0.5);
        if (nearest != 0) return false;
    }
    return true;
}

/* How often each pixel comes, in both directions; 0: it is something else. */
static int64_t factor_of(onnx_import *m, const onnx_call *c, const int64_t *size) {
    double out[2] = {0, 0};
    bool old = strcmp(c->node->op_type, "Upsample") == 0;
    onnx_constant *scales = onnx_constant_in(c, old || c->in_count == 2 ? 1 : 2);
    onnx_constant *sizes = onnx_constant_in(c, 3);
    const double *x =
        scales != NULL && scales->count == 4 ? onnx_constant_read(&m->work, scales) : NULL;
    const double *to =
        sizes != NULL && sizes->count == 4 ? onnx_constant_read(&m->work, sizes) : NULL;
    for (int k = 0; k < 2; k++) {
        if (x != NULL) out[k] = x[0] == 1 && x[1] == 1 ? x[2 + k] : 0;
        if (to != NULL) out[k] = to[2 + k] / (double)size[ONNX_AXIS_H + k];
    }
    bool whole = out[0] == out[1] && out[0] >= 1 && out[0] <= 64 && out[0] == floor(out[0]);
    return whole ? (int64_t)out[0] : 0;
}

void onnx_op_resize(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    int64_t size[ONNX_AXES];
    memcpy(size, onnx_size_of(m, c->in[0]), sizeof size);
    int64_t factor = factor_of(m, c, size);
    const Onnx__AttributeProto *mode = onnx_attribute(c->node, "mode");
    bool nearest = mode == NULL || onnx_is_text(c->node, "mode", "nearest");
    bool old = strcmp(c->node->op_type, "Upsample") == 0 || c->in_count == 2; /* before opset 11 */
    static const char why[] = "gyre repeats pixels 1 to 64 times, as often in both directions";
    if (!onnx_is_planes(m, c, c->in[0], why)) return;
    if (!nearest || factor == 0 || !repeats(c, old, factor) ||
        size[ONNX_AXIS_H] > INT_MAX / factor || size[ONNX_AXIS_W] > INT_MAX / factor) {
        onnx_refuse(m, c, "%s", why);
        return;
    }
    onnx_layer *l = onnx_give_sized(m, c, "upsample", c->in[0], size[ONNX_AXIS_C],
                                    size[ONNX_AXIS_H] * factor, size[ONNX_AXIS_W] * factor);
    if (l != NULL) onnx_option(&m->work, l, "factor", (double)factor);
}
