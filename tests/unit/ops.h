/* What the tests of a backend's operations share: buffers with guard bands, keyed random data,
 * comparisons with error bounds, finite differences.
 *
 * Bounds. A result that is a sum of K products in float has an error of at most about
 * K 2^-24 sum|terms|, and typically sqrt(K) 2^-24 sum|terms| or less. The references therefore run
 * twice, once on |inputs|, which yields sum|terms|; tests allow (4 + sqrt(K)) 2^-24 of it.
 *
 * Precision. RUN_IN_BOTH runs a program's tests in f32 and again in bf16, where activations are
 * bf16 and all sums f32: the same bounds hold, and then each output is rounded once, to 8 bits.
 * Inputs are rounded before the reference sees them. */
#ifndef GYRE_TESTS_OPS_H
#define GYRE_TESTS_OPS_H

#include "gyre/backend.h"
#include "gyre/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "precision.h"

#define HALF_ULP 0x1p-24
#define HALF_ULP_BF16 0x1p-8
#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) != GYRE_OK) fail_msg("%s: %s", #call, gyre_error_text());                       \
    } while (0)

/* A gyre_conv_shape with a square filter, equal strides and paddings, and one group. */
#define SQUARE_CONV(n, h, w, c, k, r, stride, pad, bias, relu)                                     \
    { n, h, w, c, k, r, r, stride, stride, pad, pad, pad, pad, 1, 1, 1, bias, relu }

static inline gyre_backend *open_backend(int threads) {
    gyre_backend *b = NULL;
    gyre_backend_options options = {.threads = threads, .precision = precision, .poison = true};
    OK(gyre_backend_open(GYRE_BACKEND_CPU, &options, NULL, &b));
    return b;
}

/* cmocka's group fixtures: *state is a backend of one thread. */
static inline int set_up_backend(void **state) {
    *state = open_backend(1);
    return 0;
}

static inline int tear_down_backend(void **state) {
    gyre_backend *b = *state;
    b->ops->close(b);
    return 0;
}

/* ---- bf16 numbers, by arithmetic */

static inline double bf16_of(double x) {
    int exponent;
    if (x == 0 || !isfinite(x)) return x;
    frexp(x, &exponent);
    double unit = ldexp(1, (exponent < -125 ? -125 : exponent) - 8);
    double y = rint(x / unit) * unit; /* ties go to even */
    return fabs(y) >= 0x1p128 ? copysign(INFINITY, y) : y;
}

/* To numbers that activations can hold. */
static inline void round_acts(double *x, size_t n) {
    for (size_t i = 0; precision == GYRE_PRECISION_BF16 && i < n; i++) x[i] = bf16_of(x[i]);
}

/* ---- device buffers of n elements between guard bands, NaN inside until written */

enum { GUARD = 128 }; /* bytes */
static const unsigned char SENTINEL = 0xa5;

typedef struct {
    gyre_backend *b;
    gyre_raw whole;
    size_t n, size; /* elements, and bytes of one */
} buffer;

static inline gyre_raw R(buffer x) {
    return x.whole == NULL ? NULL : (gyre_raw)(void *)((char *)(void *)x.whole + GUARD);
}
static inline gyre_f32 F(buffer x) {
    return (gyre_f32)(void *)R(x);
}
static inline gyre_act A(buffer x) {
    return (gyre_act)(void *)R(x);
}
static inline gyre_i32 I(buffer x) {
    return (gyre_i32)(void *)R(x);
}

/* Floats in a buffer with its guard bands; the last one has more bytes when n * size is odd. */
static inline size_t whole_floats(buffer x) {
    return (x.n * x.size + 2 * GUARD + sizeof(float) - 1) / sizeof(float);
}

/* From host memory, or NaN. */
static inline buffer buffer_from(gyre_backend *b, const void *content, size_t n, size_t size) {
    buffer x = {b, NULL, n, size};
    size_t bytes = whole_floats(x) * sizeof(float);
    char *all = malloc(bytes);
    memset(all, SENTINEL, bytes);
    memset(all + GUARD, 0xff, n * size);
    if (content != NULL) memcpy(all + GUARD, content, n * size);
    OK(b->ops->alloc(b, bytes, &x.whole));
    OK(b->ops->upload(b->main, (gyre_f32)(void *)x.whole, (float *)(void *)all, whole_floats(x)));
    free(all);
    return x;
}

static inline buffer buffer_new(gyre_backend *b, size_t n) {
    return buffer_from(b, NULL, n, sizeof(float));
}

static inline buffer acts_new(gyre_backend *b, size_t n) {
    return buffer_from(b, NULL, n, b->act_size);
}

static inline buffer buffer_bytes(gyre_backend *b, size_t bytes) {
    return buffer_new(b, (bytes + sizeof(float) - 1) / sizeof(float));
}

static inline buffer buffer_of(gyre_backend *b, const double *from, size_t n) {
    float *copy = malloc((n + 1) * sizeof *copy);
    for (size_t i = 0; i < n; i++) copy[i] = (float)from[i];
    buffer x = buffer_from(b, copy, n, sizeof *copy);
    free(copy);
    return x;
}

/* Activations. In bf16 of what round_acts gave, so that nothing is lost here. */
static inline buffer acts_of(gyre_backend *b, const double *from, size_t n) {
    if (b->act_size == sizeof(float)) return buffer_of(b, from, n);
    uint16_t *copy = malloc((n + 1) * sizeof *copy);
    for (size_t i = 0; i < n; i++) {
        float value = (float)bf16_of(from[i]);
        uint32_t bits;
        memcpy(&bits, &value, sizeof bits);
        copy[i] = (uint16_t)(bits >> 16);
    }
    buffer x = buffer_from(b, copy, n, sizeof *copy);
    free(copy);
    return x;
}

