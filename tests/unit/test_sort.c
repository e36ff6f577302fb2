/* Sorting doubles and their median. */
#include "gyre/sort.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static void rising_order(void **state) {
    (void)state;
    double values[] = {2, INFINITY, -1, 0.5, -INFINITY, 2};
    const double sorted[] = {-INFINITY, -1, 0.5, 2, 2, INFINITY};
    qsort(values, 6, sizeof *values, gyre_sort_rising);
    for (int i = 0; i < 6; i++) assert_true(values[i] == sorted[i]);
}

static void medians(void **state) {
    (void)state;
    double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2}, half[] = {INFINITY, 1, INFINITY, 2};
    double most[] = {INFINITY, 1, INFINITY};
    assert_true(isnan(gyre_sort_median(odd, 0)));
    assert_true(gyre_sort_median(odd, 1) == 5);
    assert_true(gyre_sort_median(odd, 3) == 3);
    assert_true(gyre_sort_median(even, 4) == 2.5);
    assert_true(isinf(gyre_sort_median(half, 4)));
    assert_true(isinf(gyre_sort_median(most, 3)));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(rising_order), cmocka_unit_test(medians)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
