/* The types of tensors, and whether one holds as many numbers as it says. */
#include "tensor.h"

#include "gyre/size.h"
#include <string.h>

/* What a type is called, its bytes in raw_data, and the field that it lies in otherwise. */
static const struct {
    const char *name;
    uint8_t bytes;
    onnx_field in;
    bool integer;
} types[] = {
    [ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT] = {"float32", 4, ONNX_IN_FLOATS, false},
    [ONNX__TENSOR_PROTO__DATA_TYPE__UINT8] = {"uint8", 1, ONNX_IN_INT32, true},
    [ONNX__TENSOR_PROTO__DATA_TYPE__INT8] = {"int8", 1, ONNX_IN_INT32, true},
    [ONNX__TENSOR_PROTO__DATA_TYPE__UINT16] = {"uint16", 2, ONNX_IN_INT32, true},
    [ONNX__TENSOR_PROTO__DATA_TYPE__INT16] = {"int16", 2, ONNX_IN_INT32, true},
    [ONNX__TENSOR_PROTO__DATA_TYPE__INT32] = {"int32", 4, ONNX_IN_INT32, true},
    [ONNX__TENSOR_PROTO__DATA_TYPE__INT64] = {"int64", 8, ONNX_IN_INT64, true},
    [ONNX__TENSOR_PROTO__DATA_TYPE__BOOL] = {"bool", 1, ONNX_IN_INT32, true},
    [ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16] = {"float16", 2, ONNX_IN_INT32, false},
    [ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE] = {"float64", 8, ONNX_IN_DOUBLES, false},
    [ONNX__TENSOR_PROTO__DATA_TYPE__UINT32] = {"uint32", 4, ONNX_IN_UINT64, true},
    [ONNX__TENSOR_PROTO__DATA_TYPE__UINT64] = {"uint64", 8, ONNX_IN_UINT64, true},
    [ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16] = {"bfloat16", 2, ONNX_IN_INT32, false},
};

static bool is_known(int type) {
    return type > 0 && type < (int)(sizeof types / sizeof *types) && types[type].name != NULL;
}

bool onnx_type_is_integer(int type) {
    return is_known(type) && types[type].integer;
}

bool onnx_type_is_real(int type) {
    return is_known(type) && !types[type].integer;
}

size_t onnx_type_bytes(int type) {
    return is_known(type) ? types[type].bytes : 0;
}

onnx_field onnx_type_field(int type) {
    return types[type].in;
}

const char *onnx_type_name(int type) {
    return is_known(type) ? types[type].name : "a type that gyre does not read";
}

const char *onnx_tensor_name(const Onnx__TensorProto *t) {
    return t->name == NULL || t->name[0] == '\0' ? "of a constant" : t->name;
}

bool onnx_tensor_is_outside(const Onnx__TensorProto *t) {
    return t->has_data_location && t->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL;
}

/* ---- checking */

static gyre_status count_elements(const onnx_file *f, const Onnx__TensorProto *t, size_t *count) {
    *count = 1;
    if (t->n_dims > ONNX_RANK_MAX) {
        return gyre_fail(GYRE_EIO, "'%s': tensor %s has %zu dimensions; at most %d were expected",
                         f->path, onnx_tensor_name(t), t->n_dims, ONNX_RANK_MAX);
    }
    for (size_t i = 0; i < t->n_dims; i++) {
        bool fits = t->dims[i] >= 0 && gyre_size_multiply(*count, (size_t)t->dims[i], count) &&
                    *count <= INT64_MAX / 8;
        if (fits) continue;
        return gyre_fail(GYRE_EIO, "'%s': dimension %zu of tensor %s is %lld, which cannot be",
                         f->path, i, onnx_tensor_name(t), (long long)t->dims[i]);
    }
    return GYRE_OK;
}

static size_t stored(const Onnx__TensorProto *t) {
    if (t->has_raw_data) return t->raw_data.len / types[t->data_type].bytes;
    switch (types[t->data_type].in) {
    case ONNX_IN_FLOATS: return t->n_float_data;
    case ONNX_IN_INT32: return t->n_int32_data;
    case ONNX_IN_INT64: return t->n_int64_data;
    case ONNX_IN_DOUBLES: return t->n_double_data;
    case ONNX_IN_UINT64: break;
    }
    return t->n_uint64_data;
}

/* A tensor has its numbers in one field, or in another file. */
static gyre_status check_fields(const onnx_file *f, const Onnx__TensorProto *t) {
    const bool there[] = {t->raw_data.len > 0,  t->n_float_data > 0,      t->n_int32_data > 0,
                          t->n_int64_data > 0,  t->n_double_data > 0,     t->n_uint64_data > 0,
                          t->n_string_data > 0, onnx_tensor_is_outside(t)};
    int count = 0;
    for (size_t i = 0; i < sizeof there / sizeof *there; i++) count += there[i];
    if (t->segment != NULL) {
        return gyre_fail(GYRE_EIO,
                         "'%s': tensor %s is a segment of a larger one; gyre reads whole tensors: "
                         "export it anew",
                         f->path, onnx_tensor_name(t));
    }
    if (count <= 1) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s': tensor %s has its numbers in %d places; one was expected: export it "
                     "anew",
                     f->path, onnx_tensor_name(t), count);
}

gyre_status onnx_tensor_check(const onnx_file *f, const Onnx__TensorProto *t, size_t *count) {
    GYRE_TRY(count_elements(f, t, count));
    GYRE_TRY(check_fields(f, t));
    if (!is_known(t->data_type)) {
        return gyre_fail(GYRE_EIO,
                         "'%s': tensor %s has type %d of ONNX's list; numbers of 8 to 64 bits were "
                         "expected",
                         f->path, onnx_tensor_name(t), (int)t->data_type);
    }
    if (onnx_tensor_is_outside(t)) return GYRE_OK;
    size_t found = stored(t);
    bool odd = t->has_raw_data && t->raw_data.len % types[t->data_type].bytes != 0;
    if (found == *count && !odd) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s': tensor %s has %zu numbers where its dimensions say %zu; the file is "
                     "damaged",
                     f->path, onnx_tensor_name(t), found, *count);
}
