/* What the activations compute, element by element: one source for both backends. Each has its
 * value and its gradient, of which gyre/ops_layers.h says whether it reads x or y. Formulas and
 * edges are PyTorch's. Only leaky_relu and elu read the argument `slope`. */
#ifndef GYRE_ACTIVATION_H
#define GYRE_ACTIVATION_H

#include "gyre/ops.h"
#include "gyre/realmath_f32.h"

/* Between low and high; NaN stays. */
GYRE_INLINE float gyre_clamp_f32(float x, float low, float high) {
    x = gyre_choose_f32(x < low, low, x);
    return gyre_choose_f32(x > high, high, x);
}

/* ---- by y: NaN in y lets dy pass, as relu_dx does */

GYRE_INLINE float gyre_relu6(float slope, float x) {
    (void)slope;
    return gyre_clamp_f32(x, 0.0f, 6.0f);
}
GYRE_INLINE float gyre_relu6_dx(float slope, float y, float dy) {
    (void)slope;
    float below = gyre_choose_f32(y >= 6.0f, 0.0f, dy);
    return gyre_choose_f32(y <= 0.0f, 0.0f, below);
}

GYRE_INLINE float gyre_leaky_relu(float slope, float x) {
    float small = slope * x;
    return gyre_choose_f32(x < 0.0f, small, x);
}
GYRE_INLINE float gyre_leaky_relu_dx(float slope, float y, float dy) {
    float small = slope * dy;
    return gyre_choose_f32(y <= 0.0f, small, dy);
}

GYRE_INLINE float gyre_elu(float slope, float x) {
    float below = slope * gyre_expm1_f32(gyre_choose_f32(x < 0.0f, x, 0.0f));
    return gyre_choose_f32(x < 0.0f, below, x);
}
GYRE_INLINE float gyre_elu_dx(float slope, float y, float dy) {
    float below = dy * (y + slope);
    return gyre_choose_f32(y < 0.0f, below, dy);
}

GYRE_INLINE float gyre_sigmoid(float slope, float x) {
    (void)slope;
    return gyre_logistic_f32(x);
}
GYRE_INLINE float gyre_sigmoid_dx(float slope, float y, float dy) {
    (void)slope;
    return dy * (y * (1.0f - y));
}

GYRE_INLINE float gyre_tanh(float slope, float x) {
    (void)slope;
    return gyre_tanh_f32(x);
}
GYRE_INLINE float gyre_tanh_dx(float slope, float y, float dy) {
    (void)slope;
    return dy * ((1.0f - y) * (1.0f + y));
}

/* ---- by x: infinite arguments are cut, so that the gradient there is no product with infinity */

/* 1 / (1 + exp(-z)), and its derivative in a form in which nothing cancels */
typedef struct {
    float y, slope;
} gyre_logistic_pair;

GYRE_INLINE gyre_logistic_pair gyre_logistic_with_slope(float z) {
    float e = gyre_exp_f32(gyre_sign_f32(z, -1.0f), 0.0f), inverse = 1.0f / (1.0f + e);
    gyre_logistic_pair pair;
    pair.y = gyre_choose_f32(z < 0.0f, e, 1.0f) * inverse;
    pair.slope = e * inverse * inverse;
    return pair;
}

/* x Phi(x) (Hendrycks & Gimpel 2016, arXiv 1606.08415) */
GYRE_INLINE float gyre_gelu(float slope, float x) {
    (void)slope;
    return x * gyre_normal_f32(x, gyre_bell_f32(x));
}
GYRE_INLINE float gyre_gelu_dx(float slope, float x, float dy) {
    (void)slope;
    float t = gyre_clamp_f32(x, -16.0f, 16.0f), bell = gyre_bell_f32(t);
    return dy * (gyre_normal_f32(t, bell) + t * (0x1.988454p-2f * bell)); /* 1 / sqrt(2 pi) */
}

/* x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, which is x / (1 + exp(-z)) with twice the
 * argument of tanh for z */
