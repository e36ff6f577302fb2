/* Activations as numbers: f32, or bf16 that is widened when read and rounded when written.
 *
 * Arithmetic is f32 for both types. A loop is written once, for `const void *`, as an ACT_LOOP with
 * a parameter `bf16`, and called through ACT_CALL, which makes that parameter a constant: the
 * compiler then sees two loops, each of one type. Rounding is to nearest even in integer operations
 * and not by the processor's own instruction, which takes denormals for 0: so every machine gives
 * the same bits, and NaN stays NaN. */
#ifndef GYRE_CPU_ACT_H
#define GYRE_CPU_ACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ACT_LOOP static inline __attribute__((always_inline))
#define ACT_CALL(bf16, loop, ...)                                                                  \
    do {                                                                                           \
        if (bf16)                                                                                  \
            loop(true, __VA_ARGS__);                                                               \
        else                                                                                       \
            loop(false, __VA_ARGS__);                                                              \
    } while (0)

ACT_LOOP float bf16_widen(uint16_t x) {
    uint32_t bits = (uint32_t)x << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A value above the largest bf16 rounds to infinity; a NaN keeps its sign and is made quiet. */
ACT_LOOP uint16_t bf16_round(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t nearest = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
    return (uint16_t)(x != x ? bits >> 16 | 0x40 : nearest);
}

ACT_LOOP float act_get(bool bf16, const void *x, size_t i) {
    return bf16 ? bf16_widen(((const uint16_t *)x)[i]) : ((const float *)x)[i];
}

ACT_LOOP void act_put(bool bf16, void *x, size_t i, float value) {
    if (bf16)
        ((uint16_t *)x)[i] = bf16_round(value);
    else
        ((float *)x)[i] = value;
}

/* ---- LANES channels of a pixel: one AVX-512 register, two of AVX2. Said outright, since compilers
 * keep arrays of sums in memory, which made loops twice as slow. Passed by pointer, because how
 * such vectors are passed depends on the instruction set. */
enum { LANES = 16 };
typedef float lanes __attribute__((vector_size(LANES * 4)));
typedef int32_t lanes_mask __attribute__((vector_size(LANES * 4)));
typedef uint32_t lanes_bits __attribute__((vector_size(LANES * 4)));
typedef uint16_t lanes_bf16 __attribute__((vector_size(LANES * 2)));

/* The first `width` of LANES elements from x[i] on; the others are 0. */
ACT_LOOP void lanes_get(bool bf16, const void *x, size_t i, size_t width, lanes *out) {
    lanes_bf16 half = {0};
    *out = (lanes){0};
    if (bf16) {
        const uint16_t *from = (const uint16_t *)x + i;
        if (width == LANES)
            memcpy(&half, from, sizeof half);
        else
            for (size_t j = 0; j < width; j++) half[j] = from[j];
        *out = (lanes)(__builtin_convertvector(half, lanes_bits) << 16);
    } else {
        const float *from = (const float *)x + i;
        if (width == LANES)
            memcpy(out, from, sizeof *out);
        else
            for (size_t j = 0; j < width; j++) (*out)[j] = from[j];
    }
}

ACT_LOOP void lanes_put(bool bf16, void *x, size_t i, size_t width, const lanes *value) {
    if (bf16) {
        uint16_t *to = (uint16_t *)x + i;
        lanes_bits bits = (lanes_bits)*value, nan = (lanes_bits)(*value != *value);
        lanes_bits nearest = (bits + 0x7fff + (bits >> 16 & 1)) >> 16;
        lanes_bits rounded = (nearest & ~nan) | ((bits >> 16 | 0x40) & nan);
        lanes_bf16 half = __builtin_convertvector(rounded, lanes_bf16);
        if (width == LANES)
            memcpy(to, &half, sizeof half);
        else
            for (size_t j = 0; j < width; j++) to[j] = half[j];
    } else {
        float *to = (float *)x + i;
        if (width == LANES)
            memcpy(to, value, sizeof *value);
        else
            for (size_t j = 0; j < width; j++) to[j] = (*value)[j];
    }
}

#endif
