/* Constants of constants: what exporters compute shapes and bounds with. Numbers are doubles, which
 * hold whole numbers up to 2^53 and every float. */
#include "fold.h"

#include "attribute.h"
#include "fold_math.h"
#include "gyre/size.h"
#include "learned.h"
#include <math.h>
#include <string.h>

typedef onnx_constant *(*fold)(onnx_import *m, const onnx_call *c);

static onnx_constant *first(const onnx_call *c) {
    return onnx_constant_in(c, 0);
}

/* ---- the same numbers */

static onnx_constant *fold_same(onnx_import *m, const onnx_call *c) {
    (void)m;
    return first(c);
}

/* A tensor under another name: what TorchScript writes where two tensors are equal. */
static onnx_constant *fold_identity(onnx_import *m, const onnx_call *c) {
    onnx_constant *k = onnx_constant_copy(&m->work, first(c));
    if (k == NULL || k->name == NULL || c->out[0] == NULL) return k;
    k->name = c->out[0]->name;
    k->kind = onnx_name_kind_of(m->work.file, k->name);
    return k;
}

static onnx_constant *fold_cast(onnx_import *m, const onnx_call *c) {
    const onnx_constant *like = onnx_constant_in(c, 1);
    int64_t to = onnx_integer(c->node, "to", ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT);
    bool integer = like != NULL ? like->integer : onnx_type_is_integer((int)to);
    onnx_constant *k = first(c);
    if (k->integer == integer || (k->values == NULL && k->count > ONNX_READ_MAX)) return k;
    const double *read = k->uniform ? k->values : onnx_constant_read(&m->work, k);
    if (k->uniform)
        return onnx_constant_fill(&m->work, k->rank, k->dims, integer,
                                  onnx_math_cast(read[0], integer));
    onnx_constant *out = onnx_constant_make(&m->work, k->rank, k->dims, integer);
    for (size_t i = 0; out != NULL && read != NULL && i < k->count; i++) {
        out->values[i] = onnx_math_cast(read[i], integer);
    }
    return read == NULL ? NULL : out;
}

static onnx_constant *reshaped(onnx_import *m, const onnx_call *c, int rank, const int64_t *dims) {
    size_t count = 1;
    for (int i = 0; i < rank; i++) count *= (size_t)dims[i];
    /* computed numbers lie in the order of their transposition already */
    const bool in_order = !first(c)->transposed || first(c)->tensor == NULL;
    onnx_constant *k =
        count == first(c)->count && in_order ? onnx_constant_copy(&m->work, first(c)) : NULL;
    if (k == NULL) return NULL;
    k->transposed = false;
    k->rank = rank;
    memcpy(k->dims, dims, (size_t)rank * sizeof *dims);
    return k;
}

static onnx_constant *fold_reshape(onnx_import *m, const onnx_call *c) {
    int64_t dims[ONNX_RANK_MAX], left = (int64_t)first(c)->count;
    onnx_constant *shape = onnx_constant_in(c, 1);
    const double *read =
        shape == NULL || shape->count > ONNX_RANK_MAX ? NULL : onnx_constant_read(&m->work, shape);
    int open = -1;
    if (read == NULL || left == 0) return NULL;
    for (int i = 0; i < (int)shape->count; i++) {
        if (!(read[i] >= -1 && read[i] < 9e15) || read[i] != floor(read[i])) return NULL;
        dims[i] = (int64_t)read[i];
        if (dims[i] == 0 && i < first(c)->rank) dims[i] = first(c)->dims[i];
        if (dims[i] < 0 && open >= 0) return NULL;
        if (dims[i] < 0) open = i;
        if (dims[i] < 0) continue;
        if (dims[i] == 0 || left % dims[i] != 0) return NULL;
        left /= dims[i];
    }
    if (open >= 0) dims[open] = left;
    return reshaped(m, c, (int)shape->count, dims);
}

/* The axes of Squeeze and Unsqueeze as bits, of a tensor of `rank`. */
static bool axes_of(onnx_import *m, const onnx_call *c, int rank, unsigned *bits, int *count) {
    const Onnx__AttributeProto *a = onnx_attribute(c->node, "axes");
    onnx_constant *k = onnx_constant_in(c, 1);
    const double *read = k == NULL ? NULL : onnx_constant_read(&m->work, k);
    size_t all = read != NULL ? k->count : a != NULL ? a->n_ints : 0;
    *bits = 0;
    *count = (int)all;
    if (all > ONNX_RANK_MAX) return false;
    if (rank < 0) return true;
    for (size_t i = 0; i < all; i++) {
        double axis = read != NULL ? read[i] : (double)a->ints[i];
        if (axis < 0) axis += rank;
        if (!(axis >= 0 && axis < rank)) return false;
        *bits |= 1U << (int)axis;
    }
    return true;
}

