/* Trials without training: a network whose score is a known function of rate and length. Which
 * trials are made, what they cost, and what is made of them. */
#include "../../src/find/ladder.h"
#include "../../src/find/range.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The error is `least` at the rate `best`, and more by `slope` an octave away from it; training
 * makes it smaller with the length. Rates above `limit` diverge. */
typedef struct {
    double best, least, slope, limit;
    double base;   /* ratio of max_lr to base_lr that is 0.01 better than others; 0: none */
    double cycles; /* what a second cycle adds to the error */
} world;

static const double chance = 0.9;

static void score(const world *w, gyre_find_cycle *c) {
    c->completed = c->steps;
    c->loss = c->metric = (double)NAN;
    if (c->max_lr > w->limit) return;
    double error = w->least + w->slope * fabs(log2(c->max_lr / w->best)) + 2 / (double)c->steps;
    if (w->base != 0 && fabs(c->max_lr / c->base_lr / w->base - 1) < 0.01) error -= 0.01;
    if (c->cycles > 1) error += w->cycles;
    if (error > chance) error = chance;
    c->loss = error;
    c->metric = 1 - error;
}

/* What a range test of this world knows after its sweeps. */
static gyre_find sweeps(double max_lr, double diverged) {
    gyre_find f = {.metric = gyre_metric_of_loss(NULL),
                   .steps_per_epoch = 400,
                   .scored = 5000,
                   .start_loss = chance,
                   .start_metric = 1 - chance,
                   .options = {.from = 1e-7, .to = 10, .steps = 800, .repeats = 1}};
    f.verdict.value.max_lr = max_lr;
    f.verdict.value.base_lr = (double)NAN;
    f.verdict.value.diverged = diverged;
    return f;
}

/* All trials; returns the steps of all of them. */
static int64_t search(gyre_find *f, const find_ladder *l, const world *w) {
    gyre_find_cycle next;
    int64_t steps = 0;
    f->cycles = calloc(100, sizeof *f->cycles);
    while (find_ladder_next(l, f->cycles, f->cycle_count, &next)) {
        assert_true(f->cycle_count < 100);
        assert_true(next.completed == 0 && next.loss == 0);
        score(w, &next);
        f->cycles[f->cycle_count++] = next;
        steps += next.steps;
    }
    f->complete = true;
    assert_int_equal(find_decide_range(f), GYRE_OK);
    return steps;
}

static bool within(double a, double b, double factor) {
    return a <= b * factor && b <= a * factor;
}

/* Half a step of the finest ladder, whose steps are 2 or, over four decades, 2.2: and the rounding
 * to two digits. */
static const double grid = 1.55;

/* Wherever the best rate is, and whatever the sweeps say of it. */
static void the_best_rate_is_found(void **state) {
    (void)state;
    const double said[][2] = {{0.01, 1}, {0.001, 1}, {(double)NAN, (double)NAN}};
    for (int k = 0; k < 3; k++) {
        for (double best = 0.01; best < 0.9; best *= 1.3) {
            const world w = {.best = best, .least = 0.1, .slope = 0.03, .limit = 4 * best};
            gyre_find f = sweeps(said[k][0], said[k][1]);
            const find_ladder l = find_ladder_plan(&f, 4000, 0);
            int64_t steps = search(&f, &l, &w);
            assert_true(steps <= find_ladder_cost(&l) && find_ladder_cost(&l) <= 4000);
            assert_int_equal(f.range.outcome, GYRE_FIND_TESTED);
            assert_true(within(f.range.max_lr, best, grid));
            assert_true(f.range.low <= f.range.max_lr && f.range.max_lr <= f.range.high);
            free(f.cycles);
        }
    }
}

/* A ladder whose end is best goes on beyond it. */
static void the_ladder_grows(void **state) {
    (void)state;
    for (int k = 0; k < 2; k++) {
        const world w = {.best = k == 0 ? 3.0 : 0.0006, .least = 0.1, .slope = 0.03, .limit = 50};
        gyre_find f = sweeps(0.02, 0.4);
        const find_ladder l = find_ladder_plan(&f, 4000, 0);
        assert_true(l.low > 0.005 && l.high < 0.5);
        search(&f, &l, &w);
        assert_true(within(f.range.max_lr, w.best, grid));
        free(f.cycles);
    }
}

/* With the same seeds; and whoever comes back goes on as if it had never gone. */
static void a_search_goes_on_where_it_was_left(void **state) {
    (void)state;
    const world w = {.best = 0.1, .least = 0.1, .slope = 0.03, .limit = 1, .base = 30};
    gyre_find f = sweeps(0.01, 1);
    const find_ladder l = find_ladder_plan(&f, 4000, 0);
    search(&f, &l, &w);
    for (size_t i = 0; i < f.cycle_count; i++) {
        gyre_find_cycle next;
        assert_true(find_ladder_next(&l, f.cycles, i, &next));
        score(&w, &next);
        assert_memory_equal(&next, &f.cycles[i], sizeof next);
        assert_int_equal(next.seed, 0);
    }
    f.complete = false;
    assert_int_equal(find_decide_range(&f), GYRE_OK);
    assert_int_equal(f.range.outcome, GYRE_FIND_UNTRIED);
    free(f.cycles);
}

