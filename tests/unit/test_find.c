/* Reading a range test's curves: fastai's rules on hand-made curves, gyre's own on curves with a
 * known beginning and end. */
#include "find_rig.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* cmocka's assert_float_equal compares single precision. */
#define assert_close(a, b, tolerance) assert_true(fabs((a) - (b)) <= (tolerance))

/* ---- rates and the end of a sweep */

static void first_and_last_rate_are_exact(void **state) {
    (void)state;
    gyre_find_options o = {.from = 1e-7, .to = 10, .steps = 101};
    assert_true(find_sweep_rate(&o, 0) == 1e-7 && find_sweep_rate(&o, 100) == 10);
    /* 1 ulp each of exp and log(1e8), whose error exp takes times 18 */
    assert_close(find_sweep_rate(&o, 50) / 1e-3, 1, 1e-14);
    o.linear = true;
    assert_true(find_sweep_rate(&o, 0) == 1e-7 && find_sweep_rate(&o, 100) == 10);
    assert_close(find_sweep_rate(&o, 50), 0.5 * (1e-7 + 10), 1e-15 * 10);
    o.from = o.to = 0.3;
    assert_true(find_sweep_rate(&o, 37) == 0.3);
}

/* fastai's: smooth = debiased mean with 0.98, the end above 4 times its least. */
static void the_mean_is_debiased_and_ends_a_sweep(void **state) {
    (void)state;
    find_sweep_mean m = {0};
    double mean = 0;
    for (int i = 0; i < 50; i++) {
        assert_false(find_sweep_enough(&m, 1.0, &mean));
        assert_close(mean, 1, 1e-13); /* 50 roundings */
    }
    /* weights of old and new: 0.98 (1 - 0.98^50) and 0.02, over 1 - 0.98^51 */
    double old = 0.98 * (1 - pow(0.98, 50)), all = 1 - pow(0.98, 51);
    assert_false(find_sweep_enough(&m, 90.0, &mean));
    assert_close(mean, (old + 0.02 * 90) / all, 1e-12);
    assert_true(find_sweep_enough(&m, 150.0, &mean));
    find_sweep_mean bad = {0};
    assert_true(find_sweep_enough(&bad, (double)NAN, &mean));
    find_sweep_mean fallen = {0};
    for (int i = 0; i < 500; i++) assert_false(find_sweep_enough(&fallen, 2 - 0.002 * i, &mean));
}

/* ---- fastai's rules */

static gyre_find_row *rows_of(const double *losses, size_t count) {
    gyre_find_row *rows = calloc(count, sizeof *rows);
    for (size_t i = 0; i < count; i++) {
        rows[i] = (gyre_find_row){.step = (int64_t)i,
                                  .lr = 1e-7 * pow(10, 8.0 * (double)i / 100),
                                  .loss = losses[i],
                                  .smooth = losses[i]};
    }
    return rows;
}

/* asked 100: points 10..94 of 100 count. Flat to 30, falls by 0.1 a point to 60, rises after. */
static void rules_of_fastai_on_a_valley(void **state) {
    (void)state;
    double losses[100];
    for (int i = 0; i < 100; i++)
        losses[i] = i < 30 ? 5 : i < 60 ? 5 - 0.1 * (i - 30) : 2 + 0.3 * (i - 60);
    losses[45] -= 0.05; /* the steepest step leads to 45 */
    gyre_find_row *rows = rows_of(losses, 100);
    /* least: index 60 */
    assert_true(find_minimum(rows, 100, 100) == rows[60].lr / 10);
    assert_true(find_steep(rows, 100, 100) == rows[44].lr);
    /* Longest fall: 5 at 10 (any flat point), then 31..60: 31 points that end at 60; max_start is
     * 60 - 31 = 29, sections 31 / 3 = 10.33: 29 + 10 + 5. */
    assert_true(find_valley(rows, 100, 100) == rows[44].lr);
    /* From the right: slopes 15 apart are equal (0.3) at once, so the first left point stays. */
    assert_true(find_slide(rows, 100, 100) == rows[79].lr);
    free(rows);
}

static void rules_of_fastai_need_points(void **state) {
    (void)state;
    double losses[100] = {0};
    for (int i = 0; i < 100; i++) losses[i] = 100 - i;
    gyre_find_row *rows = rows_of(losses, 100);
    assert_true(isnan(find_valley(rows, 16, 100)) && isnan(find_minimum(rows, 16, 100)));
    assert_true(isnan(find_steep(rows, 16, 100)) && isnan(find_slide(rows, 31, 100)));
    assert_true(find_slide(rows, 32, 100) > 0);
    assert_true(find_minimum(rows, 17, 100) == rows[11].lr / 10);
    /* All fall: lds = 85, max_start = 84 - 85 = -1, sections 28.33: -1 + 28 + 14, after 10. */
    assert_true(find_valley(rows, 100, 100) == rows[10 + 41].lr);
    free(rows);
}

