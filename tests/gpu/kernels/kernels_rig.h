/* What tests of kernels share, beside tests/unit/ops.h: arrays at chosen alignments between guard
 * bands, and the CPU backend as the reference on the same backend object. */
#ifndef GYRE_TESTS_KERNELS_RIG_H
#define GYRE_TESTS_KERNELS_RIG_H

#include "ops.h"

#include "emulator.h"
#include "kernels.h"
#include "operation.h"

const gyre_backend_ops *emulated_cpu_ops(void);
/* The work memory of the operations from here on, for those that look into it; NULL: their own. */
void emulated_work(void *memory);

/* n elements of `size` bytes that begin `shift` elements behind a 64-byte boundary. */
typedef struct {
    unsigned char *all;
    size_t n, size, shift;
} placed;

static inline size_t placed_bytes(placed p) {
    return (2 * GUARD + (p.n + p.shift) * p.size + 63) / 64 * 64;
}
static inline void *P(placed p) {
    return p.all + GUARD + p.shift * p.size;
}

static inline placed placed_from(const void *content, size_t n, size_t size, size_t shift) {
    placed p = {NULL, n, size, shift};
    p.all = aligned_alloc(64, placed_bytes(p));
    memset(p.all, SENTINEL, placed_bytes(p));
    if (content != NULL)
        memcpy(P(p), content, n * size);
    else
        memset(P(p), 0xff, n * size);
    return p;
}

static inline void placed_check(const char *what, placed p) {
    size_t before = GUARD + p.shift * p.size, behind = before + p.n * p.size;
    for (size_t i = 0; i < placed_bytes(p); i++) {
        if (i == before) i = behind;
        if (i < placed_bytes(p) && p.all[i] != SENTINEL) {
            fail_msg("%s: wrote outside of %zu elements, at byte %td", what, p.n,
                     (ptrdiff_t)i - (ptrdiff_t)before);
        }
    }
}

static inline void placed_free(placed p) {
    placed_check("array", p);
    free(p.all);
}

/* Element i as a number. */
static inline float element_of(const void *x, size_t size, size_t i) {
    if (size == sizeof(float)) return ((const float *)x)[i];
    uint32_t bits = (uint32_t)((const uint16_t *)x)[i] << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* The same bits; one NaN is like another when `any_nan`. */
static inline void check_bits(const char *what, const void *got, const void *want, size_t n,
                              size_t size, bool any_nan) {
    for (size_t i = 0; i < n; i++) {
        const char *a = (const char *)got + i * size, *b = (const char *)want + i * size;
        float x = element_of(got, size, i), y = element_of(want, size, i);
        if (memcmp(a, b, size) == 0 || (any_nan && isnan(x) && isnan(y))) continue;
        fail_msg("%s[%zu of %zu]: got %.9g, want %.9g", what, i, n, (double)x, (double)y);
    }
}

/* Normal numbers as elements of `size` bytes, with zeros, infinities and a NaN among them when
 * `special`; freed by the caller. */
static inline void *elements(uint64_t key, size_t n, size_t size, bool special) {
    static const float specials[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN};
    double *x = randoms(key, n);
    char *out = malloc(n * size + 1);
    for (size_t i = 0; i < n; i++) {
        float value = (float)(size == 2 ? bf16_of(x[i]) : x[i]);
        if (special && i % 7 == 3) value = specials[i / 7 % 5];
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        bits = size == 2 ? bits >> 16 : bits;
        memcpy(out + i * size, &bits, size); /* little-endian */
    }
    free(x);
    return out;
}

#endif
