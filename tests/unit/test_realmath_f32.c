/* Elementary functions and activations in f32 against libm in double, over the floats from -inf to
 * inf: every 4001st, or every STRIDE-th of the environment (1 takes minutes), and the edges. The
 * errors that the headers state are bounds here. */
#include "gyre/activation.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The distance of neighbours at want; below the normal numbers it is that of the denormals. */
static double ulp_at(double want) {
    int exponent;
    frexp(want, &exponent);
    return ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

typedef float (*function)(float x);
typedef double (*definition)(double x);

/* Largest |got - want| in units of the last place of want, or of `unit` where that is more. */
typedef struct {
    const char *name;
    function f;
    definition want;
    double bound;
    double unit; /* of outputs that are differences of larger numbers */
    float highest;
} check;

static uint32_t stride(void) {
    const char *text = getenv("STRIDE");
    return text == NULL ? 4001 : (uint32_t)strtoul(text, NULL, 10);
}

static double error_at(const check *c, float x) {
    double want = c->want((double)x), got = (double)c->f(x);
    if (isnan(want)) return isnan(got) ? 0 : INFINITY;
    if (fabs(want) > (double)FLT_MAX || isinf(got)) return (float)want == (float)got ? 0 : INFINITY;
    return fabs(got - want) / fmax(ulp_at(want), c->unit);
}

static void run(const check *c) {
    double worst = 0;
    float at = 0, edges[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, FLT_MIN, -FLT_MIN, 0x1p-149f};
    for (uint64_t bits = 0; bits <= UINT32_MAX; bits += stride()) {
        float x = gyre_f32_of_bits((uint32_t)bits);
        double error = x != x || x > c->highest ? 0 : error_at(c, x);
        if (error > worst) at = x;
        if (error > worst) worst = error;
    }
    printf("%-16s %5.2f ulp at %a\n", c->name, worst, (double)at);
    if (!(worst <= c->bound)) fail_msg("%s: %g ulp at %a", c->name, worst, (double)at);
    for (size_t i = 0; i < sizeof edges / sizeof edges[0]; i++) {
        if (edges[i] > c->highest) continue;
        double error = error_at(c, edges[i]);
        if (!(error <= c->bound)) fail_msg("%s at %a: %g", c->name, (double)edges[i], error);
    }
}

/* ---- definitions */

static double normal(double x) {
    return 0.5 * erfc(-x / sqrt(2));
}
static double bell(double x) {
    return exp(-x * x / 2);
}
static double logistic(double x) {
    return 1 / (1 + exp(-x));
}
static double gelu(double x) {
    return x * normal(x);
}
static double gelu_slope(double x) { /* infinities: the limits, as for the two below */
    return normal(x) + (isinf(x) ? 0 : x * bell(x) / sqrt(2 * acos(-1)));
}
static double silu(double x) {
    return x * logistic(x);
}
static double silu_slope(double x) {
    return logistic(x) + (isinf(x) ? 0 : x * logistic(x) * logistic(-x));
}
static double tanh_argument(double x) {
    return 2 * sqrt(2 / acos(-1)) * (x + 0.044715 * x * x * x);
}
static double gelu_tanh(double x) {
    return x * logistic(tanh_argument(x));
}
static double gelu_tanh_slope(double x) {
    double z = tanh_argument(x), inner = 2 * sqrt(2 / acos(-1)) * (1 + 3 * 0.044715 * x * x);
    if (fabs(x) > 1e6) return x > 0;
    return logistic(z) + x * inner * logistic(z) * logistic(-z);
}
static double clamped(double x) {
    return x != x ? x : fmin(fmax(x, 0), 6);
}
static double hardsigmoid(double x) {
    return clamped(x + 3) / 6;
}
static double hardswish(double x) {
    return x * clamped(x + 3) / 6;
}
static double mish(double x) {
    return x * tanh(log1p(exp(x)));
}
static double mish_slope(double x) {
    double t = tanh(log1p(exp(x)));
    if (fabs(x) > 1e6) return x > 0;
    return t + x * logistic(x) * (1 - t * t);
}
static double elu(double x) {
    return x < 0 ? 0.25 * expm1(x) : x;
}
static double leaky_relu(double x) {
    return x < 0 ? (double)0.25f * x : x;
}

/* ---- what is checked */

static float exp_f32(float x) {
    return gyre_exp_f32(x, 0);
}
static float normal_f32(float x) {
    return gyre_normal_f32(x, gyre_bell_f32(x));
}
#define VALUE(KIND, name, reads, about)                                                            \
    static float value_of_##name(float x) {                                                        \
        return gyre_##name(0.25f, x);                                                              \
    }
#define SLOPE(KIND, name, reads, about)                                                            \
    static float slope_of_##name(float x) {                                                        \
        return gyre_##name##_dx(0.25f, x, 1);                                                      \
    }