/* The definition, in quadratic time. */
static double slow_valley(const gyre_find_row *rows, size_t count, int64_t asked) {
    int first = (int)asked / 10, n = (int)count - first - 5, lds[200], end = 0, start = 0;
    for (int i = 0; i < n; i++) lds[i] = 1;
    for (int i = 1; i < n; i++) {
        for (int j = 0; j < i; j++) {
            if (rows[first + i].smooth < rows[first + j].smooth && lds[i] < lds[j] + 1)
                lds[i] = lds[j] + 1;
            if (lds[end] < lds[i]) {
                end = i;
                start = end - lds[end];
            }
        }
    }
    double sections = (end - start) / 3.0;
    int at = start + (int)sections + (int)(sections / 2);
    return rows[first + (at < 0 ? 0 : at)].lr;
}

static double slope_at(const double *y, int n, int i) {
    if (i == 0) return y[1] - y[0];
    if (i == n - 1) return y[n - 1] - y[n - 2];
    return (y[i + 1] - y[i - 1]) / 2;
}

/* The definition, with Python's indices from the end. */
static double slow_slide(const gyre_find_row *rows, size_t count, int64_t asked) {
    int first = (int)asked / 10, n = (int)count - first - 5, r = -1, l = -16;
    double y[200], found = rows[first + n + l].lr;
    for (int i = 0; i < n; i++) y[i] = rows[first + i].smooth;
    while (l >= -n && fabs(slope_at(y, n, n + r) - slope_at(y, n, n + l)) > 0.005) {
        found = rows[first + n + l].lr;
        r--;
        l--;
    }
    return found;
}

static void the_rules_are_fastai_s_on_noise(void **state) {
    (void)state;
    double losses[150];
    gyre_random r = gyre_random_open(3, GYRE_RANDOM_TEST, 0, 0);
    for (int k = 0; k < 200; k++) {
        for (int i = 0; i < 150; i++) { /* with ties */
            losses[i] = 3 - (double)i / 100 * (k % 3) + gyre_random_below(&r, 12) / 10.0;
        }
        gyre_find_row *rows = rows_of(losses, 150);
        assert_true(find_valley(rows, 150, 150) == slow_valley(rows, 150, 150));
        assert_true(find_slide(rows, 150, 150) == slow_slide(rows, 150, 150));
        for (int i = 0; i < 150; i++) { /* smooth, so that the slide ends early */
            rows[i].smooth = 3 + 1e-4 * (i - 20 - k % 100) * (i - 20 - k % 100);
            if (i < 50) rows[i].smooth = losses[i];
        }
        assert_true(find_slide(rows, 150, 150) == slow_slide(rows, 150, 150));
        free(rows);
    }
}

/* ---- gyre's own reading */

static find_curve_kind read_shape(const gyre_find_options *o, const shape *s, size_t count,
                                  gyre_find_marks *marks) {
    find_curve_facts facts;
    gyre_find_row *rows = draw(o, s, 1);
    assert_int_equal(find_read_curve(o, rows, count, (find_scores){0}, marks, &facts), GYRE_OK);
    free(rows);
    return facts.kind;
}

static void a_clear_curve_is_read_where_it_bends(void **state) {
    (void)state;
    gyre_find_marks m;
    for (int linear = 0; linear < 2; linear++) {
        gyre_find_options o = exponential;
        double begin = linear ? -2 : -3, end = linear ? -1.4 : -2, blow = linear ? -1.2 : -1.5;
        o.linear = linear == 1;
        if (linear) o.from = 1e-4, o.to = 0.1;
        for (int i = 0; i < 3; i++) {
            const shape s = {begin, end, blow, 0.03 * i};
            assert_int_equal(read_shape(&o, &s, 700, &m), FIND_CURVE_GOOD);
            assert_true(near(m.base_lr, begin));
            assert_true(near(m.max_lr, end));
            assert_true(near(m.diverged, blow + 0.75 / 6)); /* half of 1.5 at 6 a decade */
            assert_true(near(m.third * 3, blow + 0.75 / 6));
        }
    }
}

