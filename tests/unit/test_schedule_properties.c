/* What must hold for any schedule, over random configs: bounds, extremes, continuity, and that the
 * list of cycles, the minima, the stages and the resolved lengths all tell the same story. */
#include "gyre/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "schedule_rig.h"

enum { CONFIGS = 1500, PER_EPOCH = 37 };

static gyre_random draw;

static int64_t between(int64_t least, int64_t most) {
    return least + gyre_random_below(&draw, (uint32_t)(most - least + 1));
}
static bool coin(void) {
    return gyre_random_u32(&draw) & 1;
}

static gyre_length random_length(int64_t least, int64_t most) {
    if (coin()) return STEPS((double)between(least, most));
    double epochs =
        ((double)least + gyre_random_uniform(&draw) * (double)(most - least)) / PER_EPOCH;
    return EPOCHS(epochs);
}

static void random_cycle_keys(gyre_schedule_settings *s) {
    if (coin())
        s->cycles = 0.5 * (double)between(1, 20);
    else
        s->stepsize = random_length(1, 200);
    s->shape = (gyre_shape)between(0, 2);
    s->start_high = coin();
    s->end_low = coin();
    if (coin()) s->up_fraction = 0.05 + 0.9 * gyre_random_uniform(&draw);
    if (coin()) s->peak_decay = gyre_random_uniform(&draw);
}

static gyre_schedule_settings random_settings(void) {
    double base = coin() ? 0 : gyre_random_uniform(&draw);
    gyre_schedule_settings s = rig_settings((gyre_policy)between(0, GYRE_POLICY_COUNT - 1), base,
                                            base + 0.01 + gyre_random_uniform(&draw));
    if (s.policy <= GYRE_POLICY_EXP) s.base_lr += 0.001;
    if (coin()) s.gamma = 1 - 0.01 * gyre_random_uniform(&draw);
    random_cycle_keys(&s);
    s.t0 = random_length(1, 100);
    s.t_mult = (int)between(1, 3);
    s.closed = coin();
    s.milestones[0] = STEPS((double)between(1, 300));
    s.milestones[1] = STEPS((double)between(301, 600));
    s.milestone_count = 2;
    if (coin()) s.decay_steps = STEPS((double)between(20, 500));
    s.one_cycle_form = (gyre_one_cycle_form)between(0, 2);
    s.anneal = coin() ? GYRE_ANNEAL_COSINE : GYRE_ANNEAL_LINEAR;
    if (coin()) s.pct_start = 0.05 + 0.4 * gyre_random_uniform(&draw);
    s.cycle_momentum = coin();
    s.momentum_min = 0.1 * gyre_random_uniform(&draw) * gyre_random_uniform(&draw);
    s.momentum_max = s.momentum_min + 0.4 * gyre_random_uniform(&draw);
    return s;
}

static void random_warmup(gyre_schedule_settings *s) {
    if (coin()) return;
    s->warmup = random_length(0, 30);
    s->warmup_from = coin() ? 0 : gyre_random_uniform(&draw);
}

/* A random run that can be; with it, the settings it came from. */
static gyre_schedule *random_schedule(uint64_t index, gyre_schedule_settings *s,
                                      gyre_length *length) {
    draw = gyre_random_open(20260, GYRE_RANDOM_TEST, index, 0);
    gyre_schedule *out = NULL;
    for (int tries = 0; tries < 1000; tries++) {
        *s = random_settings();
        random_warmup(s);
        bool counted = s->cycles == 0 && s->policy >= GYRE_POLICY_TRIANGULAR && coin();
        *length = counted ? CYCLES(0.25 * (double)between(1, 30)) : random_length(45, 1500);
        if (gyre_schedule_open(s, length, 0.9, PER_EPOCH, &out) == GYRE_OK) return out;
    }
    fail_msg("no possible config was drawn");
    return NULL;
}

static bool is_window(gyre_policy p) { /* between base_lr and max_lr at every step */
    return p != GYRE_POLICY_MULTISTEP && p != GYRE_POLICY_EXP && p != GYRE_POLICY_EXP_RANGE &&
           p != GYRE_POLICY_ONE_CYCLE && p != GYRE_POLICY_CONSTANT;
}

