/* Activations against their definitions in double, whose slopes agree with finite differences, at
 * lengths that no group divides. Errors over all floats are in test_realmath_f32.c. */
#include "ops.h"

typedef gyre_activation_shape shape;

enum { SIZES = 10 };
static const size_t sizes[SIZES] = {1, 2, 15, 16, 31, 33, 255, 256, 257, 1031};
static const double SLOPE = 0.25;

/* ---- definitions: value and slope at x */

static double clamp6(double x) {
    return x != x ? x : fmin(fmax(x, 0), 6);
}
static double logistic(double x) {
    return 1 / (1 + exp(-x));
}
static double normal(double x) {
    return 0.5 * erfc(-x / sqrt(2));
}
static double tanh_form(double x) {
    return logistic(2 * sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x));
}
static double value(gyre_activation kind, double x) {
    switch (kind) {
    case GYRE_ACTIVATION_RELU6: return clamp6(x);
    case GYRE_ACTIVATION_LEAKY_RELU: return x < 0 ? SLOPE * x : x;
    case GYRE_ACTIVATION_ELU: return x < 0 ? SLOPE * expm1(x) : x;
    case GYRE_ACTIVATION_SIGMOID: return logistic(x);
    case GYRE_ACTIVATION_TANH: return tanh(x);
    case GYRE_ACTIVATION_GELU: return x * normal(x);
    case GYRE_ACTIVATION_GELU_TANH: return x * tanh_form(x);
    case GYRE_ACTIVATION_SILU: return x * logistic(x);
    case GYRE_ACTIVATION_MISH: return x * tanh(log1p(exp(x)));
    case GYRE_ACTIVATION_HARDSIGMOID: return clamp6(x + 3) / 6;
    case GYRE_ACTIVATION_HARDSWISH: return x * clamp6(x + 3) / 6;
    }
    return NAN;
}