static onnx_constant *fold_squeeze(onnx_import *m, const onnx_call *c) {
    int64_t dims[ONNX_RANK_MAX];
    unsigned bits;
    int count, rank = 0;
    if (!axes_of(m, c, first(c)->rank, &bits, &count)) return NULL;
    for (int i = 0; i < first(c)->rank; i++) {
        bool gone = count == 0 ? first(c)->dims[i] == 1 : (bits >> i & 1) != 0;
        if (gone && first(c)->dims[i] != 1) return NULL;
        if (!gone) dims[rank++] = first(c)->dims[i];
    }
    return reshaped(m, c, rank, dims);
}

static onnx_constant *fold_unsqueeze(onnx_import *m, const onnx_call *c) {
    int64_t dims[ONNX_RANK_MAX];
    unsigned bits;
    int count, at = 0;
    if (!axes_of(m, c, -1, &bits, &count) || first(c)->rank + count > ONNX_RANK_MAX) return NULL;
    int rank = first(c)->rank + count;
    if (!axes_of(m, c, rank, &bits, &count)) return NULL;
    for (int i = 0; i < rank; i++) {
        bool added = (bits >> i & 1) != 0;
        if (!added && at == first(c)->rank) return NULL;
        dims[i] = added ? 1 : first(c)->dims[at++];
    }
    return reshaped(m, c, rank, dims);
}

/* Of weights, which are read only at the end: two axes, or none that is larger than 1. */
static onnx_constant *fold_transpose(onnx_import *m, const onnx_call *c) {
    const Onnx__AttributeProto *a = onnx_attribute(c->node, "perm");
    if (first(c)->rank != 2 || first(c)->per_sample) return NULL;
    bool same = a != NULL && a->n_ints == 2 && a->ints[0] == 0 && a->ints[1] == 1;
    return same ? first(c) : onnx_constant_transpose(&m->work, first(c));
}

/* ---- shapes */

static onnx_constant *fold_shape(onnx_import *m, const onnx_call *c) {
    const onnx_constant *k = first(c);
    if (k->per_sample) return NULL; /* its dimensions are those of two samples */
    int64_t from = onnx_integer(c->node, "start", 0), to = onnx_integer(c->node, "end", k->rank);
    if (from < 0) from += k->rank;
    if (to < 0) to += k->rank;
    if (to > k->rank) to = k->rank;
    int64_t count = from >= 0 && from <= to ? to - from : 0;
    onnx_constant *out = onnx_constant_make(&m->work, 1, &count, true);
    for (int64_t i = 0; out != NULL && i < count; i++) out->values[i] = (double)k->dims[from + i];
    return out;
}

/* The dimensions that a constant lists; false: it is no list of them. */
static bool dims_of(onnx_import *m, onnx_constant *k, int *rank, int64_t dims[ONNX_RANK_MAX]) {
    const double *read =
        k == NULL || k->count > ONNX_RANK_MAX ? NULL : onnx_constant_read(&m->work, k);
    if (read == NULL) return false;
    *rank = (int)k->count;
    for (int i = 0; i < *rank; i++) {
        if (!(read[i] >= 0 && read[i] < 9e15)) return false;
        dims[i] = (int64_t)read[i];
    }
    return true;
}

static onnx_constant *fold_fill(onnx_import *m, const onnx_call *c) {
    int64_t dims[ONNX_RANK_MAX];
    int rank;
    double value = 0;
    const Onnx__AttributeProto *a = onnx_attribute(c->node, "value");
    const bool read = a == NULL || a->t == NULL ||
                      (!onnx_tensor_is_outside(a->t) && onnx_type_bytes(a->t->data_type) > 0);
    if (!read) return NULL;
    onnx_constant *k = a == NULL || a->t == NULL ? NULL : onnx_constant_of(&m->work, a->t, NULL);
    if (k != NULL && !onnx_constant_all(&m->work, k, &value)) return NULL;
    if (!dims_of(m, first(c), &rank, dims)) return NULL;
    return onnx_constant_fill(&m->work, rank, dims, k != NULL && k->integer, value);
}

/* The shape that `dims` of an Expand make of a constant's; false: they do not fit. */
static bool spread_dims(const onnx_constant *k, int *rank, int64_t dims[ONNX_RANK_MAX]) {
    const int given = *rank;
    if (k->rank > given) {
        *rank = k->rank;
        for (int i = k->rank - 1; i >= 0; i--) {
            const int from = i - (k->rank - given);
            dims[i] = from >= 0 ? dims[from] : 1;
        }
    }
    for (int i = 0; i < k->rank; i++) {
        int64_t *to = &dims[i + *rank - k->rank];
        if (*to != k->dims[i] && *to != 1 && k->dims[i] != 1) return false;
        if (k->dims[i] != 1) *to = k->dims[i];
    }
    return true;
}

