/* Statistics against cases done by hand, against SciPy (tests/data/statistics), and, for what they
 * promise over many studies, by keyed simulation. */
#include "gyre/statistics.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gyre/random.h"

/* Ours and SciPy's sums are in different orders: some roundings, relative to 1 or the value. */
static void near(double found, double expected, const char *what) {
    double tolerance = 1e-11 * fmax(1, fabs(expected));
    if (!(fabs(found - expected) <= tolerance)) {
        fail_msg("%s: %.17g, expected %.17g", what, found, expected);
    }
}

/* ---- by hand */

static void summaries_by_hand(void **state) {
    (void)state;
    const double values[] = {1, 2, 3, 4, 5};
    gyre_summary s = gyre_summary_of(values, 5);
    near(s.mean, 3, "mean");
    near(s.sd, sqrt(2.5), "sd");
    /* 2.776445105 is the table's t for 4 degrees; it has ten digits */
    assert_true(fabs(s.interval.low - (3 - 2.776445105 * sqrt(0.5))) < 1e-8);
    assert_true(fabs(s.interval.high - (3 + 2.776445105 * sqrt(0.5))) < 1e-8);
    s = gyre_summary_of(values, 1);
    assert_true(s.mean == 1 && isnan(s.sd) && isnan(s.interval.low) && isnan(s.interval.high));
    s = gyre_summary_of(values, 0);
    assert_true(s.count == 0 && isnan(s.mean) && isnan(s.sd));
}

static void flips_by_hand(void **state) {
    (void)state;
    const double same[] = {1, 1, 1, 1, 1, 1}, zeros[] = {0, 0, 0}, mixed[] = {3, 1, -1};
    near(gyre_sign_flip_p(same, 6), 2.0 / 64, "six of one sign");
    near(gyre_sign_flip_p(same, 3), 0.25, "three of one sign");
    near(gyre_sign_flip_p(same, 1), 1, "one");
    near(gyre_sign_flip_p(same, 0), 1, "none");
    near(gyre_sign_flip_p(zeros, 3), 1, "no difference at all");
    /* sums of +-3 +-1 +-1: 5 3 3 1 and their negatives; 3 was found */
    near(gyre_sign_flip_p(mixed, 3), 6.0 / 8, "mixed");
    near(gyre_sign_flip_least(3), 0.25, "least of 3");
    near(gyre_sign_flip_least(6), 0.03125, "least of 6");
    near(gyre_sign_flip_least(0), 1, "least of 0");
}

/* 0.1 + 0.2 - 0.3 is not 0 in doubles, and yet ties with it. */
static void ties_count_in_spite_of_rounding(void **state) {
    (void)state;
    const double d[] = {0.1, 0.2, -0.3}, e[] = {0.1, 0.2, 0.3};
    near(gyre_sign_flip_p(d, 3), 1, "a sum of 0");
    near(gyre_sign_flip_p(e, 3), 0.25, "the greatest sum");
}

static void many_seeds_are_drawn(void **state) {
    (void)state;
    double d[25], e[20];
    for (int i = 0; i < 25; i++) d[i] = i % 5 == 0 ? -0.5 : 1;
    for (int i = 0; i < 20; i++) e[i] = i < 8 ? -1 : 1;
    assert_true(gyre_sign_flip_p(d, 25) == gyre_sign_flip_p(d, 25));
    assert_true(gyre_sign_flip_p(d, 25) < 0.001);
    assert_true(gyre_sign_flip_p(d, 25) >= gyre_sign_flip_least(25));
    /* At least 12 of 20 signs agree: 2 * 263950 ways; 21 values are drawn: 5 standard errors of a
     * share */
    near(gyre_sign_flip_p(e, 20), 527900.0 / 1048576, "exact at 20");
    double drawn[21] = {0};
    memcpy(drawn, e, sizeof e);
    assert_true(fabs(gyre_sign_flip_p(drawn, 21) - 0.5034) < 5 * 0.5 / sqrt(99999));
}

static void holm_by_hand(void **state) {
    (void)state;
    const double p[] = {0.03, 0.01, 0.04, 0.02}, tied[] = {0.02, 0.02, 0.6};
    /* sorted 0.01 0.02 0.03 0.04, times 4 3 2 1 = 0.04 0.06 0.06 0.04, then never falling */
    near(gyre_holm_of(p, 4, 1), 0.04, "first");
    near(gyre_holm_of(p, 4, 3), 0.06, "second");
    near(gyre_holm_of(p, 4, 0), 0.06, "third");
    near(gyre_holm_of(p, 4, 2), 0.06, "fourth");
    near(gyre_holm_of(tied, 3, 0), 0.06, "tied");
    near(gyre_holm_of(tied, 3, 1), 0.06, "tied too");
    near(gyre_holm_of(tied, 3, 2), 0.6, "last");
    /* with a smaller p before it, a question is corrected for those that are left alone */
    near(gyre_holm_of((double[]){0.03, 0.002}, 2, 0), 0.03, "the second of two");
    near(gyre_holm_of((double[]){0.03, 0.002}, 2, 1), 0.004, "the first of two");
    near(gyre_holm_of((double[]){0.7, 0.8}, 2, 0), 1, "never above 1");
}

