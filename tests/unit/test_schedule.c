/* Schedules by hand: the numbers that a person would work out on paper. */
#include "gyre/random.h"

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

/* "end": "low" makes 2.5 cycles 3, and leaves 3 alone. */
static void end_low(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_TRIANGULAR, 0, 1);
    set.end_low = true;
    for (set.cycles = 2.5; set.cycles <= 3; set.cycles += 0.5) {
        gyre_schedule *s = rig_open(&set, STEPS(61));
        for (int j = 0; j <= 6; j++) assert_true(lr(s, 10 * j) == j % 2);
        gyre_schedule_close(s);
    }
}

/* Rise of 3 steps, fall of 7, in both forms. */
static void up_fraction(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_TRIANGULAR, 0, 1);
    set.up_fraction = 0.3;
    set.cycles = 2;
    for (int form = 0; form < 2; form++) {
        gyre_schedule *s = rig_open(&set, STEPS(21));
        assert_true(lr(s, 0) == 0 && lr(s, 3) == 1 && lr(s, 10) == 0 && lr(s, 13) == 1);
        assert_true(lr(s, 1) == 1.0 / 3 && lr(s, 4) == 6.0 / 7 && lr(s, 20) == 0);
        gyre_schedule_close(s);
        set.cycles = 0;
        set.stepsize = STEPS(5);
    }
}

static void exp_range_declines_at_both_bounds(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_EXP_RANGE, 1, 2);
    set.gamma = 0.5;
    set.stepsize = STEPS(2);
    gyre_schedule *s = rig_open(&set, STEPS(9));
    assert_true(lr(s, 0) == 1 && lr(s, 2) == 0.5 && lr(s, 4) == 1.0 / 16 && lr(s, 6) == 2.0 / 64);
    gyre_schedule_close(s);
    set.policy = GYRE_POLICY_EXP_RANGE_AMPLITUDE; /* only the height above base_lr does */
    s = rig_open(&set, STEPS(9));
    assert_true(lr(s, 0) == 1 && lr(s, 2) == 1.25 && lr(s, 4) == 1 && lr(s, 6) == 1 + 1.0 / 64);
    gyre_schedule_close(s);
}

static void warm_up(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_TRIANGULAR, 0.5, 1);
    set.cycles = 2;
    set.warmup = STEPS(10);
    set.cycle_momentum = true;
    set.momentum_min = 0.8;
    set.momentum_max = 0.95;
    gyre_schedule *s = rig_open(&set, STEPS(51));
    assert_true(lr(s, 0) == 0 && lr(s, 4) == 0.2 && lr(s, 10) == 0.5 && lr(s, 20) == 1);
    for (int t = 0; t <= 10; t++) assert_true(gyre_schedule_at(s, t).momentum == 0.95);
    for (int t = 0; t <= 10; t++) assert_int_equal(gyre_schedule_at(s, t).cycle, 0);
    assert_true(gyre_schedule_is_minimum(s, 31) && !gyre_schedule_is_minimum(s, 10));
    gyre_cycle c = gyre_schedule_cycle(s, 0);
    assert_true(c.first == 10 && c.peak == 20 && c.last == 30 && c.low == 0.5);
    gyre_schedule_close(s);
    set.cycles = 0;
    set.stepsize = STEPS(10);
    s = rig_open(&set, CYCLES(2)); /* of a known length: the warm-up comes on top */
    assert_true(gyre_schedule_steps(s) == 50 && gyre_schedule_is_minimum(s, 50));
    gyre_schedule_close(s);

    set.stepsize.unit = GYRE_UNIT_NONE;
    set.cycles = 2;
    set.warmup_from = 2; /* a warm-up may come from above, and start == "high" begins at max_lr */
    set.start_high = true;
    s = rig_open(&set, STEPS(51));
    assert_true(lr(s, 0) == 2 && lr(s, 5) == 1.5 && lr(s, 10) == 1);
    for (int t = 0; t <= 10; t++) assert_true(gyre_schedule_at(s, t).momentum == 0.8);
    gyre_schedule_close(s);
}

