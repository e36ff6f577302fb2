/* Activations in double, by the name of their node's type. */
#ifndef GYRE_TESTS_NAIVE_ACTIVATION_H
#define GYRE_TESTS_NAIVE_ACTIVATION_H

#include <math.h>
#include <string.h>

static inline double naive_clamped(double x) {
    return fmin(fmax(x, 0), 6);
}

static inline double naive_logistic(double x) {
    return 1 / (1 + exp(-x));
}

/* `slope` is leaky_relu's, or the alpha of elu. NaN, which fails its test, where the name is
 * unknown. */
static inline double naive_activated(const char *kind, double slope, double x) {
    double root = 2 * sqrt(2 / acos(-1));
    return strcmp(kind, "relu6") == 0        ? naive_clamped(x)
           : strcmp(kind, "leaky_relu") == 0 ? fmax(x, x * slope)
           : strcmp(kind, "elu") == 0        ? (x < 0 ? slope * expm1(x) : x)
           : strcmp(kind, "sigmoid") == 0    ? naive_logistic(x)
           : strcmp(kind, "tanh") == 0       ? tanh(x)
           : strcmp(kind, "gelu") == 0       ? x * erfc(-x / sqrt(2)) / 2
           : strcmp(kind, "gelu_tanh") == 0  ? x * naive_logistic(root * (x + 0.044715 * x * x * x))
           : strcmp(kind, "silu") == 0       ? x * naive_logistic(x)
           : strcmp(kind, "mish") == 0       ? x * tanh(log1p(exp(x)))
           : strcmp(kind, "hardsigmoid") == 0 ? naive_clamped(x + 3) / 6
           : strcmp(kind, "hardswish") == 0   ? x * naive_clamped(x + 3) / 6
                                              : (double)NAN;
}

#endif
