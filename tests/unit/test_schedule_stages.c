/* Stages: one after another, and one that is left before its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule_rig.h"

static double lr(const gyre_schedule *s, int64_t t) {
    return gyre_schedule_at(s, t).lr;
}

/* Table 2 of the CLR paper: 4, 3 and 3 cycles, each stage ten times lower. */
static void stages_of_the_paper(void **state) {
    (void)state;
    gyre_stage_settings stages[3] = {0};
    static const double steps[] = {16000, 6000, 3000}, sizes[] = {2000, 1000, 500};
    double scale = 1;
    for (int i = 0; i < 3; i++, scale /= 10) {
        stages[i].length = STEPS(steps[i]);
        stages[i].schedule = rig_settings(GYRE_POLICY_TRIANGULAR2, 0.001 * scale, 0.005 * scale);
        stages[i].schedule.stepsize = STEPS(sizes[i]);
    }
    gyre_schedule_settings set = stages[0].schedule;
    set.stages = stages;
    set.stage_count = 3;
    gyre_schedule *s = rig_open(&set, STEPS(25000));
    assert_int_equal(gyre_schedule_steps(s), 25000);
    assert_int_equal(gyre_schedule_cycle_count(s), 10);
    assert_true(lr(s, 2000) == 0.005 && lr(s, 17000) == 0.005 * 0.1 && lr(s, 16000) == 0.0001);
    assert_int_equal(gyre_schedule_at(s, 16000).cycle, 4);
    assert_int_equal(gyre_schedule_at(s, 24999).cycle, 9);
    assert_true(gyre_schedule_is_minimum(s, 16000) && gyre_schedule_is_minimum(s, 25000));
    gyre_schedule_close(s);
}

/* A run of 1000 steps, left after `cut` for 100 steps at a constant rate. */
static void check_cut(const gyre_schedule_settings *whole, int64_t cut) {
    gyre_stage_settings stages[2] = {{.length = STEPS(1000), .schedule = *whole},
                                     {.length = STEPS(100)}};
    stages[0].cut = STEPS((double)cut);
    stages[1].schedule = rig_settings(GYRE_POLICY_CONSTANT, 0.123, 0);
    gyre_schedule_settings set = *whole;
    set.stages = stages;
    set.stage_count = 2;
    gyre_schedule *s = rig_open(&set, STEPS((double)cut + 100)), *of = rig_open(whole, STEPS(1000));
    assert_int_equal(gyre_schedule_steps(s), cut + 100);
    for (int64_t t = 0; t < cut; t++) {
        gyre_rate a = gyre_schedule_at(s, t), b = gyre_schedule_at(of, t);
        assert_true(a.lr == b.lr && a.momentum == b.momentum && a.cycle == b.cycle);
        assert_int_equal(gyre_schedule_is_minimum(s, t + 1), gyre_schedule_is_minimum(of, t + 1));
    }
    for (int64_t t = cut; t < cut + 100; t++) assert_true(gyre_schedule_at(s, t).lr == 0.123);
    size_t count = gyre_schedule_cycle_count(s);
    for (size_t i = 0; i < count; i++) {
        gyre_cycle a = gyre_schedule_cycle(s, i), b = gyre_schedule_cycle(of, i);
        bool ends = b.last < cut;
        assert_true(a.first == b.first && a.last == (ends ? b.last : cut - 1));
        assert_true(a.complete == (ends && b.complete) && a.peak == (b.peak < cut ? b.peak : -1));
        assert_int_equal(i + 1 < count, ends && a.last < cut - 1);
    }
    gyre_schedule_close(s);
    gyre_schedule_close(of);
}

static void a_stage_that_is_cut_has_the_rates_of_the_whole(void **state) {
    (void)state;
    static const gyre_policy policies[] = {GYRE_POLICY_TRIANGULAR, GYRE_POLICY_SGDR,
                                           GYRE_POLICY_ONE_CYCLE, GYRE_POLICY_WSD,
                                           GYRE_POLICY_LINEAR};
    static const int64_t cuts[] = {1, 10, 30, 31, 200, 507, 999};
    for (size_t i = 0; i < sizeof policies / sizeof *policies; i++) {
        gyre_schedule_settings set = rig_settings(policies[i], 0.001, 0.3);
        set.warmup = STEPS(30);
        set.cycles = 5.5;
        set.t0 = STEPS(50);
        set.t_mult = 2;
        for (size_t k = 0; k < sizeof cuts / sizeof *cuts; k++) check_cut(&set, cuts[k]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages_of_the_paper),
        cmocka_unit_test(a_stage_that_is_cut_has_the_rates_of_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