static double momentum(const gyre_schedule *s, int64_t t) {
    return gyre_schedule_at(s, t).momentum;
}

/* Lowest where the rate is highest; its swing shrinks with the rate's. 2^-50: a few roundings of
 * numbers below 1. */
static void cycled_momentum(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_TRIANGULAR2, 0, 1);
    set.stepsize = STEPS(10);
    set.cycle_momentum = true;
    set.momentum_min = 0.8;
    set.momentum_max = 0.95;
    set.gamma = 0.99;
    gyre_schedule *s = rig_open(&set, CYCLES(3));
    assert_true(momentum(s, 0) == 0.95 && momentum(s, 10) == 0.8 && momentum(s, 20) == 0.95);
    assert_true(fabs(momentum(s, 30) - 0.875) <= 0x1p-50); /* A_1 = 1/2 */
    assert_true(fabs(momentum(s, 45) - (0.95 - 0.15 * 0.5 * 0.25)) <= 0x1p-50);
    gyre_schedule_close(s);

    set.policy = GYRE_POLICY_EXP_RANGE_AMPLITUDE;
    set.peak_decay = 1;
    s = rig_open(&set, CYCLES(3));
    assert_true(fabs(momentum(s, 30) - (0.95 - 0.15 * pow(0.99, 30))) <= 0x1p-50);
    gyre_schedule_close(s);
    set.policy = GYRE_POLICY_EXP_RANGE; /* here the rate declines, the momentum's swing does not */
    s = rig_open(&set, CYCLES(3));
    assert_true(momentum(s, 30) == 0.8);
    gyre_schedule_close(s);
    set.policy = GYRE_POLICY_EXP; /* nothing to follow */
    set.base_lr = 1;
    s = rig_open(&set, STEPS(30));
    assert_true(momentum(s, 0) == 0.9 && momentum(s, 15) == 0.9);
    gyre_schedule_close(s);
}

static void one_cycle(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_ONE_CYCLE, 0, 1);
    set.cycle_momentum = true;
    set.momentum_min = 0.85;
    set.momentum_max = 0.95;
    gyre_schedule *s = rig_open(&set, STEPS(100)); /* peak at 0.3 * 100 - 1 */
    assert_true(lr(s, 0) == 1.0 / 25 && lr(s, 29) == 1 && lr(s, 99) == 1.0 / 25 / 1e4);
    assert_true(momentum(s, 0) == 0.95 && momentum(s, 29) == 0.85 && momentum(s, 99) == 0.95);
    gyre_cycle c = gyre_schedule_cycle(s, 0);
    assert_true(c.first == 0 && c.peak == 29 && c.last == 99 && c.complete && c.high == 1);
    assert_true(gyre_schedule_is_minimum(s, 100) && !gyre_schedule_is_minimum(s, 99));
    gyre_schedule_close(s);

    s = rig_open(&set, STEPS(101)); /* PyTorch's never quite meets max_lr here: 0.99976 */
    assert_true(lr(s, 29) < 1 && fabs(gyre_schedule_cycle(s, 0).high - 0.99976) < 5e-6);
    gyre_schedule_close(s);

    set.one_cycle_form = GYRE_ONE_CYCLE_PAPER;
    set.anneal = GYRE_ANNEAL_LINEAR;
    s = rig_open(&set, STEPS(101)); /* 30 up, 30 down, 40 far below */
    assert_true(lr(s, 30) == 1 && lr(s, 60) == 1.0 / 25 && lr(s, 100) == 1.0 / 25 / 1e4);
    assert_true(momentum(s, 30) == 0.85 && momentum(s, 60) == 0.95 && momentum(s, 80) == 0.95);
    gyre_schedule_close(s);
}

