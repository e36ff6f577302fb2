/* Operators that move axes: they change a value's view, and no node stands for them. */
#include "attribute.h"
#include "gyre/text.h"
#include "operators.h"
#include <math.h>
#include <string.h>

static void refuse_view(onnx_import *m, onnx_call *c) {
    onnx_refuse(m, c, "gyre reads the channels of pixels, or a sample as one row");
}

static int64_t product(const onnx_view *v, int from, int to) {
    int64_t size = 1;
    for (int i = from; i < to; i++) size *= onnx_view_size(v, i);
    return size;
}

static void give_reshaped(onnx_import *m, onnx_call *c, int rank, const int64_t *dims) {
    onnx_view v;
    if (onnx_view_reshape(&c->in[0]->view, rank, dims, &v))
        onnx_give_view(c, c->in[0], &v);
    else
        refuse_view(m, c);
}

void onnx_op_flatten(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    const onnx_view *v = &c->in[0]->view;
    int64_t axis = onnx_integer(c->node, "axis", 1);
    if (axis < 0) axis += v->rank;
    if (axis < 0 || axis > v->rank) {
        refuse_view(m, c);
        return;
    }
    const int64_t dims[2] = {product(v, 0, (int)axis), product(v, (int)axis, v->rank)};
    give_reshaped(m, c, 2, dims);
}

/* The sizes asked for, with 0 (as it was) and -1 (what is left) replaced; false: there is no such
 * shape. */
static bool resolve(const onnx_call *c, const onnx_constant *k, const double *read,
                    int64_t dims[ONNX_RANK_MAX]) {
    const onnx_view *v = &c->in[0]->view;
    int64_t left = product(v, 0, v->rank);
    int open = -1;
    bool zero = onnx_integer(c->node, "allowzero", 0) != 0;
    for (int i = 0; i < (int)k->count; i++) {
        if (!(read[i] >= -1 && read[i] < 9e15) || read[i] != floor(read[i])) return false;
        dims[i] = (int64_t)read[i];
        if (dims[i] == 0 && !zero && i < v->rank) dims[i] = onnx_view_size(v, i);
        if (dims[i] == 0 || (dims[i] < 0 && open >= 0)) return false;
        if (dims[i] < 0) open = i;
        if (dims[i] > 0 && left % dims[i] != 0) return false;
        if (dims[i] > 0) left /= dims[i];
    }
    if (open >= 0) dims[open] = left;
    return open >= 0 || left == 1;
}

static void add_size(char *text, size_t size, bool first, double value, bool batch) {
    const char *between = first ? "" : ", ";
    if (batch)
        gyre_text_add(text, size, "%sN", between);
    else
        gyre_text_add(text, size, "%s%.15g", between, value);
}

/* The batch may be any, and has no number then. */
static void refuse_shape(onnx_import *m, onnx_call *c, const onnx_constant *k, const double *read) {
    const onnx_view *v = &c->in[0]->view;
    char asked[100] = "", found[100] = "";
    for (size_t i = 0; i < k->count; i++)
        add_size(asked, sizeof asked, i == 0, read[i], read[i] == (double)m->size[ONNX_AXIS_N]);
    for (int i = 0; i < v->rank; i++) {
        const bool batch = i == onnx_view_find(v, ONNX_AXIS_N);
        add_size(found, sizeof found, i == 0, (double)onnx_view_size(v, i), batch);
    }
    onnx_refuse(
        m, c,
        "it makes (%s) of (%s), where sizes of as many values, 0 for one that stays and one "
        "-1 were expected",
        asked, found);
}

void onnx_op_reshape(onnx_import *m, onnx_call *c) {
    int64_t dims[ONNX_RANK_MAX];
    if (!onnx_is_picture(m, c, 0) || !onnx_is_weight(m, c, 1)) return;
    onnx_constant *k = onnx_constant_in(c, 1);
    const double *read = k->count > ONNX_RANK_MAX ? NULL : onnx_constant_read(&m->work, k);
    if (read == NULL)
        refuse_view(m, c);
    else if (resolve(c, k, read, dims))
        give_reshaped(m, c, (int)k->count, dims);
    else
        refuse_shape(m, c, k, read);
}

