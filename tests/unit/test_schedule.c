/* Schedules by hand: the numbers that a person would work out on paper. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule_rig.h"

static double lr(const gyre_schedule *s, int64_t t) {
    return gyre_schedule_at(s, t).lr;
}

/* Smith's curve: 0.001 to 0.006, stepsize 2000. */
static void stepsize_as_in_the_paper(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_TRIANGULAR, 0.001, 0.006);
    set.stepsize = STEPS(2000);
    gyre_schedule *s = rig_open(&set, CYCLES(2.5));
    assert_int_equal(gyre_schedule_steps(s), 10000);
    assert_true(lr(s, 0) == 0.001 && lr(s, 2000) == 0.006 && lr(s, 4000) == 0.001);
    assert_true(fabs(lr(s, 1000) - 0.0035) < 1e-17 && fabs(lr(s, 3000) - 0.0035) < 1e-17);
    assert_true(lr(s, 9999) == lr(s, 10000) && lr(s, INT64_MAX) == lr(s, 9999));
    assert_int_equal(gyre_schedule_at(s, 3999).cycle, 0);
    assert_int_equal(gyre_schedule_at(s, 4000).cycle, 1);
    assert_int_equal(gyre_schedule_cycle_count(s), 3);
    gyre_cycle c = gyre_schedule_cycle(s, 1);
    assert_true(c.first == 4000 && c.peak == 6000 && c.last == 7999 && c.complete);
    c = gyre_schedule_cycle(s, 2);
    assert_true(c.first == 8000 && c.peak == -1 && c.last == 9999 && !c.complete);
    assert_true(gyre_schedule_is_minimum(s, 4000) && gyre_schedule_is_minimum(s, 8000));
    assert_false(gyre_schedule_is_minimum(s, 3999) || gyre_schedule_is_minimum(s, 0) ||
                 gyre_schedule_is_minimum(s, 10000));
    gyre_schedule_close(s);
}

/* Five cycles in 101 steps: extremes at 0, 10, 20, ... 100. */
static void fitted_cycles(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_TRIANGULAR, 0.001, 0.006);
    set.cycles = 5;
    gyre_schedule *s = rig_open(&set, STEPS(101));
    for (int64_t t = 0; t <= 100; t += 10) assert_true(lr(s, t) == (t % 20 ? 0.006 : 0.001));
    gyre_cycle c = gyre_schedule_cycle(s, 1);
    assert_true(c.first == 21 && c.peak == 30 && c.last == 40 && c.complete);
    assert_true(c.low == 0.001 && c.high == 0.006);
    assert_true(gyre_schedule_is_minimum(s, 41) && !gyre_schedule_is_minimum(s, 40));
    assert_true(gyre_schedule_is_minimum(s, 101) && !gyre_schedule_is_minimum(s, 1));
    gyre_schedule_close(s);
}

static void start_high(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_TRIANGULAR2, 0, 1);
    set.start_high = true;
    set.cycles = 2.5;
    gyre_schedule *s = rig_open(&set, STEPS(51));
    static const double heights[] = {1, 0, 0.5, 0, 0.25, 0};
    for (int j = 0; j <= 5; j++) assert_true(lr(s, 10 * j) == heights[j]);
    assert_int_equal(gyre_schedule_at(s, 10).cycle, 0);
    assert_int_equal(gyre_schedule_at(s, 11).cycle, 1);
    assert_int_equal(gyre_schedule_cycle_count(s), 3);
    gyre_schedule_close(s);

    set.cycles = 0;
    set.stepsize = STEPS(10);
    s = rig_open(&set, STEPS(51));
    for (int j = 0; j <= 5; j++) assert_true(lr(s, 10 * j) == heights[j]);
    gyre_cycle c = gyre_schedule_cycle(s, 0);
    assert_true(c.first == 0 && c.peak == 0 && c.last == 9 && c.complete);
    assert_true(gyre_schedule_is_minimum(s, 10));
    gyre_schedule_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stepsize_as_in_the_paper),
        cmocka_unit_test(fitted_cycles),
        cmocka_unit_test(start_high),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