static void sgdr(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_SGDR, 0, 1);
    set.t0 = STEPS(10);
    set.t_mult = 2;
    gyre_schedule *s = rig_open(&set, CYCLES(3));
    assert_int_equal(gyre_schedule_steps(s), 70);
    assert_true(lr(s, 0) == 1 && lr(s, 10) == 1 && lr(s, 30) == 1 && lr(s, 20) == 0.5);
    assert_true(fabs(lr(s, 9) - 0.024) < 0.001); /* ends at 2.4 % of max_lr, as PyTorch's does */
    assert_true(gyre_schedule_is_minimum(s, 10) && gyre_schedule_is_minimum(s, 70));
    assert_false(gyre_schedule_is_minimum(s, 20));
    gyre_schedule_close(s);
    set.closed = true;
    s = rig_open(&set, CYCLES(3));
    assert_true(lr(s, 0) == 1 && lr(s, 9) == 0 && lr(s, 29) == 0 && lr(s, 69) == 0);
    gyre_schedule_close(s);
}

/* A fifth of the steps falls to base_lr, which the last one has. */
static void wsd(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_WSD, 0, 1);
    gyre_schedule *s = rig_open(&set, STEPS(100));
    assert_true(lr(s, 0) == 1 && lr(s, 79) == 1 && lr(s, 80) == 0.95 && lr(s, 99) == 0);
    gyre_schedule_close(s);
    set.decay_steps = STEPS(4);
    s = rig_open(&set, STEPS(4)); /* all of them */
    assert_true(lr(s, 0) == 0.75 && lr(s, 2) == 0.25 && lr(s, 3) == 0);
    gyre_schedule_close(s);
    set.shape = GYRE_SHAPE_SQRT; /* 1 - sqrt(1/4), 1 - sqrt(2/4), ... */
    s = rig_open(&set, STEPS(4));
    assert_true(lr(s, 0) == 0.5 && lr(s, 3) == 0);
    gyre_schedule_close(s);
}

/* EveryDream2's runs: lr_decay_steps 50 has one step of warm-up and a period of 98 steps. */
static void hf_cosine(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_HF_COSINE, 0, 1);
    set.decay_steps = STEPS(50);
    gyre_schedule *s = rig_open(&set, STEPS(550));
    static const int minima[] = {50, 148, 246, 344, 442, 540};
    assert_true(lr(s, 0) == 0 && lr(s, 1) == 1);
    for (int i = 0; i < 6; i++) {
        assert_true(lr(s, minima[i]) == 0);
        assert_true(gyre_schedule_is_minimum(s, minima[i] + 1));
        assert_int_equal(gyre_schedule_cycle(s, (size_t)i).last, minima[i]);
    }
    assert_true(fabs(lr(s, 549) - 0.081) < 0.001);
    gyre_schedule_close(s);

    set.decay_steps = STEPS(40); /* no warm-up, starts at the peak, 800 steps end near one */
    s = rig_open(&set, STEPS(800));
    assert_true(lr(s, 0) == 1 && lr(s, 40) == 0 && lr(s, 80) == 1);
    assert_true(fabs(lr(s, 799) - 0.998) < 0.001);
    gyre_schedule_close(s);

    set.hf_cycles = 1e-300; /* a minimum far beyond any step */
    s = rig_open(&set, STEPS(800));
    assert_true(lr(s, 799) == 1 && !gyre_schedule_cycle(s, 0).complete);
    gyre_schedule_close(s);
    set.hf_cycles = 0.5;

    set.decay_steps.unit = GYRE_UNIT_NONE; /* the run: 2 % of warm-up, then down to nearly 0 */
    s = rig_open(&set, STEPS(1000));
    assert_true(lr(s, 20) == 1 && lr(s, 19) == 0.95 && lr(s, 999) < 1e-5);
    gyre_schedule_close(s);
}

