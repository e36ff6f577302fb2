/* Rules of samplers against diffusers' schedulers (tests/data/sampling), and the noise that is
 * drawn. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gyre/sampling.h"

enum { STEPS_MOST = 1000 };

typedef struct {
    gyre_sampling_rule rule;
    gyre_denoiser denoiser;
    int clamp;
    gyre_sampling_step steps[STEPS_MOST];
} reference;

static void read_case(const char *line, reference *r) {
    char method[8];
    int noise, all, zero, v, spacing, steps, clamp;
    double first, last, eta;
    int found = sscanf(line, "case %7s %d %d %la %la %d %d %d %d %lf %d", method, &noise, &all,
                       &first, &last, &zero, &v, &spacing, &steps, &eta, &clamp);
    assert_int_equal(found, 11);
    *r = (reference){.rule = {strcmp(method, "ddim") == 0 ? GYRE_SAMPLING_DDIM : GYRE_SAMPLING_DDPM,
                              (gyre_spacing)spacing, steps, eta},
                     .denoiser = {.schedule = {all, (gyre_noise)noise, first, last, zero != 0},
                                  .to = all,
                                  .predict = v ? GYRE_PREDICT_V : GYRE_PREDICT_EPSILON,
                                  .null_class = -1},
                     .clamp = clamp};
    double *alpha_bar = malloc((size_t)all * sizeof *alpha_bar);
    assert_non_null(alpha_bar);
    gyre_noise_alpha_bar(&r->denoiser.schedule, alpha_bar);
    gyre_sampling_steps(&r->rule, &r->denoiser, alpha_bar, r->steps);
    free(alpha_bar);
}

static void check_times(const char *line, const reference *r) {
    char *at = (char *)line + strlen("times");
    for (int i = 0; i < r->rule.steps; i++) {
        int expected = (int)strtol(at, &at, 10);
        if (r->steps[i].time != expected)
            fail_msg("step %d of %d: time %d, diffusers has %d", i, r->rule.steps, r->steps[i].time,
                     expected);
    }
    assert_int_equal(*at, '\0');
}

/* A value is rounded to f32. Before that, alpha_bar of both sides is a product of up to 1000
 * factors, whose roundings of 2^-53 add up to 1e-13 of it; near time 0 the cosine's 1 - alpha_bar
 * is 4e-5, so that this is 3e-9 of it, and of the noise half as much. Where x_0 is divided by a
 * alpha_bar of 2e-9 and not clamped, the result is as large as 2e4, and what counts is relative. */
static void check_row(const char *line, const reference *r, double *worst) {
    char *at;
    int i = (int)strtol(line, &at, 10);
    float x = strtof(at, &at), out = strtof(at, &at), noise = strtof(at, &at);
    double expected = strtod(at, NULL), limit = r->clamp ? 1 : INFINITY;
    double found = (double)gyre_sampling_next(&r->steps[i], x, out, noise, -limit, limit);
    double apart = fabs(found - expected) / fmax(1, fabs(expected));
    if (!(apart <= 0x1p-24 + 3e-9))
        fail_msg("step %d of %d at time %d: %.9g, diffusers has %.9g", i, r->rule.steps,
                 r->steps[i].time, found, expected);
    if (apart > *worst) *worst = apart;
}

static void diffusers(void **state) {
    static reference r;
    static char line[16384];
    const char *path = "tests/data/sampling/reference.txt";
    double worst = 0;
    int cases = 0, rows = 0;
    (void)state;
    FILE *f = fopen(path, "r");
    if (f == NULL) fail_msg("%s is missing; run the tests from the repository's root", path);
    while (f != NULL && fgets(line, sizeof line, f) != NULL) {
        line[strcspn(line, "\n")] = '\0';
        if (strncmp(line, "case ", 5) == 0) {
            read_case(line, &r);
            cases++;
        } else if (strncmp(line, "times ", 6) == 0) {
            check_times(line, &r);
        } else {
            check_row(line, &r, &worst);
            rows++;
        }
    }
    if (f != NULL) fclose(f);
    assert_int_equal(cases, 79);
    assert_in_range(rows, 300, 500);
    print_message("%d cases, %d rows, at most %.1e apart\n", cases, rows, worst);
}

/* One step of any rule ends at x_0; the last step of any adds no noise. */
static void last_step(void **state) {
    static gyre_sampling_step steps[STEPS_MOST];
    static double alpha_bar[STEPS_MOST];
    (void)state;
    for (int k = 0; k < 36; k++) {
        const gyre_denoiser d = {.schedule = {STEPS_MOST, (gyre_noise)(k % 3), 1e-4, 0.02, false},
                                 .to = STEPS_MOST,
                                 .predict = GYRE_PREDICT_V,
                                 .null_class = -1};
        const gyre_sampling_rule rule = {(gyre_sampling_method)(k / 3 % 2),
                                         (gyre_spacing)(k / 6 % 3), k / 18 == 0 ? 1 : 37, 1};
        gyre_noise_alpha_bar(&d.schedule, alpha_bar);
        gyre_sampling_steps(&rule, &d, alpha_bar, steps);
        const gyre_sampling_step *last = &steps[rule.steps - 1];
        assert_true(last->next_noise == 0 && last->next_x == 0 && last->next_out == 0);
        assert_true(fabs(last->next_x0 - 1) < 1e-15);
        for (int i = 1; i < rule.steps; i++) assert_true(steps[i].time < steps[i - 1].time);
        for (int i = 0; i < rule.steps; i++) {
            assert_true(isfinite(steps[i].next_noise) && isfinite(steps[i].next_x));
        }
    }
}

/* A NaN that the network tells is not clamped away. */
static void not_a_number(void **state) {
    const gyre_sampling_step s = {0, 1, 1, 1, 0, 0, 0};
    (void)state;
    assert_true(isnan(gyre_sampling_next(&s, 0, NAN, 0, -1, 1)));
    assert_true(gyre_sampling_next(&s, 3, 0, 0, -1, 1) == 1);
    assert_true(gyre_sampling_next(&s, -3, 0, 0, -1, 1) == -1);
}

/* Standard normals, other ones for each seed and step, and the first ones whatever the count. */
static void noise(void **state) {
    enum { N = 40001 };
    float *a = malloc(N * sizeof *a), *b = malloc(N * sizeof *b);
    double sum = 0, square = 0, product = 0;
    (void)state;
    assert_true(a != NULL && b != NULL);
    gyre_sampling_noise(7, 0, N, a);
    gyre_sampling_noise(7, 0, 10, b);
    assert_memory_equal(a, b, 10 * sizeof *a);
    for (int64_t other = 0; other < 2; other++) {
        gyre_sampling_noise(other == 0 ? 8 : 7, other == 0 ? 0 : 1, N, b);
        sum = square = product = 0;
        for (int i = 0; i < N; i++) {
            sum += (double)b[i];
            square += (double)b[i] * (double)b[i];
            product += (double)a[i] * (double)b[i];
        }
        /* each of the three has a deviation of at most sqrt(2 / N) = 0.007: five of them */
        assert_true(fabs(sum / N) < 0.035 && fabs(square / N - 1) < 0.035);
        assert_true(fabs(product / N) < 0.035);
    }
    free(a);
    free(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(diffusers), cmocka_unit_test(last_step),
                                       cmocka_unit_test(not_a_number), cmocka_unit_test(noise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
