/* Views: which part of a sample's axes each dimension of a tensor is; see view.h. */
#include "view.h"

#include <string.h>

static int begin_of(const onnx_view *v, int dimension) {
    return dimension == 0 ? 0 : v->ends[dimension - 1];
}

static onnx_axis axis_named(char name) {
    return name == 'N'   ? ONNX_AXIS_N
           : name == 'C' ? ONNX_AXIS_C
           : name == 'H' ? ONNX_AXIS_H
                         : ONNX_AXIS_W;
}

onnx_view onnx_view_of(const char *axes, const int64_t sizes[ONNX_AXES]) {
    onnx_view v = {.rank = (int)strlen(axes)};
    int count = 0;
    for (int i = 0; i < v.rank; i++) {
        onnx_axis axis = axis_named(axes[i]);
        if (sizes[axis] > 1) v.atoms[count++] = (onnx_atom){axis, sizes[axis], 1};
        v.ends[i] = count;
    }
    return v;
}

int64_t onnx_view_size(const onnx_view *v, int dimension) {
    int64_t size = 1;
    for (int k = begin_of(v, dimension); k < v->ends[dimension]; k++) size *= v->atoms[k].size;
    return size;
}

/* All parts of an axis, put together. */
static int64_t axis_size(const onnx_view *v, onnx_axis axis) {
    int64_t size = 1;
    for (int k = 0; v->rank > 0 && k < v->ends[v->rank - 1]; k++) {
        if (v->atoms[k].axis == axis) size *= v->atoms[k].size;
    }
    return size;
}

/* The dimension is this whole axis. */
static bool is_whole(const onnx_view *v, int dimension, onnx_axis axis) {
    int begin = begin_of(v, dimension);
    const onnx_atom *a = &v->atoms[begin];
    return v->ends[dimension] == begin + 1 && a->axis == axis && a->stride == 1 &&
           a->size == axis_size(v, axis);
}

bool onnx_view_is(const onnx_view *v, const char *axes) {
    if (v->rank != (int)strlen(axes)) return false;
    for (int i = 0; i < v->rank; i++) {
        if (v->ends[i] > begin_of(v, i) && !is_whole(v, i, axis_named(axes[i]))) return false;
    }
    return true;
}

int onnx_view_find(const onnx_view *v, onnx_axis axis) {
    for (int i = 0; i < v->rank; i++) {
        if (is_whole(v, i, axis)) return i;
    }
    return -1;
}

bool onnx_view_same_dimension(const onnx_view *a, const onnx_view *b, int dimension) {
    int i = begin_of(a, dimension), j = begin_of(b, dimension);
    if (a->ends[dimension] - i != b->ends[dimension] - j) return false;
    for (; i < a->ends[dimension]; i++, j++) {
        const onnx_atom *x = &a->atoms[i], *y = &b->atoms[j];
        if (x->axis != y->axis || x->size != y->size || x->stride != y->stride) return false;
    }
    return true;
}

/* ---- changing */

/* Appends to the dimension that is being made; a part joins the part that it follows. */
static bool append(onnx_view *v, int begin, int *count, onnx_atom a) {
    onnx_atom *last = *count > begin ? &v->atoms[*count - 1] : NULL;
    if (last != NULL && last->axis == a.axis && last->stride == a.stride * a.size) {
        last->size *= a.size;
        last->stride = a.stride;
        return true;
    }
    if (*count == ONNX_ATOMS_MAX) return false;
    v->atoms[(*count)++] = a;
    return true;
}

bool onnx_view_reshape(const onnx_view *v, int rank, const int64_t *dims, onnx_view *out) {
    int next = 0, all = v->rank == 0 ? 0 : v->ends[v->rank - 1], count = 0;
    onnx_atom rest = {0}; /* of the atom before `next`; size 0: nothing */
    *out = (onnx_view){.rank = rank};
    if (rank > ONNX_RANK_MAX) return false;
    for (int i = 0; i < rank; i++) {
        int begin = count;
        for (int64_t open = dims[i]; open > 1;) {
            if (rest.size == 0 && next == all) return false;
            onnx_atom a = rest.size > 0 ? rest : v->atoms[next++];
            rest = (onnx_atom){0};
            if (open % a.size == 0) {
                open /= a.size;
            } else if (a.size % open == 0) { /* its outer part is taken, its inner one left */
                rest = (onnx_atom){a.axis, a.size / open, a.stride};
                a = (onnx_atom){a.axis, open, a.stride * rest.size};
                open = 1;
            } else {
                return false;
            }
            if (!append(out, begin, &count, a)) return false;
        }
        out->ends[i] = count;
    }
    return rest.size == 0 && next == all;
}

bool onnx_view_transpose(const onnx_view *v, const int64_t *order, onnx_view *out) {
    int count = 0;
    unsigned seen = 0;
    *out = (onnx_view){.rank = v->rank};
    for (int i = 0; i < v->rank; i++) {
        if (order[i] < 0 || order[i] >= v->rank || (seen & 1U << order[i]) != 0) return false;
        seen |= 1U << order[i];
        for (int k = begin_of(v, (int)order[i]); k < v->ends[order[i]]; k++) {
            out->atoms[count++] = v->atoms[k];
        }
        out->ends[i] = count;
    }
    return true;
}

void onnx_view_drop_atoms(onnx_view *v, int dimension) {
    int begin = begin_of(v, dimension), gone = v->ends[dimension] - begin;
    int all = v->ends[v->rank - 1];
    for (int k = begin; k + gone < all; k++) v->atoms[k] = v->atoms[k + gone];
    for (int i = dimension; i < v->rank; i++) v->ends[i] -= gone;
}

bool onnx_view_end_in_channels(onnx_view *v, int64_t channels) {
    onnx_view_drop_atoms(v, v->rank - 1);
    if (channels == 1) return true;
    if (v->ends[v->rank - 1] == ONNX_ATOMS_MAX) return false;
    v->atoms[v->ends[v->rank - 1]++] = (onnx_atom){ONNX_AXIS_C, channels, 1};
    return true;
}

bool onnx_view_remove(onnx_view *v, int dimension) {
    if (dimension < 0 || dimension >= v->rank || onnx_view_size(v, dimension) != 1) return false;
    for (int i = dimension; i + 1 < v->rank; i++) v->ends[i] = v->ends[i + 1];
    v->rank--;
    return true;
}

bool onnx_view_insert(onnx_view *v, int dimension) {
    if (dimension < 0 || dimension > v->rank || v->rank == ONNX_RANK_MAX) return false;
    int begin = begin_of(v, dimension);
    for (int i = v->rank; i > dimension; i--) v->ends[i] = v->ends[i - 1];
    v->ends[dimension] = begin;
    v->rank++;
    return true;
}
