/* The test for copies against cases done by hand and pairs counted one by one; the kernel distance
 * against its definition, sample left out by sample, and by keyed simulation. */
#include "gyre/likeness.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gyre/random.h"

/* Sums in another order: some roundings. */
static void near(double found, double expected, double tolerance, const char *what) {
    if (!(fabs(found - expected) <= tolerance)) {
        fail_msg("%s: %.17g, expected %.17g", what, found, expected);
    }
}

/* ---- copies */

static void copies_by_hand(void **state) {
    (void)state;
    gyre_copying c;
    gyre_copying_of((double[]){2, 1}, 2, (double[]){4, 3}, 2, &c);
    /* U 4 of 4, mean 2, variance 2 * 2 * 5 / 12: z = 1.54919, of which the normal table has
     * 0.060668 */
    assert_true(c.nearer == 1 && c.made == 1.5 && c.held == 3.5);
    near(c.p, 0.060668, 5e-7, "p");
    gyre_copying_of((double[]){1, 1}, 2, (double[]){1, 2}, 2, &c);
    /* three equal ones: variance 2 * 2 / 12 * (5 - 24 / 12) = 1, U 3, z = 1 */
    near(c.nearer, 0.75, 0, "with ties");
    near(c.p, 0.158655, 5e-7, "p with ties");
    gyre_copying_of((double[]){7, 7}, 2, (double[]){7}, 1, &c);
    assert_true(c.nearer == 0.5 && c.p == 0.5);
    gyre_copying_of((double[]){0}, 1, (double[]){INFINITY}, 1, &c);
    assert_true(c.nearer == 1);
}

static void copies_as_counted(void **state) {
    enum { N = 40, M = 27 };
    double made[N], held[M], wins = 0;
    (void)state;
    gyre_random r = gyre_random_open(5, GYRE_RANDOM_FLIPS, 0, 0);
    for (int i = 0; i < N; i++) made[i] = floor(10 * gyre_random_uniform(&r)); /* many are equal */
    for (int i = 0; i < M; i++) held[i] = floor(12 * gyre_random_uniform(&r));
    for (int i = 0; i < N; i++) {
        for (int k = 0; k < M; k++) wins += made[i] < held[k] ? 1 : made[i] == held[k] ? 0.5 : 0;
    }
    gyre_copying c;
    gyre_copying_of(made, N, held, M, &c);
    near(c.nearer, wins / (N * M), 1e-15, "pairs");
}

/* ---- kernel distance */

enum { D = 3 };

static double kernel(const float *a, const float *b) {
    double dot = 0;
    for (int i = 0; i < D; i++) dot += (double)a[i] * (double)b[i];
    return pow(dot / D + 1, 3);
}

static double mean_kernel(const float *x, size_t n, const float *y, size_t m, bool same) {
    double sum = 0, pairs = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < m; k++) {
            if (same && i == k) continue;
            sum += kernel(x + i * D, y + k * D);
            pairs++;
        }
    }
    return sum / pairs;
}

static double by_definition(const float *x, size_t n, const float *y, size_t m) {
    return mean_kernel(x, n, x, n, true) + mean_kernel(y, m, y, m, true) -
           2 * mean_kernel(x, n, y, m, false);
}

/* Sum of squares of the distances without each of x, times (n - 1) / n. */
static double left_out(const float *x, size_t n, const float *y, size_t m) {
    double values[16], mean = 0, squares = 0;
    float rest[16 * D];
    for (size_t i = 0; i < n; i++) {
        memcpy(rest, x, i * D * sizeof *x);
        memcpy(rest + i * D, x + (i + 1) * D, (n - 1 - i) * D * sizeof *x);
        values[i] = by_definition(rest, n - 1, y, m);
        mean += values[i] / (double)n;
    }
    for (size_t i = 0; i < n; i++) squares += (values[i] - mean) * (values[i] - mean);
    return squares * (double)(n - 1) / (double)n;
}

static void draw(float *x, size_t count, uint64_t which, double shift) {
    gyre_random r = gyre_random_open(9, GYRE_RANDOM_FLIPS, which, 0);
    for (size_t i = 0; i < count; i++) {
        x[i] = (float)(shift + gyre_random_normal(&r));
    }
}

static void kernel_distance_by_definition(void **state) {
    enum { N = 11, M = 8 };
    float x[N * D], y[M * D];
    (void)state;
    draw(x, N * D, 1, 0);
    draw(y, M * D, 2, 0.7);
    gyre_kernel_distance found = gyre_kernel_distance_of(x, N, y, M, D);
    double expected = by_definition(x, N, y, M);
    near(found.value, expected, 1e-12 * fabs(expected) + 1e-12, "distance");
    double error = sqrt(left_out(x, N, y, M) + left_out(y, M, x, N));
    near(found.error, error, 1e-10 * error, "standard error");
    found = gyre_kernel_distance_of(x, 2, y, M, D);
    near(found.value, by_definition(x, 2, y, M), 1e-12, "of two");
    assert_true(isnan(found.error));
}

/* 400 times 30 against 40 draws: of one distribution the mean is 0 within 4 standard errors, and
 * the jackknife's error is that of the values but for a fifth (a standard deviation of 400 values
 * is known to 4 %; the jackknife errs above for few values). A shifted one is found. */
static void kernel_distance_of_draws(void **state) {
    enum { TIMES = 400, N = 30, M = 40 };
    static float x[N * D], y[M * D];
    double sum = 0, squares = 0, errors = 0;
    (void)state;
    for (uint64_t i = 0; i < TIMES; i++) {
        draw(x, N * D, 2 * i, 0);
        draw(y, M * D, 2 * i + 1, 0);
        gyre_kernel_distance k = gyre_kernel_distance_of(x, N, y, M, D);
        sum += k.value;
        squares += k.value * k.value;
        errors += k.error * k.error;
    }
    double mean = sum / TIMES, sd = sqrt(squares / TIMES - mean * mean);
    near(mean, 0, 4 * sd / sqrt(TIMES), "mean");
    double ratio = sqrt(errors / TIMES) / sd;
    if (!(ratio > 0.8 && ratio < 1.6)) fail_msg("the jackknife's error is %.3f of it", ratio);
    draw(y, M * D, 3, 1.5);
    gyre_kernel_distance k = gyre_kernel_distance_of(x, N, y, M, D);
    assert_true(k.value > 3 * k.error);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_by_hand),
        cmocka_unit_test(copies_as_counted),
        cmocka_unit_test(kernel_distance_by_definition),
        cmocka_unit_test(kernel_distance_of_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