/* Of the smallest rise or fall: the list's cycles say how many steps it has. */
static void check_continuity(const gyre_schedule *s, const gyre_schedule_settings *set) {
    for (size_t i = 0; i < gyre_schedule_cycle_count(s); i++) {
        gyre_cycle c = gyre_schedule_cycle(s, i);
        if (c.peak <= c.first || c.peak >= c.last - 1 || !c.complete) continue;
        int64_t half = c.peak - c.first < c.last - c.peak ? c.peak - c.first : c.last - c.peak;
        /* slope of cosine pi/2, of welch 2; the decay by gamma adds 1 % a step at most */
        double bound = set->max_lr * (2.001 / (double)half + 0.0101);
        for (int64_t t = c.first; t < c.last; t++) {
            double step = fabs(gyre_schedule_at(s, t + 1).lr - gyre_schedule_at(s, t).lr);
            if (!(step <= bound)) fail_msg("step %lld: jump of %g", (long long)t, step);
        }
    }
}

static void check_steps(const gyre_schedule *s, const gyre_schedule_settings *set) {
    int64_t steps = gyre_schedule_steps(s);
    double top = fmax(fmax(set->max_lr, set->base_lr), set->warmup_from);
    for (int64_t t = 0; t < steps; t++) {
        gyre_rate r = gyre_schedule_at(s, t);
        assert_true(r.lr >= 0 && r.lr <= top);
        if (is_window(set->policy) && set->warmup.value == 0 &&
            (set->policy != GYRE_POLICY_HF_COSINE || set->warmup.unit != GYRE_UNIT_NONE)) {
            assert_true(r.lr >= set->base_lr && r.lr <= set->max_lr);
        }
        if (set->cycle_momentum && r.momentum != 0.9) {
            assert_true(r.momentum >= set->momentum_min && r.momentum <= set->momentum_max);
        }
    }
    gyre_rate last = gyre_schedule_at(s, steps - 1);
    for (int64_t t = steps; t < steps + 3; t++) {
        gyre_rate r = gyre_schedule_at(s, t);
        assert_true(r.lr == last.lr && r.momentum == last.momentum && r.cycle == last.cycle);
    }
    assert_true(gyre_schedule_at(s, INT64_MAX).lr == last.lr);
}

/* The list covers the steps after the warm-up without a gap; the column, the bounds and the minima
 * agree with it. */
static void check_list(const gyre_schedule *s, const gyre_schedule_settings *set) {
    size_t count = gyre_schedule_cycle_count(s);
    int64_t steps = gyre_schedule_steps(s), next = count ? gyre_schedule_cycle(s, 0).first : steps;
    bool decays =
        set->policy == GYRE_POLICY_EXP_RANGE || set->policy == GYRE_POLICY_EXP_RANGE_AMPLITUDE;
    for (int64_t t = 0; t < next; t++) {
        assert_int_equal(gyre_schedule_at(s, t).cycle, 0);
        assert_false(gyre_schedule_is_minimum(s, t));
    }
    for (size_t i = 0; i < count; i++) {
        gyre_cycle c = gyre_schedule_cycle(s, i);
        assert_int_equal(c.first, next);
        assert_true(c.last >= c.first && c.last < steps && c.low <= c.high);
        assert_true(c.peak == -1 || (c.peak >= c.first && c.peak <= c.last));
        assert_true(c.complete || i + 1 == count);
        for (int64_t t = c.first; t <= c.last; t++) {
            gyre_rate r = gyre_schedule_at(s, t);
            assert_int_equal(r.cycle, i);
            assert_true(gyre_schedule_is_minimum(s, t + 1) == (c.complete && t == c.last));
            if (!decays) assert_true(r.lr >= c.low && r.lr <= c.high);
        }
        if (c.peak >= 0 && !decays) assert_true(gyre_schedule_at(s, c.peak).lr == c.high);
        next = c.last + 1;
    }
    assert_int_equal(next, steps);
}

