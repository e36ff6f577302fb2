/* Means of a run's weights: which weights are their members. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/average.h"
#include "schedule_rig.h"
#include <stdlib.h>
#include <string.h>

#define OK(call) assert_int_equal(call, GYRE_OK)

static void check_members(const gyre_average_settings *s, gyre_average_kind kind,
                          const gyre_schedule *schedule, const int64_t *want, size_t count) {
    gyre_average_members m;
    OK(gyre_average_find_members(s, kind, schedule, &m));
    assert_int_equal(m.count, count);
    for (size_t i = 0; i < count; i++) assert_int_equal(m.steps[i], want[i]);
    size_t taken = 0;
    for (int64_t completed = 0; completed <= gyre_schedule_steps(schedule) + 3; completed++) {
        bool now = false, member = taken < count && want[taken] == completed;
        taken += member;
        assert_int_equal(gyre_average_taken(&m, completed, &now), taken);
        assert_true(now == member);
    }
    free(m.steps);
}

static void minima_are_the_schedules(void **state) {
    (void)state;
    const gyre_average_settings none = {0};
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_TRIANGULAR, 0.1, 1);
    set.stepsize = STEPS(10); /* the last cycle is not complete */
    gyre_schedule *s = rig_open(&set, STEPS(95));
    check_members(&none, GYRE_AVERAGE_MINIMA, s, (int64_t[]){20, 40, 60, 80}, 4);
    check_members(&none, GYRE_AVERAGE_EMA, s, NULL, 0);
    const gyre_average_settings third = {.first_minimum = 3}, fifth = {.first_minimum = 5};
    check_members(&third, GYRE_AVERAGE_MINIMA, s, (int64_t[]){60, 80}, 2);
    check_members(&fifth, GYRE_AVERAGE_MINIMA, s, NULL, 0);
    gyre_schedule_close(s);
    set = rig_settings(GYRE_POLICY_TRIANGULAR, 0.1, 1);
    set.cycles = 2;
    set.warmup = STEPS(10);
    s = rig_open(&set, STEPS(51));
    check_members(&none, GYRE_AVERAGE_MINIMA, s, (int64_t[]){31, 51}, 2);
    gyre_schedule_close(s);
    set = rig_settings(GYRE_POLICY_CONSTANT, 0.1, 1);
    s = rig_open(&set, STEPS(50));
    check_members(&none, GYRE_AVERAGE_MINIMA, s, NULL, 0);
    gyre_schedule_close(s);
}

static void swa_has_equal_distances(void **state) {
    (void)state;
    const gyre_schedule_settings set = rig_settings(GYRE_POLICY_CONSTANT, 0.1, 1);
    gyre_schedule *s = rig_open(&set, STEPS(50));
    gyre_average_settings a = {.start = STEPS(38), .every = STEPS(5)};
    check_members(&a, GYRE_AVERAGE_SWA, s, (int64_t[]){38, 43, 48}, 3);
    a.start = STEPS(40);
    check_members(&a, GYRE_AVERAGE_SWA, s, (int64_t[]){40, 45, 50}, 3);
    a.start = STEPS(50);
    check_members(&a, GYRE_AVERAGE_SWA, s, (int64_t[]){50}, 1);
    a.start = STEPS(51);
    gyre_average_members m;
    assert_int_equal(gyre_average_find_members(&a, GYRE_AVERAGE_SWA, s, &m), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "average.start: expected at most the run's 50"));
    gyre_schedule_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minima_are_the_schedules),
        cmocka_unit_test(swa_has_equal_distances),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