/* Rates whose error is above the least by less than sqrt(2 p (1 - p) / 5000) = 0.0062 (p 0.11). */
static void the_plateau_is_what_is_as_good(void **state) {
    (void)state;
    const world w = {.best = 0.1, .least = 0.1, .slope = 0.004, .limit = 10};
    gyre_find f = sweeps(0.01, 1);
    const find_ladder l = find_ladder_plan(&f, 4000, 0);
    search(&f, &l, &w);
    assert_int_equal(f.range.outcome, GYRE_FIND_TESTED);
    assert_true(f.range.low < f.range.max_lr || f.range.max_lr < f.range.high);
    assert_true(f.range.low > 0.1 / 3 && f.range.high < 0.1 * 3); /* 1.55 octaves */
    free(f.cycles);
}

/* Where all ratios are alike the largest one is taken, which a longer run gains by. */
static void ratio_and_cycles_are_tried(void **state) {
    (void)state;
    const double ratios[] = {3, 10, 30, 100};
    for (int i = 0; i < 4; i++) {
        world w = {.best = 0.1, .least = 0.1, .slope = 0.03, .limit = 1, .base = ratios[i]};
        if (i == 3) w.base = 0;
        w.cycles = i == 0 ? -0.05 : 0.05;
        gyre_find f = sweeps(0.01, 1);
        f.run_steps = 8000;
        const find_ladder l = find_ladder_plan(&f, 4000, 8000);
        search(&f, &l, &w);
        double ratio = f.range.max_lr / f.range.base_lr;
        assert_true(within(ratio, ratios[i], 1.001));
        assert_int_equal(f.range.cycles, i == 0 ? 2 : 1);
        assert_int_equal(f.range.stepsize, i == 0 ? 2000 : 4000);
        free(f.cycles);
    }
}

/* No trial is longer than a cycle of the run; what is saved goes into more seeds. */
static void a_short_run_gets_seeds(void **state) {
    (void)state;
    const world w = {.best = 0.1, .least = 0.1, .slope = 0.03, .limit = 1};
    gyre_find f = sweeps(0.01, 1);
    const find_ladder l = find_ladder_plan(&f, 8000, 120);
    assert_true(l.steps * FIND_LADDER_LONGEST == 120 && l.seeds > 1 && !l.cycles);
    assert_true(search(&f, &l, &w) <= 8000);
    int64_t seeds = 0;
    for (size_t i = 0; i < f.cycle_count; i++) {
        assert_true(f.cycles[i].steps <= 120);
        if (f.cycles[i].seed > seeds) seeds = f.cycles[i].seed;
    }
    assert_int_equal(seeds + 1, l.seeds);
    free(f.cycles);
}

static void where_nothing_learns_no_rate_is_named(void **state) {
    (void)state;
    const world flat = {.best = 0.1, .least = chance, .slope = 0, .limit = 1};
    const world bad = {.best = 0.1, .least = 0.1, .slope = 0, .limit = 1e-9};
    const world *worlds[] = {&flat, &bad};
    for (int i = 0; i < 2; i++) {
        gyre_find f = sweeps(0.01, 1);
        const find_ladder l = find_ladder_plan(&f, 4000, 0);
        assert_true(search(&f, &l, worlds[i]) <= find_ladder_cost(&l));
        assert_int_equal(f.range.outcome, GYRE_FIND_NO_RATE);
        assert_false(gyre_find_answer_of(&f).reliable);
        assert_non_null(strstr(f.range.reason, "without training"));
        free(f.cycles);
    }
}

static void where_all_rates_are_alike_that_is_said(void **state) {
    (void)state;
    const world w = {.best = 0.1, .least = 0.1, .slope = 0, .limit = 1e9};
    gyre_find f = sweeps(0.01, 1);
    const find_ladder l = find_ladder_plan(&f, 4000, 0);
    search(&f, &l, &w);
    assert_int_equal(f.range.outcome, GYRE_FIND_ALIKE);
    assert_non_null(strstr(f.range.reason, "all as good"));
    free(f.cycles);
}

static void the_least_budget_is_enough(void **state) {
    (void)state;
    gyre_find f = sweeps((double)NAN, (double)NAN);
    const find_ladder l = find_ladder_plan(&f, find_ladder_least(), 0);
    assert_true(l.steps >= FIND_LADDER_STEPS_LEAST && find_ladder_cost(&l) <= find_ladder_least());
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_rate_is_found),
        cmocka_unit_test(the_ladder_grows),
        cmocka_unit_test(a_search_goes_on_where_it_was_left),
        cmocka_unit_test(the_plateau_is_what_is_as_good),
        cmocka_unit_test(ratio_and_cycles_are_tried),
        cmocka_unit_test(a_short_run_gets_seeds),
        cmocka_unit_test(where_nothing_learns_no_rate_is_named),
        cmocka_unit_test(where_all_rates_are_alike_that_is_said),
        cmocka_unit_test(the_least_budget_is_enough),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