/* Element i of the larger shape is that many in the constant. */
static size_t place_in(const onnx_constant *k, const onnx_constant *larger, size_t i) {
    size_t place = 0, step = 1;
    for (int at = larger->rank - 1; at >= 0; at--) {
        const int own = at - (larger->rank - k->rank);
        const size_t index = i % (size_t)larger->dims[at];
        i /= (size_t)larger->dims[at];
        if (own < 0) continue;
        if (k->dims[own] > 1) place += index * step;
        step *= (size_t)k->dims[own];
    }
    return place;
}

static onnx_constant *fold_expand(onnx_import *m, const onnx_call *c) {
    int64_t dims[ONNX_RANK_MAX];
    int rank;
    size_t count = 1;
    double value;
    onnx_constant *k = first(c);
    if (!dims_of(m, onnx_constant_in(c, 1), &rank, dims) || !spread_dims(k, &rank, dims))
        return NULL;
    for (int i = 0; i < rank; i++) count = gyre_size_of(count, (size_t)dims[i]);
    if (count == k->count) return reshaped(m, c, rank, dims);
    if (k->count == 1 && onnx_constant_all(&m->work, k, &value))
        return onnx_constant_fill(&m->work, rank, dims, k->integer, value);
    const double *read = onnx_constant_read(&m->work, k);
    onnx_constant *out = read == NULL ? NULL : onnx_constant_make(&m->work, rank, dims, k->integer);
    for (size_t i = 0; out != NULL && i < out->count; i++)
        out->values[i] = read[place_in(k, out, i)];
    return out;
}

/* What lies on one side of a diagonal; the rest becomes 0. */
static onnx_constant *fold_triangle(onnx_import *m, const onnx_call *c) {
    double behind = 0;
    onnx_constant *k = first(c), *diagonal = onnx_constant_in(c, 1);
    const bool upper = onnx_integer(c->node, "upper", 1) != 0;
    if (diagonal != NULL && !onnx_constant_all(&m->work, diagonal, &behind)) return NULL;
    const double *read = k->rank < 2 ? NULL : onnx_constant_read(&m->work, k);
    onnx_constant *out =
        read == NULL ? NULL : onnx_constant_make(&m->work, k->rank, k->dims, k->integer);
    const size_t rows = read == NULL ? 1 : (size_t)k->dims[k->rank - 2];
    const size_t columns = read == NULL ? 1 : (size_t)k->dims[k->rank - 1];
    for (size_t i = 0; out != NULL && i < k->count; i++) {
        const double right = (double)(i % columns) - (double)(i / columns % rows);
        const bool kept = upper ? right >= behind : right <= behind;
        out->values[i] = kept ? read[i] : 0;
    }
    return out;
}

static const struct {
    const char *op;
    fold run;
} folds[] = {
    {"Identity", fold_identity},    {"Cast", fold_cast},           {"CastLike", fold_cast},
    {"Dropout", fold_same},         {"Reshape", fold_reshape},     {"Squeeze", fold_squeeze},
    {"Unsqueeze", fold_unsqueeze},  {"Transpose", fold_transpose}, {"Shape", fold_shape},
    {"ConstantOfShape", fold_fill}, {"Expand", fold_expand},       {"Trilu", fold_triangle}};

/* Numbers that are computed from parameters change with them, which those of a shape do not; false:
 * from too many. */
static bool note_parameters(const onnx_call *c, onnx_constant *k) {
    const char *op = c->node->op_type;
    if (k->name != NULL || k->integer || strcmp(op, "Shape") == 0 ||
        strcmp(op, "ConstantOfShape") == 0)
        return true;
    const int count = strcmp(op, "CastLike") == 0 ? 1 : c->in_count; /* it reads a type alone */
    bool fixed = false;
    for (int i = 0; i < count; i++) {
        const onnx_constant *from = onnx_constant_in(c, i);
        if (from != NULL && from != k && !onnx_constant_follow(k, from)) return false;
        fixed = fixed || (from != NULL && from->untrained);
    }
    k->untrained = k->untrained || (fixed && !k->trained && k->follows_count == 0);
    return true;
}

bool onnx_fold(onnx_import *m, onnx_call *c) {
    onnx_constant *k = NULL;
    bool known = false;
    for (size_t i = 0; i < sizeof folds / sizeof *folds; i++) {
        if (strcmp(folds[i].op, c->node->op_type) != 0) continue;
        known = true;
        if (first(c) != NULL) k = folds[i].run(m, c);
    }
    if (!known) k = onnx_math_fold(m, c);
    if (k == NULL || !note_parameters(c, k)) return false;
    onnx_learned_fold(m, c, k);
    onnx_give_constant(c, k);
    return true;
}