static void curves_that_tell_nothing(void **state) {
    (void)state;
    gyre_find_marks m;
    const shape flat = {20, 21, 0.5, 0.05}, noisy = {-3, -2, -1.5, 3}, clear = {-3, -2, -1.5, 0.02};
    assert_int_equal(read_shape(&exponential, &flat, 700, &m), FIND_CURVE_FLAT);
    assert_true(isnan(m.base_lr) && isnan(m.max_lr) && isnan(m.diverged) && isnan(m.third));
    assert_int_equal(read_shape(&exponential, &noisy, 700, &m), FIND_CURVE_NOISY);
    assert_true(isnan(m.base_lr) && isnan(m.max_lr) && isnan(m.diverged) && isnan(m.third));
    assert_int_equal(read_shape(&exponential, &clear, 20, &m), FIND_CURVE_SHORT);
    assert_int_equal(read_shape(&exponential, &clear, 0, &m), FIND_CURVE_SHORT);
    assert_true(isnan(m.base_lr) && isnan(m.valley));
    const shape early = {-7, -4.5, -1.5, 0.01};
    assert_int_equal(read_shape(&exponential, &early, 700, &m), FIND_CURVE_EARLY);
    assert_true(isnan(m.base_lr) && near(m.max_lr, -4.5));
    const shape late = {-3, 1.5, 5, 0.01};
    assert_int_equal(read_shape(&exponential, &late, 700, &m), FIND_CURVE_RISING);
    assert_true(near(m.base_lr, -3) && isnan(m.max_lr));
    gyre_find_row *rows = draw(&exponential, &clear, 1);
    for (int i = 0; i < 700; i++) rows[i].loss = (double)NAN; /* from the first on */
    find_curve_facts facts;
    assert_int_equal(find_read_curve(&exponential, rows, 700, (find_scores){0}, &m, &facts),
                     GYRE_OK);
    assert_int_equal(facts.kind, FIND_CURVE_FLAT);
    free(rows);
}

/* Where there was no fall, that the sweep ended early or in NaN tells where it diverged. */
static void divergence_needs_no_fall(void **state) {
    (void)state;
    gyre_find_marks m;
    find_curve_facts facts;
    const shape flat = {20, 21, 20, 0.05}, noisy = {-3, -2, 20, 3}, clear = {-3, -2, 20, 0.02};
    const struct {
        const shape *s;
        size_t count;
        find_curve_kind kind;
    } ended[] = {{&flat, 600, FIND_CURVE_FLAT},
                 {&noisy, 600, FIND_CURVE_NOISY},
                 {&clear, 20, FIND_CURVE_SHORT},
                 {&clear, 600, FIND_CURVE_GOOD}};
    for (int i = 0; i < 4; i++) {
        size_t count = ended[i].count;
        assert_int_equal(read_shape(&exponential, ended[i].s, count, &m), ended[i].kind);
        assert_true(m.diverged == find_sweep_rate(&exponential, (int64_t)count - 1));
        assert_true(m.third == find_sweep_rate(&exponential, (int64_t)count - 2) / 3);
    }
    assert_int_equal(read_shape(&exponential, &clear, 1, &m), FIND_CURVE_SHORT);
    assert_true(m.diverged == exponential.from && isnan(m.third));
    gyre_find_row *rows = draw(&exponential, &flat, 1); /* all steps, and NaN at the last */
    rows[699].loss = (double)NAN;
    assert_int_equal(find_read_curve(&exponential, rows, 700, (find_scores){0}, &m, &facts),
                     GYRE_OK);
    assert_true(facts.kind == FIND_CURVE_FLAT && m.diverged == exponential.to);
    free(rows);
}

/* Noise alone: of 300 flat curves none may look like a fall. */
static void noise_is_no_curve(void **state) {
    (void)state;
    gyre_find_marks m;
    find_curve_facts facts;
    const shape flat = {20, 21, 20, 0.5};
    for (uint64_t seed = 0; seed < 300; seed++) {
        gyre_find_row *rows = draw(&exponential, &flat, seed);
        assert_int_equal(find_read_curve(&exponential, rows, 700, (find_scores){0}, &m, &facts),
                         GYRE_OK);
        assert_true(facts.kind == FIND_CURVE_FLAT || facts.kind == FIND_CURVE_NOISY);
        free(rows);
    }
}

static const gyre_metric error_rate = {.name = "error", .is_share = true};

static find_scores score_of(const gyre_find_score *rows, size_t count, int64_t samples) {
    return (find_scores){gyre_metric_of_loss(NULL), rows, count, samples};
}

