/* The table of types, and stored values as floats. */
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

static const struct {
    const char *name;
    size_t size;
    bool of_samples, of_targets;
} elements[GYRE_ELEMENTS] = {
    [GYRE_ELEMENT_U8] = {"u8", 1, true, false},   [GYRE_ELEMENT_U16] = {"u16", 2, true, false},
    [GYRE_ELEMENT_I16] = {"i16", 2, true, false}, [GYRE_ELEMENT_F16] = {"f16", 2, true, false},
    [GYRE_ELEMENT_F32] = {"f32", 4, true, true},  [GYRE_ELEMENT_I32] = {"i32", 4, false, true},
};

size_t gyre_element_size(gyre_element e) {
    return elements[e].size;
}

const char *gyre_element_name(gyre_element e) {
    return elements[e].name;
}

bool gyre_element_of_samples(gyre_element e) {
    return (unsigned)e < GYRE_ELEMENTS && elements[e].of_samples;
}

bool gyre_element_of_targets(gyre_element e) {
    return (unsigned)e < GYRE_ELEMENTS && elements[e].of_targets;
}

const char *gyre_element_noun(gyre_element e, int64_t count) {
    if (e == GYRE_ELEMENT_U8) return count == 1 ? "image" : "images";
    return count == 1 ? "sample" : "samples";
}
