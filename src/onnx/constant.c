/* Constants: read when somebody computes with them, so that large weights stay where they are. */
#include "constant.h"

#include "gyre/size.h"
#include "numbers.h"
#include <string.h>

onnx_constant *onnx_constant_of(onnx_work *w, const Onnx__TensorProto *t, const char *name) {
    size_t count = 0;
    if (w->status == GYRE_OK) w->status = onnx_tensor_check(w->file, t, &count);
    onnx_constant *k = w->status == GYRE_OK ? onnx_take(w, 1, sizeof *k) : NULL;
    if (k == NULL) return NULL;
    *k = (onnx_constant){.integer = onnx_type_is_integer(t->data_type),
                         .rank = (int)t->n_dims,
                         .count = count,
                         .tensor = t,
                         .name = name};
    for (int i = 0; i < k->rank; i++) k->dims[i] = t->dims[i];
    const char *beside = name == NULL ? NULL : onnx_name_beside(w->file, t);
    if (beside != NULL)
        k->name = beside;
    else if (name != NULL)
        k->kind = onnx_name_kind_of(w->file, name);
    return k;
}

onnx_constant *onnx_constant_make(onnx_work *w, int rank, const int64_t *dims, bool integer) {
    size_t count = 1;
    if (rank > ONNX_RANK_MAX) return NULL;
    for (int i = 0; i < rank; i++) {
        if (dims[i] < 0 || dims[i] > ONNX_READ_MAX) return NULL;
        count *= (size_t)dims[i];
        if (count > ONNX_READ_MAX) return NULL;
    }
    onnx_constant *k = onnx_take(w, 1, sizeof *k);
    double *values = k == NULL ? NULL : onnx_take(w, count, sizeof *values);
    if (values == NULL) return NULL;
    *k = (onnx_constant){.integer = integer, .rank = rank, .count = count, .values = values};
    for (int i = 0; i < rank; i++) k->dims[i] = dims[i];
    return k;
}

onnx_constant *onnx_constant_copy(onnx_work *w, const onnx_constant *k) {
    onnx_constant *copy = onnx_take(w, 1, sizeof *copy);
    if (copy != NULL) *copy = *k;
    return copy;
}

onnx_constant *onnx_constant_fill(onnx_work *w, int rank, const int64_t *dims, bool integer,
                                  double value) {
    onnx_constant *k = onnx_take(w, 1, sizeof *k);
    double *values = onnx_take(w, 1, sizeof *values);
    if (k == NULL || values == NULL) return NULL;
    *values = value;
    *k = (onnx_constant){
        .integer = integer, .rank = rank, .count = 1, .values = values, .uniform = true};
    for (int i = 0; i < rank; i++) {
        k->dims[i] = dims[i];
        k->count = gyre_size_of(k->count, (size_t)dims[i]);
    }
    return k;
}

const char *onnx_computed_from(const onnx_constant *k) {
    if (k->name == NULL) return k->follows[0];
    return k->kind == ONNX_NAME_COMPUTED ? k->name : NULL;
}

bool onnx_is_literal(const onnx_constant *k) {
    return k->name == NULL || k->untrained || k->kind == ONNX_NAME_LITERAL;
}

bool onnx_is_lost(const onnx_constant *k) {
    return k->name != NULL && k->kind == ONNX_NAME_LOST;
}

bool onnx_is_parameter(const onnx_constant *k) {
    return !onnx_is_literal(k) && !onnx_is_lost(k);
}

const char *onnx_told_name(const onnx_constant *k) {
    return k->kind == ONNX_NAME_TOLD ? k->name : NULL;
}

const char *onnx_parameter_of(const onnx_constant *k) {
    return onnx_is_parameter(k) ? k->name : k->follows[0];
}

const char *onnx_parameter_at(const onnx_constant *k, int i) {
    if (i == 0) return onnx_parameter_of(k);
    return i < k->follows_count ? k->follows[i] : NULL;
}

static bool follow(onnx_constant *k, const char *parameter) {
    for (int i = 0; i < k->follows_count; i++) {
        if (strcmp(k->follows[i], parameter) == 0) return true;
    }
    if (k->follows_count == ONNX_FOLLOWS_MAX) return false;
    k->follows[k->follows_count++] = parameter;
    return true;
}

bool onnx_constant_follow(onnx_constant *k, const onnx_constant *from) {
    k->trained = k->trained || from->trained;
    if (onnx_is_parameter(from)) return follow(k, from->name);
    for (int i = 0; i < from->follows_count; i++) {
        if (!follow(k, from->follows[i])) return false;
    }
    return true;
}

static void transpose(const double *from, double *to, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < rows; i++) {
        for (int64_t j = 0; j < columns; j++) to[j * rows + i] = from[i * columns + j];
    }
}

static double *spread(onnx_work *w, const onnx_constant *k) {
    double *values = onnx_take(w, k->count, sizeof *values);
    for (size_t i = 0; values != NULL && i < k->count; i++) values[i] = k->values[0];
    return values;
}

const double *onnx_constant_read(onnx_work *w, onnx_constant *k) {
    if (k->per_sample) return NULL;
    if (k->values != NULL && !k->uniform) return k->values;
    if (k->count > ONNX_READ_MAX) return NULL;
    if (k->uniform) return spread(w, k);
    double *stored = onnx_take(w, k->count, sizeof *stored);
    if (stored == NULL) return NULL;
    gyre_status status = onnx_numbers_doubles(w->file, k->tensor, stored);
    if (status != GYRE_OK && w->status == GYRE_OK) w->status = status;
    if (status != GYRE_OK) return NULL;
    k->values = stored;
    if (!k->transposed) return stored;
    k->values = onnx_take(w, k->count, sizeof *stored);
    if (k->values != NULL) transpose(stored, k->values, k->dims[1], k->dims[0]);
    return k->values;
}

onnx_constant *onnx_constant_transpose(onnx_work *w, onnx_constant *k) {
    onnx_constant *t = onnx_constant_copy(w, k);
    if (t == NULL) return NULL;
    t->dims[0] = k->dims[1];
    t->dims[1] = k->dims[0];
    t->transposed = !k->transposed;
    if (k->values == NULL || k->uniform) return t;
    t->values = onnx_take(w, k->count, sizeof *t->values);
    if (t->values == NULL) return NULL;
    transpose(k->values, t->values, k->dims[0], k->dims[1]);
    return t;
}

bool onnx_constant_all(onnx_work *w, onnx_constant *k, double *out) {
    if (k->uniform) *out = k->values[0];
    if (k->uniform) return true;
    const double *values = onnx_constant_read(w, k);
    if (values == NULL || k->count == 0) return false;
    for (size_t i = 1; i < k->count; i++) {
        if (values[i] != values[0]) return false;
    }
    *out = values[0];
    return true;
}