static bool reads_y(gyre_activation kind) {
    enum { x, y };
#define READS(KIND, name, reads, about)                                                            \
    if (kind == GYRE_ACTIVATION_##KIND) return (reads) == y;
    GYRE_ACTIVATIONS(READS)
    return false;
}

/* At v, which is x or y. */
static double slope(gyre_activation kind, double v) {
    double bell = exp(-v * v / 2) / sqrt(2 * acos(-1)), s = logistic(v), t = tanh_form(v);
    double inner = 2 * sqrt(2 / acos(-1)) * (1 + 3 * 0.044715 * v * v);
    double mish = tanh(log1p(exp(v)));
    switch (kind) {
    case GYRE_ACTIVATION_RELU6: return v > 0 && v < 6;
    case GYRE_ACTIVATION_LEAKY_RELU: return v > 0 ? 1 : SLOPE;
    case GYRE_ACTIVATION_ELU: return v < 0 ? v + SLOPE : 1;
    case GYRE_ACTIVATION_SIGMOID: return v * (1 - v);
    case GYRE_ACTIVATION_TANH: return 1 - v * v;
    case GYRE_ACTIVATION_GELU: return normal(v) + v * bell;
    case GYRE_ACTIVATION_GELU_TANH: return t + v * inner * t * (1 - t);
    case GYRE_ACTIVATION_SILU: return s + v * s * (1 - s);
    case GYRE_ACTIVATION_MISH: return mish + v * s * (1 - mish * mish);
    case GYRE_ACTIVATION_HARDSIGMOID: return v > -3 && v < 3 ? 1.0 / 6 : 0;
    case GYRE_ACTIVATION_HARDSWISH: return v <= -3 ? 0 : v >= 3 ? 1 : v / 3 + 0.5;
    }
    return NAN;
}

/* ---- tests */

/* Numbers on both sides of every bend, some of them far out. */
static double *arguments(size_t n) {
    double *x = randoms(1, n);
    for (size_t i = 0; i < n; i++) x[i] = (double)(float)(x[i] * (i % 5 == 0 ? 20 : 3));
    round_acts(x, n);
    return x;
}

/* Values are good to 7 ulp, small ones (gelu_tanh) to 8 of 2^-10; slopes to 8 ulp of 1, times dy.
 */
static void check_kind(gyre_backend *b, gyre_activation kind, size_t n) {
    shape s = {n, kind, (float)SLOPE};
    double *x = arguments(n), *dy = randoms(2, n), *y = zeros(n), *dx = zeros(n), *scale = zeros(n);
    round_acts(dy, n);
    buffer dev_x = acts_of(b, x, n), dev_dy = acts_of(b, dy, n), dev_y = acts_new(b, n);
    buffer dev_dx = acts_new(b, n), dev_v = reads_y(kind) ? dev_y : dev_x;
    OK(b->ops->activation(b->main, &s, A(dev_x), A(dev_y)));
    for (size_t i = 0; i < n; i++) y[i] = value(kind, x[i]);
    for (size_t i = 0; i < n; i++) scale[i] = fmax(fabs(y[i]), 0x1p-10);
    check_close("y", dev_y, y, scale, 16 * HALF_ULP);
    float *v = buffer_read(dev_v);
    OK(b->ops->activation_dx(b->main, &s, A(dev_v), A(dev_dy), A(dev_dx)));
    for (size_t i = 0; i < n; i++) dx[i] = dy[i] * slope(kind, (double)v[i]);
    for (size_t i = 0; i < n; i++) scale[i] = fabs(dy[i]);
    check_close("dx", dev_dx, dx, scale, 16 * HALF_ULP);
    OK(b->ops->activation_dx(b->main, &s, A(dev_v), A(dev_dy), A(dev_dy))); /* over dy */
    void *apart = buffer_raw(dev_dx), *over = buffer_raw(dev_dy);
    assert_memory_equal(apart, over, n * dev_dx.size);
    buffer all[] = {dev_x, dev_dy, dev_y, dev_dx};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    free(x), free(dy), free(y), free(dx), free(scale), free(v), free(apart), free(over);
}

static void kinds_match(void **state) {
#define MATCHES(KIND, name, reads, about) check_kind(*state, GYRE_ACTIVATION_##KIND, sizes[i]);
    for (int i = 0; i < SIZES; i++) {
        GYRE_ACTIVATIONS(MATCHES)
    }
    shape none = {0, GYRE_ACTIVATION_GELU, 0};
    gyre_backend *b = *state;
    OK(b->ops->activation(b->main, &none, NULL, NULL));
    OK(b->ops->activation_dx(b->main, &none, NULL, NULL, NULL));
}

static void check_nan(gyre_backend *b, gyre_activation kind) {
    enum { N = 67, AT = 40 };
    shape s = {N, kind, (float)SLOPE};
    double *x = arguments(N), *dy = randoms(2, N);
    x[AT] = NAN;
    dy[AT + 1] = NAN;
    x[AT + 1] = 0.5; /* no bend */
    buffer dev_x = acts_of(b, x, N), dev_dy = acts_of(b, dy, N), y = acts_new(b, N);
    buffer dx = acts_new(b, N);
    OK(b->ops->activation(b->main, &s, A(dev_x), A(y)));
    OK(b->ops->activation_dx(b->main, &s, reads_y(kind) ? A(y) : A(dev_x), A(dev_dy), A(dx)));
    float *value_of = buffer_read(y), *gradient = buffer_read(dx);
    for (int i = 0; i < N; i++) {
        assert_int_equal(isnan(value_of[i]) != 0, i == AT);
        if (i != AT) assert_int_equal(isnan(gradient[i]) != 0, i == AT + 1);
    }
    assert_true(gradient[AT] != 0);
    buffer all[] = {dev_x, dev_dy, y, dx};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    free(x), free(dy), free(value_of), free(gradient);
}

static void nan_stays_in_its_place(void **state) {
#define KEEPS(KIND, name, reads, about) check_nan(*state, GYRE_ACTIVATION_##KIND);
    GYRE_ACTIVATIONS(KEEPS)
}

typedef struct {
    gyre_activation kind;
    double x;
} point;

static double value_at(void *context) {
    const point *p = context;
    return value(p->kind, p->x);
}

static void check_slope(gyre_activation kind) {
    for (double x = -9.03; x < 9; x += 0.35) { /* no bend within a step */
        point p = {kind, x};
        double gradient = slope(kind, reads_y(kind) ? value(kind, x) : x);
        check_gradient("slope", value_at, &p, &p.x, 1, &gradient);
    }
}

static void slopes_agree_with_finite_differences(void **state) {
    (void)state;
#define AGREES(KIND, name, reads, about) check_slope(GYRE_ACTIVATION_##KIND);
    GYRE_ACTIVATIONS(AGREES)
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(slopes_agree_with_finite_differences),
                                       cmocka_unit_test(kinds_match),
                                       cmocka_unit_test(nan_stays_in_its_place)};
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