/* Fitted: the bounds themselves at each extreme, the first and the last step included. */
static void check_fitted(const gyre_schedule *s, const gyre_schedule_settings *set) {
    if (set->policy < GYRE_POLICY_TRIANGULAR || set->policy > GYRE_POLICY_TRIANGULAR2 ||
        set->cycles == 0) {
        return;
    }
    size_t count = gyre_schedule_cycle_count(s);
    for (size_t i = 0; i < count; i++) {
        gyre_cycle c = gyre_schedule_cycle(s, i);
        if (i == 0 && !set->start_high) {
            assert_true(gyre_schedule_at(s, c.first).lr == set->base_lr);
        }
        if (c.complete) assert_true(gyre_schedule_at(s, c.last).lr == set->base_lr);
        if (c.complete) assert_true(c.low == set->base_lr && c.last > c.peak);
        if (c.peak >= 0 && (i == 0 || set->peak_decay == 1)) assert_true(c.high == set->max_lr);
        if (c.peak >= 0 && set->cycle_momentum && (i == 0 || set->peak_decay == 1)) {
            assert_true(gyre_schedule_at(s, c.peak).momentum == set->momentum_min);
        }
        if (c.complete && set->cycle_momentum) {
            assert_true(gyre_schedule_at(s, c.last).momentum == set->momentum_max);
        }
        if (!c.complete) assert_int_equal(c.peak, gyre_schedule_steps(s) - 1);
    }
    assert_true(!set->end_low || gyre_schedule_cycle(s, count - 1).complete);
}

static void check_resolved(const gyre_schedule *s, const gyre_schedule_settings *given,
                           const gyre_length *given_length) {
    gyre_schedule_settings set = *given;
    gyre_length length = *given_length;
    gyre_schedule *again = NULL;
    assert_int_equal(gyre_schedule_resolve(&set, &length, PER_EPOCH), GYRE_OK);
    assert_false(gyre_schedule_needs_epochs(&set, &length));
    assert_int_equal(length.unit, GYRE_UNIT_STEPS);
    if (gyre_schedule_open(&set, &length, 0.9, 0, &again) != GYRE_OK) {
        fail_msg("resolved, but: %s", gyre_error_text());
    }
    assert_int_equal(gyre_schedule_steps(again), gyre_schedule_steps(s));
    for (int64_t t = 0; t < gyre_schedule_steps(s); t++) {
        gyre_rate a = gyre_schedule_at(s, t), b = gyre_schedule_at(again, t);
        assert_true(a.lr == b.lr && a.momentum == b.momentum && a.cycle == b.cycle);
    }
    gyre_schedule_close(again);
}

static void random_configs(void **state) {
    (void)state;
    int seen[GYRE_POLICY_COUNT] = {0};
    for (uint64_t i = 0; i < CONFIGS; i++) {
        gyre_schedule_settings set;
        gyre_length length;
        gyre_schedule *s = random_schedule(i, &set, &length);
        seen[set.policy]++;
        check_steps(s, &set);
        check_list(s, &set);
        check_continuity(s, &set);
        check_fitted(s, &set);
        check_resolved(s, &set, &length);
        gyre_schedule_close(s);
    }
    for (int p = 0; p < GYRE_POLICY_COUNT; p++) assert_true(seen[p] > CONFIGS / 50);
}

/* Whole cycles of a stepsize end after j P updates; and where extremes are fitted, they lie as
 * evenly as whole steps can. */