/* All values of a list in their order, in a new shape: how a strided copy is written. Of any number
 * of samples the places of the first two are known. */
void onnx_op_gather(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    int64_t dims[ONNX_RANK_MAX] = {0};
    onnx_constant *k = onnx_constant_in(c, 1);
    const double *read = k == NULL       ? NULL
                         : k->per_sample ? k->values
                                         : onnx_constant_read(&m->work, k);
    bool list = c->in[0]->view.rank == 1 && read != NULL && k->rank > 0;
    if (list) {
        memcpy(dims, k->dims, sizeof dims);
        if (k->per_sample) dims[0] = m->size[ONNX_AXIS_N];
        list = (int64_t)(k->count / (size_t)(k->dims[0] > 0 ? k->dims[0] : 1)) * dims[0] ==
               onnx_view_size(&c->in[0]->view, 0);
    }
    for (size_t i = 0; list && i < k->count; i++) list = read[i] == (double)i;
    if (list)
        give_reshaped(m, c, k->rank, dims);
    else
        onnx_refuse(m, c, "gyre takes no parts of pictures");
}

void onnx_op_transpose(onnx_import *m, onnx_call *c) {
    if (!onnx_is_picture(m, c, 0)) return;
    int64_t order[ONNX_RANK_MAX];
    const onnx_view *v = &c->in[0]->view;
    onnx_view moved;
    const Onnx__AttributeProto *a = onnx_attribute(c->node, "perm");
    bool given = a != NULL && a->n_ints > 0;
    bool fits = !given || a->n_ints == (size_t)v->rank;
    for (int i = 0; fits && i < v->rank; i++) order[i] = given ? a->ints[i] : v->rank - 1 - i;
    if (fits && onnx_view_transpose(v, order, &moved))
        onnx_give_view(c, c->in[0], &moved);
    else
        refuse_view(m, c);
}

/* The axes of Squeeze and Unsqueeze, of a tensor of this rank, as bits; false: none are told, or
 * not in the file. */
static bool axes_of(onnx_import *m, const onnx_call *c, int rank, unsigned *bits) {
    const Onnx__AttributeProto *a = onnx_attribute(c->node, "axes");
    onnx_constant *k = onnx_constant_in(c, 1);
    const double *read = k == NULL ? NULL : onnx_constant_read(&m->work, k);
    size_t count = read != NULL ? k->count : a != NULL ? a->n_ints : 0;
    *bits = 0;
    for (size_t i = 0; i < count; i++) {
        double axis = read != NULL ? read[i] : (double)a->ints[i];
        if (axis < 0) axis += rank;
        if (!(axis >= 0 && axis < rank)) return false;
        *bits |= 1U << (int)axis;
    }
    return count > 0;
}

void onnx_op_squeeze(onnx_import *m, onnx_call *c) {
    unsigned bits = 0;
    if (!onnx_is_picture(m, c, 0)) return;
    onnx_view v = c->in[0]->view;
    const bool told = onnx_attribute(c->node, "axes") != NULL || c->in_count > 1;
    for (int i = 1; !told && i < v.rank; i++) { /* all of size 1; the batch is of any size */
        if (onnx_view_size(&v, i) == 1) bits |= 1U << i;
    }
    bool fits = !told || axes_of(m, c, v.rank, &bits);
    for (int i = v.rank - 1; fits && i >= 0; i--) {
        if ((bits >> i & 1) != 0) fits = onnx_view_remove(&v, i);
    }
    if (fits)
        onnx_give_view(c, c->in[0], &v);
    else
        refuse_view(m, c);
}

void onnx_op_unsqueeze(onnx_import *m, onnx_call *c) {
    unsigned bits = 0;
    if (!onnx_is_picture(m, c, 0)) return;
    onnx_view v = c->in[0]->view;
    const Onnx__AttributeProto *a = onnx_attribute(c->node, "axes");
    const onnx_constant *k = onnx_constant_in(c, 1);
    size_t more = k != NULL ? k->count : a != NULL ? a->n_ints : 0;
    bool fits = more <= ONNX_RANK_MAX && axes_of(m, c, v.rank + (int)more, &bits);
    for (int i = 0; fits && i < ONNX_RANK_MAX; i++) {
        if ((bits >> i & 1) != 0) fits = onnx_view_insert(&v, i);
    }
    if (fits)
        onnx_give_view(c, c->in[0], &v);
    else
        refuse_view(m, c);
}

