/* The denoiser that knows the training images by heart; see bound.h. It takes the noised image for
 * one of them, each as likely as its distance says: x_0 = sum of w x_i with w in proportion to
 * exp(-|x_t - a x_i|^2 / 2 s^2). */
#include "bound.h"

#include "dots.h"
#include "gyre/realmath.h"
#include "gyre/size.h"
#include <math.h>
#include <stdlib.h>

struct denoise_memory {
    denoise_rows train;
    double *norms; /* (count): squares */
};

void denoise_memory_close(denoise_memory *m) {
    if (m == NULL) return;
    free(m->norms);
    free(m);
}

gyre_status denoise_memory_open(denoise_rows train, denoise_memory **out) {
    denoise_memory *m = *out = calloc(1, sizeof *m);
    if (m == NULL) return gyre_no_memory("%zu images", train.count);
    m->train = train;
    m->norms = malloc(train.count * sizeof *m->norms);
    if (m->norms == NULL) {
        denoise_memory_close(m);
        *out = NULL;
        return gyre_no_memory("%zu images", train.count);
    }
    for (size_t i = 0; i < train.count; i++) {
        const float *row = train.values + i * train.width;
        denoise_dots(row, 1, row, 1, train.width, &m->norms[i], 1);
    }
    return GYRE_OK;
}

/* From products with the noised image to weights that add up to 1. */
static void weigh(const denoise_memory *m, double a, double s, double *weights) {
    double most = -INFINITY, sum = 0;
    for (size_t i = 0; i < m->train.count; i++) {
        weights[i] = (a * weights[i] - 0.5 * a * a * m->norms[i]) / (s * s);
        most = fmax(most, weights[i]);
    }
    for (size_t i = 0; i < m->train.count; i++) sum += weights[i] = gyre_exp(weights[i] - most);
    for (size_t i = 0; i < m->train.count; i++) weights[i] /= sum;
}

/* told(count, width) = sum over i of weights(count, i) train(i) */
static void tell(const denoise_memory *m, size_t count, const double *weights, double *told) {
    const size_t width = m->train.width, all = m->train.count;
    for (size_t i = 0; i < all; i++) {
        const float *row = m->train.values + i * width;
        for (size_t b = 0; b < count; b++) {
            const double w = weights[b * all + i];
            if (w < 1e-12) continue; /* 50,000 such are 5e-8 of an image */
            denoise_add(told + b * width, w, row, width);
        }
    }
}

/* Of v, which x_t = a x_0 + s noise tells from x_0: s v = a x_t - x_0. */
static double error_of(const double *told, const float *image, size_t width, double s) {
    double sum = 0;
    for (size_t k = 0; k < width; k++) {
        const double d = told[k] - (double)image[k];
        sum += d * d;
    }
    return sum / (s * s) / (double)width;
}

gyre_status denoise_memory_errors(const denoise_memory *m, const denoise_batch *batch) {
    const size_t count = batch->count, width = m->train.width, all = m->train.count;
    double *weights = malloc(gyre_size_of(gyre_size_of(count, all), sizeof *weights));
    double *told = calloc(count * width, sizeof *told);
    if (weights == NULL || told == NULL) {
        free(weights);
        free(told);
        return gyre_no_memory("%zu noised images", count);
    }
    denoise_dots(batch->noised, count, m->train.values, all, width, weights, all);
    for (size_t b = 0; b < count; b++) weigh(m, batch->a[b], batch->s[b], weights + b * all);
    tell(m, count, weights, told);
    for (size_t b = 0; b < count; b++) {
        batch->errors[b] = error_of(told + b * width, batch->images[b], width, batch->s[b]);
    }
    free(weights);
    free(told);
    return GYRE_OK;
}