static void minima_lie_where_the_formula_says(void **state) {
    (void)state;
    draw = gyre_random_open(7, GYRE_RANDOM_TEST, 0, 1);
    for (int i = 0; i < 300; i++) {
        gyre_schedule_settings set = rig_settings(GYRE_POLICY_TRIANGULAR, 0, 1);
        int64_t half = between(2, 50), cycles = between(1, 9), n = between(4 * cycles, 2000);
        set.stepsize = STEPS((double)half);
        gyre_schedule *s = rig_open(&set, CYCLES((double)cycles));
        assert_int_equal(gyre_schedule_steps(s), 2 * half * cycles);
        for (int64_t t = 1; t <= 2 * half * cycles; t++) {
            assert_true(gyre_schedule_is_minimum(s, t) == (t % (2 * half) == 0));
        }
        gyre_schedule_close(s);
        set.stepsize.unit = GYRE_UNIT_NONE;
        set.cycles = (double)cycles;
        s = rig_open(&set, STEPS((double)n + 1));
        for (int64_t j = 1; j <= cycles; j++) {
            double want = (double)n * (double)j / (double)cycles;
            assert_true(fabs((double)gyre_schedule_cycle(s, (size_t)j - 1).last - want) <= 0.5);
        }
        gyre_schedule_close(s);
    }
}

/* A random stage, and the same as a run of its own. Only the first has a warm-up. */
static gyre_schedule *random_part(uint64_t index, bool first, gyre_stage_settings *part) {
    gyre_schedule *alone = random_schedule(index, &part->schedule, &part->length);
    if (first) return alone;
    gyre_schedule_close(alone);
    part->schedule.warmup = STEPS(0);
    gyre_status status = GYRE_EUSAGE;
    for (int tries = 0; tries < 1000 && status != GYRE_OK; tries++) {
        part->length = STEPS((double)between(45, 1500));
        status = gyre_schedule_open(&part->schedule, &part->length, 0.9, PER_EPOCH, &alone);
    }
    if (status != GYRE_OK) fail_msg("%s", gyre_error_text());
    return alone;
}

/* `part`, which is the run's steps from `start` on, with `before` cycles before it. */
static void check_part(const gyre_schedule *all, const gyre_schedule *part, int64_t start,
                       int64_t before) {
    int64_t own = (int64_t)gyre_schedule_cycle_count(part);
    int64_t number = own > 0 || before == 0 ? before : before - 1;
    for (int64_t t = 0; t < gyre_schedule_steps(part); t++) {
        gyre_rate a = gyre_schedule_at(part, t), b = gyre_schedule_at(all, start + t);
        assert_true(a.lr == b.lr && a.momentum == b.momentum);
        assert_int_equal(a.cycle + number, b.cycle);
        assert_true(gyre_schedule_is_minimum(part, t + 1) ==
                    gyre_schedule_is_minimum(all, start + t + 1));
    }
    for (int64_t c = 0; c < own; c++) {
        gyre_cycle a = gyre_schedule_cycle(part, (size_t)c);
        gyre_cycle b = gyre_schedule_cycle(all, (size_t)(before + c));
        assert_true(a.first + start == b.first && a.last + start == b.last);
        assert_true(a.low == b.low && a.high == b.high && a.complete == b.complete);
    }
}

static void stages_are_their_parts(void **state) {
    (void)state;
    for (uint64_t i = 0; i < 200; i++) {
        gyre_stage_settings parts[3] = {0};
        gyre_schedule *alone[3], *all = NULL;
        for (int k = 0; k < 3; k++) {
            alone[k] = random_part(100000 + 3 * i + (uint64_t)k, k == 0, &parts[k]);
        }
        gyre_schedule_settings outer = parts[0].schedule;
        outer.stages = parts;
        outer.stage_count = 3;
        gyre_length none = {GYRE_UNIT_NONE, 0};
        if (gyre_schedule_open(&outer, &none, 0.9, PER_EPOCH, &all) != GYRE_OK) {
            fail_msg("%s", gyre_error_text());
        }
        int64_t start = 0, cycles = 0;
        for (int k = 0; k < 3; k++) {
            check_part(all, alone[k], start, cycles);
            start += gyre_schedule_steps(alone[k]);
            cycles += (int64_t)gyre_schedule_cycle_count(alone[k]);
            gyre_schedule_close(alone[k]);
        }
        assert_int_equal(gyre_schedule_steps(all), start);
        assert_int_equal(gyre_schedule_cycle_count(all), cycles);
        gyre_schedule_close(all);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_configs),
        cmocka_unit_test(minima_lie_where_the_formula_says),
        cmocka_unit_test(stages_are_their_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