GYRE_INLINE float gyre_gelu_tanh(float slope, float x) {
    (void)slope;
    return x * gyre_logistic_f32(x * (0x1.988454p+0f + 0x1.2444f2p-4f * (x * x)));
}
GYRE_INLINE float gyre_gelu_tanh_dx(float slope, float x, float dy) {
    (void)slope;
    float t = gyre_clamp_f32(x, -32.0f, 32.0f), square = t * t;
    float z = t * (0x1.988454p+0f + 0x1.2444f2p-4f * square);
    float inner = t * (0x1.988454p+0f + 0x1.b6676cp-3f * square); /* x dz/dx */
    gyre_logistic_pair p = gyre_logistic_with_slope(z);
    return dy * (p.y + inner * p.slope);
}

/* x / (1 + exp(-x)) */
GYRE_INLINE float gyre_silu(float slope, float x) {
    (void)slope;
    return x * gyre_logistic_f32(x);
}
GYRE_INLINE float gyre_silu_dx(float slope, float x, float dy) {
    (void)slope;
    float t = gyre_clamp_f32(x, -128.0f, 128.0f);
    gyre_logistic_pair p = gyre_logistic_with_slope(t);
    return dy * (p.y + t * p.slope);
}

/* x tanh(log(1 + exp(x))) (Misra 2019, arXiv 1908.08681). With q = exp(-|x|) the hyperbolic tangent
 * is a / (a + b) of a = 1 + 2 q, b = 2 q^2 above 0, and a = q (q + 2), b = 2 below, and what it
 * lacks to 1 is b / (a + b): nothing cancels, nothing overflows. */
typedef struct {
    float tanh, rest, logistic;
} gyre_mish_parts;

GYRE_INLINE gyre_mish_parts gyre_mish_parts_of(float x) {
    float q = gyre_exp_f32(gyre_sign_f32(x, -1.0f), 0.0f);
    float a = gyre_choose_f32(x < 0.0f, q * (q + 2.0f), 1.0f + 2.0f * q);
    float b = gyre_choose_f32(x < 0.0f, 2.0f, 2.0f * (q * q)), inverse = 1.0f / (a + b);
    gyre_mish_parts parts;
    parts.tanh = a * inverse;
    parts.rest = b * inverse;
    parts.logistic = gyre_choose_f32(x < 0.0f, q, 1.0f) / (1.0f + q);
    return parts;
}

GYRE_INLINE float gyre_mish(float slope, float x) {
    (void)slope;
    return x * gyre_mish_parts_of(x).tanh;
}
GYRE_INLINE float gyre_mish_dx(float slope, float x, float dy) {
    (void)slope;
    float t = gyre_clamp_f32(x, -128.0f, 128.0f);
    gyre_mish_parts p = gyre_mish_parts_of(t);
    return dy * (p.tanh + t * (p.rest * (1.0f + p.tanh) * p.logistic));
}

/* relu6(x + 3) / 6 */
GYRE_INLINE float gyre_hardsigmoid(float slope, float x) {
    return gyre_relu6(slope, x + 3.0f) * (1.0f / 6);
}
GYRE_INLINE float gyre_hardsigmoid_dx(float slope, float x, float dy) {
    (void)slope;
    float inside = dy * (1.0f / 6), below = gyre_choose_f32(x >= 3.0f, 0.0f, inside);
    return gyre_choose_f32(x <= -3.0f, 0.0f, below);
}

/* x relu6(x + 3) / 6 */
GYRE_INLINE float gyre_hardswish(float slope, float x) {
    return x * gyre_hardsigmoid(slope, x);
}
GYRE_INLINE float gyre_hardswish_dx(float slope, float x, float dy) {
    (void)slope;
    float inside = dy * (x * (1.0f / 3) + 0.5f), below = gyre_choose_f32(x >= 3.0f, dy, inside);
    return gyre_choose_f32(x <= -3.0f, 0.0f, below);
}

#endif