GYRE_ACTIVATIONS(VALUE)
GYRE_ACTIVATIONS(SLOPE)

static void functions_within_their_bounds(void **state) {
    (void)state;
    static const check checks[] = {{"exp", exp_f32, exp, 1.25, 0, 0},
                                   {"expm1", gyre_expm1_f32, expm1, 1.25, 0, 0},
                                   {"tanh", gyre_tanh_f32, tanh, 3, 0, INFINITY},
                                   {"logistic", gyre_logistic_f32, logistic, 2.5, 0, INFINITY},
                                   {"bell", gyre_bell_f32, bell, 1.25, 0, INFINITY},
                                   {"normal", normal_f32, normal, 6, 0, INFINITY}};
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) run(&checks[i]);
}

/* Slopes are sums that may cancel, so they count units of the last place of 1. The argument z of
 * gelu_tanh's exponential is rounded a few times, each an error of 2^-24 |z| of y, which is 0 from
 * z = -104 on. */
static void activations_within_their_bounds(void **state) {
    (void)state;
    const double one = 0x1p-24;
    const check checks[] = {{"relu6", value_of_relu6, clamped, 0, 0, INFINITY},
                            {"leaky_relu", value_of_leaky_relu, leaky_relu, 0.5, 0, INFINITY},
                            {"elu", value_of_elu, elu, 1.25, 0, INFINITY},
                            {"sigmoid", value_of_sigmoid, logistic, 2.5, 0, INFINITY},
                            {"tanh", value_of_tanh, tanh, 3, 0, INFINITY},
                            {"gelu", value_of_gelu, gelu, 7, 0x1p-145, INFINITY},
                            {"gelu_tanh", value_of_gelu_tanh, gelu_tanh, 220, 0x1p-145, INFINITY},
                            {"gelu_tanh", value_of_gelu_tanh, gelu_tanh, 4, one, INFINITY},
                            {"silu", value_of_silu, silu, 3, 0x1p-142, INFINITY},
                            {"mish", value_of_mish, mish, 6, 0x1p-142, INFINITY},
                            {"hardsigmoid", value_of_hardsigmoid, hardsigmoid, 3, one, INFINITY},
                            {"hardswish", value_of_hardswish, hardswish, 6, one, INFINITY},
                            {"slope of gelu", slope_of_gelu, gelu_slope, 4, one, INFINITY},
                            {"of gelu_tanh", slope_of_gelu_tanh, gelu_tanh_slope, 8, one, INFINITY},
                            {"of silu", slope_of_silu, silu_slope, 4, one, INFINITY},
                            {"of mish", slope_of_mish, mish_slope, 4, one, INFINITY}};
    for (size_t i = 0; i < sizeof checks / sizeof checks[0]; i++) run(&checks[i]);
}

static void edges_of_the_others(void **state) {
    (void)state;
    assert_true(slope_of_relu6(0) == 0 && slope_of_relu6(6) == 0 && slope_of_relu6(3) == 1);
    assert_true(slope_of_relu6(NAN) == 1); /* y is NaN already, and dy is seen */
    assert_true(slope_of_leaky_relu(0) == 0.25f && slope_of_leaky_relu(0x1p-149f) == 1);
    assert_true(slope_of_elu(-0.125f) == 0.125f && slope_of_elu(-0.25f) == 0 &&
                slope_of_elu(2) == 1);
    assert_true(slope_of_sigmoid(0.5f) == 0.25f && slope_of_sigmoid(1) == 0);
    assert_true(slope_of_tanh(-0.5f) == 0.75f && slope_of_tanh(-1) == 0);
    assert_true(slope_of_hardsigmoid(-3) == 0 && slope_of_hardsigmoid(3) == 0);
    assert_true(slope_of_hardsigmoid(2.75f) == 1.0f / 6);
    assert_true(slope_of_hardswish(-3) == 0 && slope_of_hardswish(3) == 1);
    assert_true(slope_of_hardswish(0) == 0.5f);
    assert_true(isnan(slope_of_gelu(NAN)) && isnan(slope_of_gelu_tanh(NAN)));
    assert_true(isnan(slope_of_mish(NAN)) && isnan(value_of_mish(NAN)));
    assert_true(isnan(slope_of_silu(NAN)) && isnan(slope_of_sigmoid(NAN)));
    assert_true(isnan(slope_of_tanh(NAN)) && isnan(slope_of_hardswish(NAN)));
    assert_true(signbit(gyre_tanh_f32(-0.0f)) && signbit(value_of_gelu(-0.0f)));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(functions_within_their_bounds),
                                       cmocka_unit_test(activations_within_their_bounds),
                                       cmocka_unit_test(edges_of_the_others)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
