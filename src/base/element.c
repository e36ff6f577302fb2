/* Stored values as floats. */
#include "gyre/element.h"

#define WIDEN(type, convert)                                                                       \
    for (size_t i = 0; i < n; i++) {                                                               \
        type value;                                                                                \
        memcpy(&value, from + i * sizeof value, sizeof value);                                     \
        out[i] = convert(value);                                                                   \
    }                                                                                              \
    break

void gyre_element_floats(gyre_element e, const void *values, size_t n, float *out) {
    const char *from = values;
    switch (e) {
    case GYRE_ELEMENT_U8: WIDEN(uint8_t, (float));
    case GYRE_ELEMENT_U16: WIDEN(uint16_t, (float));
    case GYRE_ELEMENT_I16: WIDEN(int16_t, (float));
    case GYRE_ELEMENT_F16: WIDEN(uint16_t, gyre_half_to_float);
    case GYRE_ELEMENT_F32: memcpy(out, values, n * sizeof *out); break;
    case GYRE_ELEMENT_I32: WIDEN(int32_t, (float));
    case GYRE_ELEMENTS: break;
    }
}

const char *gyre_element_name(gyre_element e) {
    static const char *const names[] = {"u8", "u16", "i16", "f16", "f32", "i32"};
    return names[e];
}
