/* Series for figures: no extreme is lost by thinning, NaN stays a gap, means are exact. */
#include "../../src/report/series.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static report_point *make(size_t count) {
    report_point *points = calloc(count, sizeof *points);
    assert_non_null(points);
    for (size_t i = 0; i < count; i++) {
        points[i] = (report_point){(double)i, (double)((i * 7919) % 1009)};
    }
    return points;
}

static void few_rows_are_kept(void **state) {
    (void)state;
    static report_point out[REPORT_SERIES_MAX];
    report_point *in = make(REPORT_SERIES_MAX);
    for (size_t count = 0; count <= REPORT_SERIES_MAX; count += 100) {
        assert_int_equal(report_series_thin(in, count, out), count);
        for (size_t i = 0; i < count; i++) assert_true(out[i].x == in[i].x && out[i].y == in[i].y);
    }
    free(in);
}

static void thinning_keeps_extremes_and_order(void **state) {
    (void)state;
    static report_point out[REPORT_SERIES_MAX];
    const size_t counts[] = {REPORT_SERIES_MAX + 1, 5000, 100000, 123457};
    for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++) {
        size_t count = counts[c];
        report_point *in = make(count);
        in[count / 3].y = 1e9; /* a spike of one row */
        in[count / 2].y = -1e9;
        in[count / 4].y = NAN;
        size_t used = report_series_thin(in, count, out);
        assert_true(used <= REPORT_SERIES_MAX);
        double least = 0, greatest = 0;
        assert_true(report_series_extent(out, used, &least, &greatest));
        assert_true(least == -1e9 && greatest == 1e9);
        assert_true(out[0].x == 0 && out[used - 1].x == (double)(count - 1));
        for (size_t i = 1; i < used; i++) assert_true(out[i - 1].x < out[i].x);
        free(in);
    }
}

static void straight_lines_are_two_points(void **state) {
    (void)state;
    report_point zigzag[301], curve[1001];
    for (int i = 0; i <= 300; i++)
        zigzag[i] = (report_point){i, i % 200 < 100 ? i % 100 : 100 - i % 100};
    assert_int_equal(report_series_straighten(zigzag, 301, 1e-9), 4);
    for (int i = 0; i < 4; i++) assert_true(zigzag[i].x == 100 * i && zigzag[i].y == 100 * (i % 2));
    for (int i = 0; i <= 1000; i++) curve[i] = (report_point){i, 1e-6 * i * i};
    size_t used = report_series_straighten(curve, 1001, 1e-3);
    assert_in_range(used, 8, 40); /* chords of a parabola: 2 sqrt(1e-3 / 1e-6) = 63 steps each */
    assert_true(curve[0].x == 0 && curve[used - 1].x == 1000);
    report_point gap[4] = {{0, 0}, {1, 1}, {2, NAN}, {3, 3}};
    assert_int_equal(report_series_straighten(gap, 4, 1), 4); /* the gap and its ends stay */
    assert_int_equal(report_series_straighten(gap, 0, 1), 0);
}

static void means_are_those_of_the_rows_around(void **state) {
    (void)state;
    static report_point out[REPORT_SERIES_BUCKETS];
    report_point in[5] = {{0, 1}, {1, 2}, {2, 6}, {3, NAN}, {4, 10}};
    assert_int_equal(report_series_smooth(in, 5, 1, out), 5);
    assert_true(out[0].y == 1.5); /* at an end there are fewer */
    assert_true(out[1].y == 3);
    assert_true(out[2].y == 4); /* NaN is left out of its neighbours' means */
    assert_true(isnan(out[3].y));
    assert_true(out[4].y == 10);
    assert_int_equal(report_series_smooth(in, 1, 0, out), 1);
    assert_true(out[0].x == 0 && out[0].y == 1);
    assert_int_equal(report_series_smooth(in, 0, 0, out), 0);
}

static void many_means_span_the_run(void **state) {
    (void)state;
    static report_point out[REPORT_SERIES_BUCKETS];
    size_t count = 100000;
    report_point *in = make(count);
    assert_int_equal(report_series_smooth(in, count, report_series_half(count), out),
                     REPORT_SERIES_BUCKETS);
    assert_true(out[0].x == 0 && out[REPORT_SERIES_BUCKETS - 1].x == (double)(count - 1));
    /* 2001 rows of a sequence that takes 0..1008 once in 1009 rows: within 2 % of its mean */
    assert_true(fabs(out[500].y - 504) <= 10);
    free(in);
}

static void nothing_finite_has_no_extent(void **state) {
    (void)state;
    report_point in[2] = {{0, NAN}, {1, INFINITY}};
    double least = 5, greatest = 5;
    assert_false(report_series_extent(in, 2, &least, &greatest));
    assert_true(least == 5 && greatest == 5);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(few_rows_are_kept),
        cmocka_unit_test(thinning_keeps_extremes_and_order),
        cmocka_unit_test(straight_lines_are_two_points),
        cmocka_unit_test(means_are_those_of_the_rows_around),
        cmocka_unit_test(many_means_span_the_run),
        cmocka_unit_test(nothing_finite_has_no_extent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
