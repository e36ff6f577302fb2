/* The two denoisers that need no training, against plain formulas in double: the best linear one by
 * a matrix that is inverted, the one by heart by distances. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/denoise/bound.h"
#include "../../src/denoise/dots.h"
#include "gyre/random.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static gyre_random source;

static void fill(float *out, size_t n, double spread) {
    for (size_t i = 0; i < n; i++) out[i] = (float)(spread * gyre_random_normal(&source));
}

/* ---- products */

/* 1e-6 of the sum of magnitudes: 256 roundings of 6e-8 in a lane add up to less. */
static void products_are_right(void **state) {
    (void)state;
    const size_t sizes[][3] = {{1, 1, 1}, {2, 4, 16}, {3, 5, 17}, {7, 9, 4097}, {1, 6, 12000}};
    for (size_t at = 0; at < sizeof sizes / sizeof *sizes; at++) {
        const size_t n = sizes[at][0], m = sizes[at][1], width = sizes[at][2], stride = m + 2;
        float *a = malloc(n * width * sizeof *a), *b = malloc(m * width * sizeof *b);
        double *out = calloc(n * stride, sizeof *out);
        fill(a, n * width, 1);
        fill(b, m * width, 1);
        denoise_dots(a, n, b, m, width, out, stride);
        for (size_t i = 0; i < n; i++) {
            for (size_t j = 0; j < m; j++) {
                double sum = 0, magnitude = 0;
                for (size_t k = 0; k < width; k++) {
                    const double p = (double)a[i * width + k] * (double)b[j * width + k];
                    sum += p;
                    magnitude += fabs(p);
                }
                assert_true(fabs(out[i * stride + j] - sum) <= 1e-6 * magnitude);
            }
            assert_true(out[i * stride + m] == 0 && out[i * stride + m + 1] == 0);
        }
        free(a);
        free(b);
        free(out);
    }
}

/* ---- best linear */

enum { WIDTH = 5, TRAIN = 40 };

/* Gauss & Jordan: the inverse of a positive definite matrix. */
static void invert(double m[WIDTH][WIDTH], double out[WIDTH][WIDTH]) {
    for (int i = 0; i < WIDTH; i++) {
        for (int j = 0; j < WIDTH; j++) out[i][j] = i == j;
    }
    for (int p = 0; p < WIDTH; p++) {
        const double pivot = m[p][p];
        for (int j = 0; j < WIDTH; j++) {
            m[p][j] /= pivot;
            out[p][j] /= pivot;
        }
        for (int i = 0; i < WIDTH; i++) {
            const double factor = m[i][p];
            if (i == p) continue;
            for (int j = 0; j < WIDTH; j++) {
                m[i][j] -= factor * m[p][j];
                out[i][j] -= factor * out[p][j];
            }
        }
    }
}

/* The noise told is B (a c + s noise) with B = s (a^2 C + s^2)^-1. */
static double linear_error(const float *train, const float *image, double a, double s) {
    double mean[WIDTH] = {0}, m[WIDTH][WIDTH] = {{0}}, b[WIDTH][WIDTH], sum = 0;
    for (int i = 0; i < TRAIN; i++) {
        for (int k = 0; k < WIDTH; k++) mean[k] += (double)train[i * WIDTH + k] / TRAIN;
    }
    for (int i = 0; i < TRAIN; i++) {
        for (int k = 0; k < WIDTH * WIDTH; k++) {
            m[k / WIDTH][k % WIDTH] += a * a / TRAIN *
                                       ((double)train[i * WIDTH + k / WIDTH] - mean[k / WIDTH]) *
                                       ((double)train[i * WIDTH + k % WIDTH] - mean[k % WIDTH]);
        }
    }
    for (int k = 0; k < WIDTH; k++) m[k][k] += s * s;
    invert(m, b);
    for (int i = 0; i < WIDTH; i++) {
        double told = 0;
        for (int j = 0; j < WIDTH; j++) {
            const double c = (double)image[j] - mean[j], left = s * s * b[i][j] - (i == j);
            told += a * s * b[i][j] * c;
            sum += left * left; /* of the noise: its expectation */
        }
        sum += told * told;
    }
    return sum / WIDTH;
}