static void a_share_lowers_max_lr(void **state) {
    (void)state;
    const shape s = {-4, -2, -1, 0.02};
    gyre_find_row *rows = draw(&exponential, &s, 1);
    gyre_find_score scores[50];
    gyre_find_marks m;
    find_curve_facts facts;
    for (int i = 0; i < 50; i++) { /* best at 10^-3, ragged beyond */
        double x = -6 + 7.0 * i / 49;
        double metric = x < -3 ? 0.8 + 0.2 * (x + 3) : 0.7 + 0.06 * (i % 2);
        scores[i] = (gyre_find_score){.lr = pow(10, x), .metric = metric};
    }
    assert_int_equal(
        find_read_curve(&exponential, rows, 700, score_of(scores, 50, 10000), &m, &facts), GYRE_OK);
    assert_true(near(m.max_lr, -3));
    assert_int_equal(
        find_read_curve(&exponential, rows, 700, score_of(scores, 9, 10000), &m, &facts), GYRE_OK);
    assert_true(near(m.max_lr, -2)); /* too few scores */
    assert_int_equal(find_read_curve(&exponential, rows, 700, score_of(scores, 50, 50), &m, &facts),
                     GYRE_OK);
    assert_true(near(m.max_lr, -3.3)); /* one error, 6 points, before the best */
    assert_int_equal(find_read_curve(&exponential, rows, 700, score_of(scores, 50, 49), &m, &facts),
                     GYRE_OK);
    assert_true(near(m.max_lr, -2)); /* too few samples */
    gyre_metric no_share = *gyre_metric_of_loss(NULL);
    no_share.is_share = false;
    find_scores given = score_of(scores, 50, 10000);
    given.metric = &no_share;
    assert_int_equal(find_read_curve(&exponential, rows, 700, given, &m, &facts), GYRE_OK);
    assert_true(near(m.max_lr, -2)); /* nothing tells how sure such a score is */
    for (int i = 0; i < 50; i++) scores[i].metric = 1 - scores[i].metric;
    given.metric = &error_rate;
    assert_int_equal(find_read_curve(&exponential, rows, 700, given, &m, &facts), GYRE_OK);
    assert_true(near(m.max_lr, -3)); /* the less, the better */
    free(rows);
}

/* Down from 1e-4 to 1e-2, most of it lost from 1e-1.75 to 1e-1.25, and a better loss beyond. */
static void a_recovery_after_a_blow_up_is_not_read(void **state) {
    (void)state;
    const shape s = {.begin = -4, .end = -2, .blow = 2, .noise = 0.02};
    gyre_find_row *rows = draw(&exponential, &s, 5);
    for (int k = 0; k < 700; k++) {
        double x = log10(rows[k].lr);
        if (x > -1.75) rows[k].loss = x < -1.25 ? 1.8 : 0.5;
    }
    gyre_find_marks m;
    find_curve_facts facts;
    assert_int_equal(find_read_curve(&exponential, rows, 700, (find_scores){0}, &m, &facts),
                     GYRE_OK);
    assert_int_equal(facts.kind, FIND_CURVE_GOOD);
    assert_true(near(m.base_lr, -4) && near(m.max_lr, -2) && near(m.diverged, -1.75));
    for (int k = 0; k < 700; k++) rows[k].loss += k % 2 == 0 ? 1 : -1; /* noise hides the fall */
    for (int k = 0; k < 700; k++) {
        if (rows[k].lr > 0.018) rows[k].loss = rows[k].lr < 0.056 ? 50 : -5;
    }
    assert_int_equal(find_read_curve(&exponential, rows, 700, (find_scores){0}, &m, &facts),
                     GYRE_OK);
    assert_int_equal(facts.kind, FIND_CURVE_NOISY);
    free(rows);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_and_last_rate_are_exact),
        cmocka_unit_test(the_mean_is_debiased_and_ends_a_sweep),
        cmocka_unit_test(rules_of_fastai_on_a_valley),
        cmocka_unit_test(rules_of_fastai_need_points),
        cmocka_unit_test(the_rules_are_fastai_s_on_noise),
        cmocka_unit_test(a_clear_curve_is_read_where_it_bends),
        cmocka_unit_test(curves_that_tell_nothing),
        cmocka_unit_test(divergence_needs_no_fall),
        cmocka_unit_test(noise_is_no_curve),
        cmocka_unit_test(a_share_lowers_max_lr),
        cmocka_unit_test(a_recovery_after_a_blow_up_is_not_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