static inline buffer buffer_labels(gyre_backend *b, const int32_t *labels, size_t n) {
    return buffer_from(b, labels, n, sizeof *labels);
}

/* The bytes on the host, freed by the caller; fails when a guard band was touched. */
static inline void *buffer_raw(buffer x) {
    size_t floats = whole_floats(x), bytes = x.n * x.size;
    unsigned char *all = malloc(floats * sizeof(float)), *inside = malloc(bytes + 1);
    OK(x.b->ops->download(x.b->main, (float *)(void *)all, (gyre_f32)(void *)x.whole, floats));
    for (size_t i = 0; i < GUARD; i++) {
        if (all[i] != SENTINEL) fail_msg("wrote %zu bytes before the buffer", GUARD - i);
        if (all[GUARD + bytes + i] != SENTINEL) fail_msg("wrote %zu bytes behind it", i + 1);
    }
    memcpy(inside, all + GUARD, bytes);
    free(all);
    return inside;
}

/* The same as floats: bf16 is the upper half of one. */
static inline float *buffer_read(buffer x) {
    void *inside = buffer_raw(x);
    if (x.size == sizeof(float)) return inside;
    float *wide = malloc((x.n + 1) * sizeof *wide);
    for (size_t i = 0; i < x.n; i++) {
        uint32_t bits = (uint32_t)((const uint16_t *)inside)[i] << 16;
        memcpy(&wide[i], &bits, sizeof bits);
    }
    free(inside);
    return wide;
}

static inline void buffer_free(buffer x) {
    free(buffer_raw(x)); /* inputs must not be written around either */
    x.b->ops->release(x.b, x.whole);
}

/* ---- host arrays; values are floats (and activations then rounded), so that both sides compute on
 * the same numbers */

static inline double *zeros(size_t n) {
    return calloc(n + 1, sizeof(double));
}

static inline double *randoms(uint64_t key, size_t n) {
    gyre_random r = gyre_random_open(11, GYRE_RANDOM_TEST, key, n);
    double *x = zeros(n);
    for (size_t i = 0; i < n; i++) x[i] = (double)(float)(gyre_random_normal(&r) + 0.1);
    return x;
}

static inline double *absolutes(const double *x, size_t n) {
    double *y = zeros(n);
    for (size_t i = 0; i < n; i++) y[i] = fabs(x[i]);
    return y;
}

/* |got - want| <= relative * scale[i] + tiny everywhere; NaN fails. scale NULL: |want|. bf16 may be
 * off by a rounding of that besides; where relative is 0, it is want rounded. */
static inline void check_numbers(const char *what, buffer got, const double *want,
                                 const double *scale, double relative, bool bf16) {
    float *have = buffer_read(got);
    for (size_t i = 0; i < got.n; i++) {
        double aim = bf16 && relative == 0 ? bf16_of(want[i]) : want[i];
        double error = fabs((double)have[i] - aim);
        double allowed = relative * (scale == NULL ? fabs(want[i]) : scale[i]) + 0x1p-126;
        if (bf16 && relative > 0) allowed += HALF_ULP_BF16 * (fabs(want[i]) + allowed);
        if (!(error <= allowed)) {
            fail_msg("%s[%zu of %zu]: got %.9g, want %.9g, error %.3g > %.3g", what, i, got.n,
                     (double)have[i], aim, error, allowed);
        }
    }
    free(have);
}

static inline void check_close(const char *what, buffer got, const double *want,
                               const double *scale, double relative) {
    check_numbers(what, got, want, scale, relative, got.size == sizeof(uint16_t));
}

/* A weight gradient, f32 whose numbers are bf16 where activations are. */
static inline void check_rounded(const char *what, buffer got, const double *want,
                                 const double *scale, double relative) {
    bool bf16 = precision == GYRE_PRECISION_BF16;
    check_numbers(what, got, want, scale, relative, bf16);
    float *have = buffer_read(got);
    for (size_t i = 0; bf16 && i < got.n; i++) assert_true((double)have[i] == bf16_of(have[i]));
    free(have);
}

static inline double sum_bound(double terms) {
    return (4 + sqrt(terms)) * HALF_ULP;
}

/* ---- finite differences of the double references */

/* sum(weight * y), y = forward(context); theta points to inputs inside the context. The central
 * difference with step 1e-5 is off by about 1e-10 f''' and 1e-11 |f|, so 1e-6 is generous. At most
 * 40 coordinates are tried. */
typedef double (*scalar_function)(void *context);

static inline void check_gradient(const char *what, scalar_function f, void *context, double *theta,
                                  size_t n, const double *gradient) {
    size_t stride = n / 40 + 1;
    for (size_t i = 0; i < n; i += stride) {
        double at = theta[i], h = 1e-5;
        theta[i] = at + h;
        double above = f(context);
        theta[i] = at - h;
        double below = f(context);
        theta[i] = at;
        double slope = (above - below) / (2 * h), error = fabs(slope - gradient[i]);
        if (!(error <= 1e-6 * fmax(1, fabs(slope)))) {
            fail_msg("%s[%zu]: reference gradient %.9g, finite difference %.9g", what, i,
                     gradient[i], slope);
        }
    }
}

static inline double dot(const double *a, const double *b, size_t n) {
    double sum = 0;
    for (size_t i = 0; i < n; i++) sum += a[i] * b[i];
    return sum;
}

#endif