/* What Expand makes larger in front of pixels: each value of a sample for H x W of them. */
static void spread_pixels(onnx_import *m, onnx_call *c, const double *dims) {
    const int64_t *size = onnx_size_of(m, c->in[0]);
    const bool one = size[ONNX_AXIS_H] == 1 && size[ONNX_AXIS_W] == 1;
    const bool square = dims[2] == dims[3] && dims[2] <= 64;
    const bool channels = dims[1] == 1 || dims[1] == (double)size[ONNX_AXIS_C];
    if (!onnx_view_is(&c->in[0]->view, "NCHW") || !one || !square || !channels) {
        onnx_refuse(m, c, "gyre repeats one pixel, up to 64 times in both directions");
        return;
    }
    const int64_t side = (int64_t)dims[2];
    onnx_layer *l = onnx_give_sized(m, c, "upsample", c->in[0], size[ONNX_AXIS_C], side, side);
    if (l != NULL) onnx_option(&m->work, l, "factor", (double)side);
}

void onnx_op_expand(onnx_import *m, onnx_call *c) {
    const onnx_value *in = c->in_count > 0 ? c->in[0] : NULL;
    const bool noise = in != NULL && in->kind == ONNX_NOISE;
    if ((!noise && !onnx_is_picture(m, c, 0)) || !onnx_is_weight(m, c, 1)) return;
    onnx_constant *k = onnx_constant_in(c, 1);
    const int rank = in->view.rank;
    const double *dims = k->count > ONNX_RANK_MAX ? NULL : onnx_constant_read(&m->work, k);
    bool same = dims != NULL && (int)k->count <= rank, batch = same;
    for (int i = 0; same && i < (int)k->count; i++) {
        const int at = i + rank - (int)k->count;
        same = dims[i] == 1 || dims[i] == (double)onnx_view_size(&in->view, at);
        if (at == 0) batch = same;
    }
    if (same)
        onnx_give_same(c, in);
    else if (!noise && batch && rank == 4 && k->count == 4)
        spread_pixels(m, c, dims);
    else
        refuse_view(m, c);
}

void onnx_op_shape(onnx_import *m, onnx_call *c) {
    if (c->in_count < 1 || c->in[0] == NULL ||
        (c->in[0]->kind != ONNX_PICTURE && c->in[0]->kind != ONNX_NOISE)) {
        onnx_refuse(m, c, NULL);
        return;
    }
    const onnx_view *v = &c->in[0]->view;
    int64_t from = onnx_integer(c->node, "start", 0), to = onnx_integer(c->node, "end", v->rank);
    if (from < 0) from += v->rank;
    if (to < 0) to += v->rank;
    if (to > v->rank) to = v->rank;
    int64_t count = from >= 0 && from <= to ? to - from : 0;
    onnx_constant *k = onnx_constant_make(&m->work, 1, &count, true);
    for (int64_t i = 0; k != NULL && i < count; i++) {
        k->values[i] = (double)onnx_view_size(v, (int)(from + i));
    }
    onnx_give_constant(c, k);
}

void onnx_op_same(onnx_import *m, onnx_call *c) {
    const onnx_value *in = c->in_count > 0 ? c->in[0] : NULL;
    if (in == NULL || in->kind == ONNX_UNKNOWN)
        onnx_refuse(m, c, NULL);
    else
        onnx_give_same(c, in);
}

/* Values of a network are real numbers; as whole ones, or as yes and no, they would be others. */
void onnx_op_cast(onnx_import *m, onnx_call *c) {
    static const int64_t real[] = {
        ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT, ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16,
        ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE, ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16};
    int64_t to = onnx_integer(c->node, "to", real[0]);
    for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
        if (to == real[i]) {
            onnx_op_same(m, c);
            return;
        }
    }
    onnx_refuse(m, c, "gyre's values are real numbers, and this makes others of them");
}