static void plain_policies(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_MULTISTEP, 1, 0);
    set.gamma = 0.5;
    set.milestones[0] = STEPS(30);
    set.milestones[1] = STEPS(60);
    set.milestone_count = 2;
    set.warmup = STEPS(10); /* milestones are steps of the run all the same */
    gyre_schedule *s = rig_open(&set, STEPS(100));
    assert_true(lr(s, 5) == 0.5 && lr(s, 10) == 1 && lr(s, 29) == 1 && lr(s, 30) == 0.5);
    assert_true(lr(s, 59) == 0.5 && lr(s, 60) == 0.25 && lr(s, 1000) == 0.25);
    assert_int_equal(gyre_schedule_cycle_count(s), 0);
    assert_false(gyre_schedule_is_minimum(s, 100));
    gyre_schedule_close(s);

    set = rig_settings(GYRE_POLICY_LINEAR, 0, 1);
    s = rig_open(&set, STEPS(101));
    assert_true(lr(s, 0) == 1 && lr(s, 50) == 0.5 && lr(s, 100) == 0);
    gyre_schedule_close(s);
    s = rig_open(&set, STEPS(1));
    assert_true(lr(s, 0) == 1);
    gyre_schedule_close(s);

    set = rig_settings(GYRE_POLICY_EXP, 1, 0);
    set.gamma = 0.5;
    s = rig_open(&set, STEPS(10));
    assert_true(lr(s, 0) == 1 && lr(s, 9) == 1.0 / 512);
    gyre_schedule_close(s);
}

/* Nor does a peak that lacks but 2^-53 of its height round to more than max_lr. */
static void never_above_max(void **state) {
    (void)state;
    gyre_random r = gyre_random_open(3, GYRE_RANDOM_TEST, 0, 2);
    for (int i = 0; i < 2000; i++) {
        double max = 3 * gyre_random_uniform(&r), base = max * gyre_random_uniform(&r) / 7;
        gyre_schedule_settings set = rig_settings(GYRE_POLICY_TRIANGULAR, base, max);
        set.stepsize = STEPS(1);
        set.peak_decay = 1 - 0x1p-53;
        gyre_schedule *s = rig_open(&set, STEPS(4));
        assert_true(lr(s, 3) <= max && lr(s, 3) >= base);
        gyre_schedule_close(s);
    }
}

/* A million million cycles' worth of integers: nothing overflows, first and last step are exact. */
static void enormous_runs(void **state) {
    (void)state;
    gyre_schedule_settings set = rig_settings(GYRE_POLICY_TRIANGULAR, 0.25, 1);
    const int64_t n = 9007199254740991;
    set.cycles = 1e9;
    gyre_schedule *s = rig_open(&set, STEPS((double)n));
    assert_true(lr(s, 0) == 0.25 && lr(s, n - 1) == 0.25);
    assert_int_equal(gyre_schedule_at(s, n - 1).cycle, 999999999);
    for (size_t i = 0; i < 1000000000; i += 99999989) {
        gyre_cycle c = gyre_schedule_cycle(s, i);
        assert_true(c.low == 0.25 && c.high == 1 && lr(s, c.peak) == 1 && lr(s, c.last) == 0.25);
    }
    gyre_schedule_close(s);
    set.cycles = 0;
    set.stepsize = STEPS(4503599627370495);
    s = rig_open(&set, CYCLES(1));
    assert_true(lr(s, 4503599627370495) == 1 && lr(s, n - 2) < 0.2500000001);
    gyre_schedule_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stepsize_as_in_the_paper),
        cmocka_unit_test(fitted_cycles),
        cmocka_unit_test(start_high),
        cmocka_unit_test(end_low),
        cmocka_unit_test(up_fraction),
        cmocka_unit_test(exp_range_declines_at_both_bounds),
        cmocka_unit_test(warm_up),
        cmocka_unit_test(cycled_momentum),
        cmocka_unit_test(one_cycle),
        cmocka_unit_test(sgdr),
        cmocka_unit_test(wsd),
        cmocka_unit_test(hf_cosine),
        cmocka_unit_test(plain_policies),
        cmocka_unit_test(never_above_max),
        cmocka_unit_test(enormous_runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
