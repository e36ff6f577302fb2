/* What the tests of a backend's operations share: buffers with guard bands, keyed random data,
 * comparisons with error bounds, finite differences.
 *
 * Bounds. A result that is a sum of K products in float has an error of at most about
 * K 2^-24 sum|terms|, and typically sqrt(K) 2^-24 sum|terms| or less. The references therefore run
 * twice, once on |inputs|, which yields sum|terms|; tests allow (4 + sqrt(K)) 2^-24 of it. */
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

#define HALF_ULP 0x1p-24
#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) != GYRE_OK) fail_msg("%s: %s", #call, gyre_error_text());                       \
    } while (0)

static inline gyre_backend *open_backend(int threads) {
    gyre_backend *b = NULL;
    gyre_backend_options options = {.threads = threads, .poison = true};
    OK(gyre_backend_open(GYRE_BACKEND_CPU, &options, NULL, &b));
    return b;
}

/* ---- device buffers of n floats between guard bands, NaN inside until written */

enum { GUARD = 32 };
static const float SENTINEL = -1234567.0f;

typedef struct {
    gyre_backend *b;
    gyre_raw whole;
    size_t n;
} buffer;

static inline gyre_f32 F(buffer x) {
    return x.whole == NULL ? NULL : gyre_f32_at((gyre_f32)(void *)x.whole, GUARD);
}
static inline gyre_act A(buffer x) {
    return (gyre_act)(void *)F(x);
}
static inline gyre_i32 I(buffer x) {
    return (gyre_i32)(void *)F(x);
}
static inline gyre_raw R(buffer x) {
    return (gyre_raw)(void *)F(x);
}

static inline buffer buffer_new(gyre_backend *b, size_t n) {
    buffer x = {b, NULL, n};
    float guard[GUARD];
    for (int i = 0; i < GUARD; i++) guard[i] = SENTINEL;
    OK(b->ops->alloc(b, (n + 2 * GUARD) * sizeof(float), &x.whole));
    OK(b->ops->upload(b->main, (gyre_f32)(void *)x.whole, guard, GUARD));
    OK(b->ops->upload(b->main, gyre_f32_at(F(x), n), guard, GUARD));
    return x;
}

static inline buffer buffer_bytes(gyre_backend *b, size_t bytes) {
    return buffer_new(b, (bytes + sizeof(float) - 1) / sizeof(float));
}

static inline buffer buffer_of(gyre_backend *b, const double *from, size_t n) {
    buffer x = buffer_new(b, n);
    float *copy = malloc((n + 1) * sizeof *copy);
    for (size_t i = 0; i < n; i++) copy[i] = (float)from[i];
    OK(b->ops->upload(b->main, F(x), copy, n));
    free(copy);
    return x;
}

static inline buffer buffer_labels(gyre_backend *b, const int32_t *labels, size_t n) {
    buffer x = buffer_new(b, n);
    OK(b->ops->upload(b->main, F(x), (const float *)(const void *)labels, n));
    return x;
}

/* The content on the host, freed by the caller; fails when a guard band was touched. */
static inline float *buffer_read(buffer x) {
    float *all = malloc((x.n + 2 * GUARD) * sizeof *all), *inside;
    OK(x.b->ops->download(x.b->main, all, (gyre_f32)(void *)x.whole, x.n + 2 * GUARD));
    for (size_t i = 0; i < GUARD; i++) {
        if (all[i] != SENTINEL) fail_msg("wrote %zu elements before the buffer", GUARD - i);
        if (all[GUARD + x.n + i] != SENTINEL) fail_msg("wrote %zu elements behind it", i + 1);
    }
    inside = malloc((x.n + 1) * sizeof *inside);
    memcpy(inside, all + GUARD, x.n * sizeof *inside);
    free(all);
    return inside;
}

static inline void buffer_free(buffer x) {
    float *content = buffer_read(x); /* inputs must not be written around either */
    free(content);
    x.b->ops->release(x.b, x.whole);
}

/* ---- host arrays; values are floats, so that both sides compute on the same numbers */

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

/* |got - want| <= relative * scale[i] + tiny everywhere; NaN fails. scale NULL: |want|. */
static inline void check_close(const char *what, buffer got, const double *want,
                               const double *scale, double relative) {
    float *have = buffer_read(got);
    for (size_t i = 0; i < got.n; i++) {
        double error = fabs((double)have[i] - want[i]);
        double allowed = relative * (scale == NULL ? fabs(want[i]) : scale[i]) + 0x1p-126;
        if (!(error <= allowed)) {
            fail_msg("%s[%zu of %zu]: got %.9g, want %.9g, error %.3g > %.3g", what, i, got.n,
                     (double)have[i], want[i], error, allowed);
        }
    }
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