/* 1e-4: directions are kept in f32, and squares of nearly orthogonal coordinates lose some. */
static void linear_is_the_filter(void **state) {
    (void)state;
    const double times[][2] = {{0.99, 0.141}, {0.6, 0.8}, {0.05, 0.9987}};
    float train[TRAIN * WIDTH], image[WIDTH];
    double squares[WIDTH];
    denoise_linear *l = NULL;
    fill(train, TRAIN * WIDTH, 0.5);
    for (int i = 0; i < TRAIN; i++) train[i * WIDTH + 1] += 2 * train[i * WIDTH]; /* correlated */
    for (int i = 0; i < TRAIN; i++) train[i * WIDTH + 4] = 0.25f;                 /* constant */
    fill(image, WIDTH, 0.5);
    assert_int_equal(denoise_linear_open((denoise_rows){train, TRAIN, WIDTH}, NULL, &l), GYRE_OK);
    assert_int_equal(denoise_linear_squares(l, image, squares), GYRE_OK);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        const double a = times[i][0], s = times[i][1];
        const double expected = linear_error(train, image, a, s);
        const double found = a * a * denoise_linear_error(l, squares, a, s);
        assert_true(fabs(found - expected) <= 1e-4 * expected);
    }
    denoise_linear_close(l);
}

/* ---- by heart */

static double memory_error(const float *train, const float *image, const float *noised, double a,
                           double s) {
    double weights[TRAIN], nearest = INFINITY, sum = 0, error = 0;
    for (int i = 0; i < TRAIN; i++) {
        weights[i] = 0;
        for (int k = 0; k < WIDTH; k++) {
            const double d = (double)noised[k] - a * (double)train[i * WIDTH + k];
            weights[i] += d * d;
        }
        nearest = fmin(nearest, weights[i]);
    }
    for (int i = 0; i < TRAIN; i++) {
        sum += weights[i] = exp(-(weights[i] - nearest) / (2 * s * s));
    }
    for (int k = 0; k < WIDTH; k++) {
        double told = 0;
        for (int i = 0; i < TRAIN; i++) told += weights[i] / sum * (double)train[i * WIDTH + k];
        const double noise = ((double)noised[k] - a * (double)image[k]) / s;
        const double found = ((double)noised[k] - a * told) / s;
        error += (found - noise) * (found - noise);
    }
    return error / WIDTH;
}

/* 1e-3: at small s the exponent is a difference of products in f32 divided by s^2. */
static void memory_is_the_mean_of_likely_images(void **state) {
    (void)state;
    enum { COUNT = 3 };
    const double a[COUNT] = {0.99, 0.6, 0.05}, s[COUNT] = {0.141, 0.8, 0.9987};
    float train[TRAIN * WIDTH], images[COUNT * WIDTH], noised[COUNT * WIDTH];
    const float *rows[COUNT] = {images, images + WIDTH, images + 2 * WIDTH};
    double errors[COUNT];
    denoise_memory *m = NULL;
    fill(train, TRAIN * WIDTH, 0.5);
    fill(images, COUNT * WIDTH, 0.5);
    memcpy(images + WIDTH, train + 7 * WIDTH, WIDTH * sizeof *images); /* one that it knows */
    fill(noised, COUNT * WIDTH, 1);
    for (int i = 0; i < COUNT * WIDTH; i++) {
        noised[i] = (float)(a[i / WIDTH] * (double)images[i] + s[i / WIDTH] * (double)noised[i]);
    }
    assert_int_equal(denoise_memory_open((denoise_rows){train, TRAIN, WIDTH}, &m), GYRE_OK);
    const denoise_batch batch = {COUNT, rows, noised, a, s, errors};
    assert_int_equal(denoise_memory_errors(m, &batch), GYRE_OK);
    for (int i = 0; i < COUNT; i++) {
        const double expected = memory_error(train, rows[i], noised + i * WIDTH, a[i], s[i]);
        assert_true(fabs(a[i] * a[i] * errors[i] - expected) <= 1e-3 * expected);
    }
    denoise_memory_close(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_are_right),
        cmocka_unit_test(linear_is_the_filter),
        cmocka_unit_test(memory_is_the_mean_of_likely_images),
    };
    source = gyre_random_open(7, GYRE_RANDOM_TEST, 0, 0);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
