/* Activations as numbers: f32, or bf16 that is widened when read and rounded when written.
 *
 * Arithmetic is f32 for both types. A loop is written once, for `const void *`, with a parameter
 * `bf16`, and called through ACT_CALL, which makes that parameter a constant: the compiler then
 * sees two loops, each of one type. Rounding is to nearest even in integer operations and not by
 * the processor's own instruction, which takes denormals for 0: so every machine gives the same
 * bits, and NaN stays NaN. */
#ifndef GYRE_CPU_ACT_H
#define GYRE_CPU_ACT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ACT_LOOP static inline __attribute__((always_inline))

/* loop(bf16, width, ...) with constants for both: width is GROUP, or less at an end. */
#define ACT_CALL(bf16, width, loop, ...)                                                           \
    do {                                                                                           \
        if ((bf16) && (width) == GROUP)                                                            \
            loop(true, GROUP, __VA_ARGS__);                                                        \
        else if (bf16)                                                                             \
            loop(true, width, __VA_ARGS__);                                                        \
        else if ((width) == GROUP)                                                                 \
            loop(false, GROUP, __VA_ARGS__);                                                       \
        else                                                                                       \
            loop(false, width, __VA_ARGS__);                                                       \
    } while (0)

/* loop(bf16, width, begin, end, ...) over n elements: the full groups, then the rest. */
#define ACT_CALL_GROUPS(bf16, n, loop, ...)                                                        \
    do {                                                                                           \
        size_t all_ = (n), rest_ = all_ % GROUP, full_ = all_ - rest_;                             \
        ACT_CALL(bf16, GROUP, loop, 0, full_, __VA_ARGS__);                                        \
        if (rest_ > 0) ACT_CALL(bf16, rest_, loop, full_, all_, __VA_ARGS__);                      \
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

/* ---- groups: GROUP consecutive elements in two vectors, each one AVX-512 register or two of AVX2.
 * Said outright, since compilers keep arrays of sums in memory, which made loops twice as slow.
 *
 * Of f32, `a` holds the first half and `b` the second; of bf16, `a` holds the elements at even
 * places and `b` those at odd ones: so a 32-bit word is parted and joined without moving anything
 * sideways, which halved the time of such loops. Elementwise arithmetic need not know; group_of and
 * group_list bring other numbers into that order and back. */
enum { LANES = 16, GROUP = 2 * LANES };
typedef float lanes __attribute__((vector_size(LANES * 4)));
typedef int32_t lanes_mask __attribute__((vector_size(LANES * 4)));
typedef uint32_t lanes_bits __attribute__((vector_size(LANES * 4)));

typedef struct {
    lanes a, b;
} group;

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "even places are the lower halves");

/* Elements x[i] to x[i + width - 1], width <= GROUP; the others are 0. By pointer, because how such
 * vectors are passed by value depends on the instruction set. */
ACT_LOOP void group_get(bool bf16, size_t width, const void *x, size_t i, group *out) {
    size_t size = bf16 ? sizeof(uint16_t) : sizeof(float);
    const char *from = (const char *)x + i * size;
    char part[sizeof *out];
    if (width < GROUP) {
        memset(part, 0, sizeof part);
        from = memcpy(part, from, width * size);
    }
    memcpy(&out->a, from, sizeof out->a);
    if (bf16) {
        lanes_bits words = (lanes_bits)out->a;
        out->a = (lanes)(words << 16);
        out->b = (lanes)(words & 0xffff0000);
    } else {
        memcpy(&out->b, from + sizeof out->a, sizeof out->b);
    }
}

/* The opposite, without rounding: for elements of a bf16 tensor, or 0. */
ACT_LOOP void group_put_exact(bool bf16, size_t width, const group *value, void *x, size_t i) {
    size_t size = bf16 ? sizeof(uint16_t) : sizeof(float);
    char *to = (char *)x + i * size, part[sizeof *value];
    char *first = width < GROUP ? part : to;
    if (bf16) {
        lanes_bits words = (lanes_bits)value->a >> 16 | ((lanes_bits)value->b & 0xffff0000);
        memcpy(first, &words, sizeof words);
    } else {
        memcpy(first, &value->a, sizeof value->a);
        memcpy(first + sizeof value->a, &value->b, sizeof value->b);
    }
    /* cppcheck-suppress uninitvar ; written through `first` */
    if (width < GROUP) memcpy(to, part, width * size);
}

/* bf16_round of a sum or product in the upper half of each lane. A NaN needs no care, provided that
 * no operand was a NaN with bits below a bf16's: it is quiet then, and nothing carries into it. */
ACT_LOOP void round_lanes(lanes *x) {
    lanes_bits bits = (lanes_bits)*x;
    *x = (lanes)(bits + (bits >> 16 & 1) + 0x7fff);
}

ACT_LOOP void group_put(bool bf16, size_t width, const group *value, void *x, size_t i) {
    group out = *value;
    if (bf16) {
        round_lanes(&out.a);
        round_lanes(&out.b);
    }
    group_put_exact(bf16, width, &out, x, i);
}

/* The two below compare in integers, by the sign of differences: GCC 12 makes scalar code of
 * comparisons of such vectors where the processor has none as wide, as with AVX2. */

/* 0 where x < 0; NaN stays NaN. */
ACT_LOOP void rectify_lanes(lanes *x) {
    lanes_bits bits = (lanes_bits)*x, size = bits & 0x7fffffffu;
    lanes_bits no_nan = size - 0x7f800001u, no_zero = 0u - size;
    *x = (lanes)(bits & ~(lanes_bits)((lanes_mask)(bits & no_nan & no_zero) >> 31));
}

/* d stays where the ReLU's result y is above 0, or NaN so that it is seen, and is 0 elsewhere. */
ACT_LOOP void mask_lanes(lanes *d, const lanes *y) {
    lanes_bits bits = (lanes_bits)*y, size = bits & 0x7fffffffu;
    lanes_bits above = (0u - bits) & ~bits, nan = 0x7f800000u - size;
    *d = (lanes)((lanes_bits)*d & (lanes_bits)((lanes_mask)(above | nan) >> 31));
}

/* GROUP numbers in the order of a group of that type, and back. */
ACT_LOOP void group_of(bool bf16, const float *list, group *out) {
    for (int j = 0; j < LANES; j++) {
        out->a[j] = list[bf16 ? 2 * j : j];
        out->b[j] = list[bf16 ? 2 * j + 1 : LANES + j];
    }
}

ACT_LOOP void group_list(bool bf16, const group *x, float *list) {
    for (int j = 0; j < LANES; j++) {
        list[bf16 ? 2 * j : j] = x->a[j];
        list[bf16 ? 2 * j + 1 : LANES + j] = x->b[j];
    }
}

#endif