static void bootstrap_waits_for_20(void **state) {
    (void)state;
    double values[40];
    for (int i = 0; i < 40; i++) values[i] = i;
    assert_true(isnan(gyre_bootstrap_interval(values, 19).low));
    gyre_interval b = gyre_bootstrap_interval(values, 40);
    /* The standard error of the mean of 0..39 is 1.825 (dividing by 40); the ends of 9,999
     * resamples scatter by about 0.05. */
    assert_true(fabs(b.low - (19.5 - 1.96 * 1.825)) < 0.2);
    assert_true(fabs(b.high - (19.5 + 1.96 * 1.825)) < 0.2);
    gyre_interval again = gyre_bootstrap_interval(values, 40);
    assert_true(again.low == b.low && again.high == b.high);
}

static void seeds_needed(void **state) {
    (void)state;
    gyre_summary d = {.count = 3, .mean = 1, .sd = 0.1};
    assert_int_equal(gyre_seeds_needed(&d, 1), 6); /* what a permutation test needs at least */
    d.sd = 1; /* 7: 2.4469 / sqrt(7) = 0.925 < 1; 6: 2.5706 / sqrt(6) = 1.05 */
    assert_int_equal(gyre_seeds_needed(&d, 1), 7);
    /* among 9 questions 9 * 2 / 2^n <= 0.05 takes 9 seeds; among 6, 8 */
    assert_int_equal(gyre_seeds_needed(&d, 9), 9);
    assert_int_equal(gyre_seeds_needed(&d, 6), 8);
    assert_int_equal(gyre_seeds_needed(&d, 30000), 0); /* 2^-19 of 20 seeds is the least p */
    d.mean = -1;
    assert_int_equal(gyre_seeds_needed(&d, 1), 7);
    d.mean = 0;
    assert_int_equal(gyre_seeds_needed(&d, 1), 0);
    d.mean = d.sd = NAN;
    assert_int_equal(gyre_seeds_needed(&d, 1), 0);
}

/* ---- SciPy */

static void check_row(char *row) {
    double v[32];
    int found = 0;
    char *rest = NULL, *kind = strtok_r(row, " \n", &rest), *word;
    while (found < 32 && (word = strtok_r(NULL, " \n", &rest)) != NULL)
        v[found++] = strtod(word, NULL);
    if (strcmp(kind, "quantile") == 0) {
        assert_int_equal(found, 3);
        near(gyre_student_quantile(v[1], (int)v[0]), v[2], "quantile");
        return;
    }
    int count = (int)v[0];
    if (strcmp(kind, "flip") == 0) {
        assert_int_equal(found, count + 2);
        near(gyre_sign_flip_p(v + 1, count), v[count + 1], "flip");
        return;
    }
    assert_string_equal(kind, "summary");
    assert_int_equal(found, count + 5);
    gyre_summary s = gyre_summary_of(v + 1, count);
    near(s.mean, v[count + 1], "mean");
    near(s.sd, v[count + 2], "sd");
    near(s.interval.low, v[count + 3], "low");
    near(s.interval.high, v[count + 4], "high");
}

static void same_as_scipy(void **state) {
    (void)state;
    static const char path[] = "tests/data/statistics/reference.txt";
    FILE *f = fopen(path, "r");
    if (f == NULL) fail_msg("%s is missing; run the tests from the repository's root", path);
    char line[1024];
    int rows = 0;
    for (; fgets(line, sizeof line, f) != NULL; rows++) check_row(line);
    fclose(f);
    assert_int_equal(rows, 155);
}

/* ---- what is promised over many studies */

enum { STUDIES = 6000 };

/* Six differences around 0.5: the interval must hold 0.5 in 95 of 100 studies. Keyed, so it is one
 * number; its standard error is 0.3 %. */
static void interval_covers(void **state) {
    (void)state;
    int covered = 0;
    for (uint64_t k = 0; k < STUDIES; k++) {
        gyre_random r = gyre_random_open(7, GYRE_RANDOM_TEST, k, 0);
        double d[6];
        for (int i = 0; i < 6; i++) d[i] = 0.5 + gyre_random_normal(&r);
        gyre_interval found = gyre_summary_of(d, 6).interval;
        covered += found.low <= 0.5 && 0.5 <= found.high;
    }
    double share = (double)covered / STUDIES;
    if (!(share >= 0.94 && share <= 0.96)) fail_msg("coverage %.4f", share);
}

/* Differences without an effect, also of very long tails: at most 5 of 100 studies may find one.
 * The exact rates are 3.1 % for 6 seeds and 4.7 % for 8. */
static void permutation_keeps_its_promise(void **state) {
    (void)state;
    for (int n = 6; n <= 8; n += 2) {
        for (int tails = 0; tails < 2; tails++) {
            int wrong = 0;
            for (uint64_t k = 0; k < STUDIES; k++) {
                gyre_random r = gyre_random_open(8, GYRE_RANDOM_TEST, k, (uint64_t)n);
                double d[8];
                for (int i = 0; i < n; i++) {
                    d[i] = gyre_random_normal(&r);
                    if (tails) d[i] = d[i] * d[i] * d[i];
                }
                wrong += gyre_sign_flip_p(d, n) <= GYRE_SIGNIFICANT;
            }
            double share = (double)wrong / STUDIES;
            if (!(share <= 0.05 && share >= 0.02)) fail_msg("%d seeds: %.4f", n, share);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(summaries_by_hand),
        cmocka_unit_test(flips_by_hand),
        cmocka_unit_test(ties_count_in_spite_of_rounding),
        cmocka_unit_test(many_seeds_are_drawn),
        cmocka_unit_test(holm_by_hand),
        cmocka_unit_test(bootstrap_waits_for_20),
        cmocka_unit_test(seeds_needed),
        cmocka_unit_test(same_as_scipy),
        cmocka_unit_test(interval_covers),
        cmocka_unit_test(permutation_keeps_its_promise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
