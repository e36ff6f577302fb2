/* What the values of samples and targets are stored as, and what a sample is judged against. */
#ifndef GYRE_ELEMENT_H
#define GYRE_ELEMENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Little-endian. The first is the default: bytes of pictures. */
typedef enum {
    GYRE_ELEMENT_U8,
    GYRE_ELEMENT_U16,
    GYRE_ELEMENT_I16,
    GYRE_ELEMENT_F16,
    GYRE_ELEMENT_F32,
    GYRE_ELEMENT_I32, /* of targets alone */
    GYRE_ELEMENTS
} gyre_element;

/* IEEE 754 binary16 as float, exactly; the bits of a NaN are shifted. */
static inline float gyre_half_to_float(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000u) << 16, rest = half & 0x7fffu, bits;
    float value;
    if (rest >= 0x7c00u) { /* infinity, NaN */
        bits = sign | 0x7f800000u | (rest & 0x3ffu) << 13;
    } else if (rest >= 0x400u) {
        bits = sign | ((rest << 13) + (112u << 23));
    } else { /* zero and subnormals: a multiple of 2^-24 */
        value = (float)rest * 0x1p-24f;
        memcpy(&bits, &value, sizeof bits);
        bits |= sign;
    }
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* n stored values as floats, each exactly (i32: rounded). They may begin at any byte. */
void gyre_element_floats(gyre_element e, const void *values, size_t n, float *out);

size_t gyre_element_size(gyre_element e);      /* bytes of one */
const char *gyre_element_name(gyre_element e); /* "f16" */
/* Is it a type of samples, of targets? `e` may be any number: then it is of neither. */
bool gyre_element_of_samples(gyre_element e);
bool gyre_element_of_targets(gyre_element e);
/* What messages call `count` samples of this type: "image", "images" where they are bytes, else
 * "sample", "samples". */
const char *gyre_element_noun(gyre_element e, int64_t count);

/* What one sample is judged against: h x w x c values. All zero: one class. */
typedef struct {
    int h, w, c;
    bool classes; /* each value is a class, and c is 1: a class for each pixel */
} gyre_target;

/* Is it one class for the whole sample? */
static inline bool gyre_target_is_label(const gyre_target *t) {
    return t->h == 0;
}

/* Are its values classes? */
static inline bool gyre_target_has_classes(const gyre_target *t) {
    return t->h == 0 || t->classes;
}

/* Values of a sample, of 4 bytes each: int32 classes, or float32. */
static inline size_t gyre_target_values(const gyre_target *t) {
    return t->h == 0 ? 1 : (size_t)t->h * (size_t)t->w * (size_t)t->c;
}

#ifdef __cplusplus
}
#endif
#endif
