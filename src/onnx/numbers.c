/* Tensors as numbers: what lies in raw_data, in a field of the type's own, or in a file beside. */
#include "numbers.h"

#include "external.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double half(uint16_t bits) {
    int exponent = bits >> 10 & 31, fraction = bits & 1023;
    double size = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
                  : exponent == 0 ? ldexp(fraction, -24)
                                  : ldexp(1024 + fraction, exponent - 25);
    return (bits & 0x8000) != 0 ? -size : size;
}

static double brain(uint16_t bits) {
    uint32_t wide = (uint32_t)bits << 16;
    float x;
    memcpy(&x, &wide, sizeof x);
    return (double)x;
}

#define TAKE(type)                                                                                 \
    type x;                                                                                        \
    memcpy(&x, at, sizeof x)

static double from_bytes(int type, const uint8_t *at) {
    switch (type) {
    case ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT: {
        TAKE(float);
        return (double)x;
    }
    case ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE: {
        TAKE(double);
        return x;
    }
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT64: {
        TAKE(int64_t);
        return (double)x;
    }
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT64: {
        TAKE(uint64_t);
        return (double)x;
    }
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT32: {
        TAKE(int32_t);
        return x;
    }
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT32: {
        TAKE(uint32_t);
        return x;
    }
    case ONNX__TENSOR_PROTO__DATA_TYPE__INT8: return *(const int8_t *)at;
    case ONNX__TENSOR_PROTO__DATA_TYPE__UINT8:
    case ONNX__TENSOR_PROTO__DATA_TYPE__BOOL: return *at;
    default: break;
    }
    TAKE(uint16_t);
    return type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16    ? half(x)
           : type == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16 ? brain(x)
           : type == ONNX__TENSOR_PROTO__DATA_TYPE__INT16    ? (double)(int16_t)x
                                                             : x;
}

static double from_field(const Onnx__TensorProto *t, size_t i) {
    switch (onnx_type_field(t->data_type)) {
    case ONNX_IN_FLOATS: return (double)t->float_data[i];
    case ONNX_IN_DOUBLES: return t->double_data[i];
    case ONNX_IN_INT64: return (double)t->int64_data[i];
    case ONNX_IN_UINT64: return (double)t->uint64_data[i];
    case ONNX_IN_INT32: break;
    }
    uint16_t bits = (uint16_t)t->int32_data[i];
    return t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16    ? half(bits)
           : t->data_type == ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16 ? brain(bits)
                                                                     : t->int32_data[i];
}

/* The bytes of a tensor that has them: in `owned` (free() it) where they lie beside the file; NULL:
 * its numbers are in a field. */
static gyre_status bytes_of(const onnx_file *f, const Onnx__TensorProto *t, size_t count,
                            uint8_t **owned, const uint8_t **out) {
    *owned = NULL;
    *out = t->has_raw_data ? t->raw_data.data : NULL;
    if (!onnx_tensor_is_outside(t)) return GYRE_OK;
    size_t size = count * onnx_type_bytes(t->data_type);
    *owned = malloc(size + 1);
    if (*owned == NULL) return gyre_no_memory("tensor %s of '%s'", onnx_tensor_name(t), f->path);
    *out = *owned;
    return onnx_external_read(f, t, *owned, size);
}

/* One of the two is NULL. */
static gyre_status read_numbers(const onnx_file *f, const Onnx__TensorProto *t, double *doubles,
                                float *floats) {
    gyre_status status = GYRE_OK;
    uint8_t *owned = NULL;
    const uint8_t *bytes = NULL;
    size_t count = 0, each = onnx_type_bytes(t->data_type);
    GYRE_TRY(onnx_tensor_check(f, t, &count));
    GYRE_GOTO(bytes_of(f, t, count, &owned, &bytes));
    for (size_t i = 0; i < count; i++) {
        double x = bytes != NULL ? from_bytes(t->data_type, bytes + i * each) : from_field(t, i);
        if (doubles != NULL) doubles[i] = x;
        if (floats != NULL) floats[i] = (float)x;
    }
out:
    free(owned);
    return status;
}

gyre_status onnx_numbers_doubles(const onnx_file *f, const Onnx__TensorProto *t, double *out) {
    return read_numbers(f, t, out, NULL);
}

gyre_status onnx_numbers_floats(const onnx_file *f, const Onnx__TensorProto *t, float *out) {
    return read_numbers(f, t, NULL, out);
}
