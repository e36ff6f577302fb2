/* The verdict of a range test over its repeats, in numbers and words; trials of the bounds; the
 * table; and the file. */
#include "find_rig.h"

#include "../../src/find/range.h"

#include "gyre/file.h"
#include "gyre/plot.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the verdict */

static gyre_find several(const shape *shapes, int repeats) {
    gyre_find f = {
        .options = exponential, .metric = gyre_metric_of_loss(NULL), .steps_per_epoch = 100};
    size_t steps = (size_t)exponential.steps;
    f.options.repeats = repeats;
    f.row_count = steps * (size_t)repeats;
    f.rows = calloc(f.row_count, sizeof *f.rows);
    f.repeats = calloc((size_t)repeats, sizeof *f.repeats);
    for (int r = 0; r < repeats; r++) {
        gyre_find_row *rows = draw(&f.options, &shapes[r], (uint64_t)r);
        for (size_t i = 0; i < steps; i++) rows[i].repeat = r;
        memcpy(f.rows + steps * (size_t)r, rows, steps * sizeof *rows);
        free(rows);
    }
    assert_int_equal(find_decide(&f), GYRE_OK);
    return f;
}

static void repeats_agree_or_do_not(void **state) {
    (void)state;
    const shape like[] = {{-3.1, -2, -1, 0.02}, {-3, -2, -1, 0.02}, {-2.9, -2, -1, 0.02}};
    gyre_find f = several(like, 3);
    assert_true(f.verdict.reliable);
    assert_int_equal(f.verdict.stepsize, 400);
    assert_true(near(f.verdict.low.base_lr, -3.1) && near(f.verdict.high.base_lr, -2.9));
    assert_true(f.verdict.low.base_lr < f.verdict.value.base_lr);
    assert_true(f.verdict.value.base_lr < f.verdict.high.base_lr);
    assert_non_null(strstr(f.verdict.reason, "3 repeats agree on base_lr within a factor of 1."));
    gyre_find_close(&f);
    const shape unlike[] = {{-4, -2, -1, 0.02}, {-3, -2, -1, 0.02}, {-2.9, -2, -1, 0.02}};
    f = several(unlike, 3);
    assert_false(f.verdict.reliable);
    assert_int_equal(f.verdict.stepsize, 0);
    assert_non_null(strstr(f.verdict.reason, "3 repeats disagree"));
    gyre_find_close(&f);
    f = several(like, 1);
    assert_true(f.verdict.reliable);
    assert_non_null(strstr(f.verdict.reason, "one repeat"));
    gyre_find_close(&f);
}

static const shape bends = {-3, -2, -1, 0.02}, flat_line = {20, 21, 20, 0.02};

/* What is said is what the repeats gave, not how many there were. */
static void repeats_that_give_nothing_are_counted(void **state) {
    (void)state;
    gyre_find f = several((const shape[]){bends, flat_line, bends}, 3);
    assert_true(f.verdict.reliable);
    assert_int_equal(f.verdict.given.base_lr, 2);
    assert_int_equal(f.verdict.given.max_lr, 2);
    assert_non_null(strstr(f.verdict.reason, "2 of 3 repeats agree on base_lr within a factor of"));
    assert_non_null(strstr(f.verdict.reason, "; the other: the curve is flat: loss 2."));
    gyre_find_close(&f);
    f = several((const shape[]){bends, {-7, -4.5, -1.5, 0.01}, bends, {-3, -2.5, -1, 0.02}}, 4);
    assert_int_equal(f.verdict.given.base_lr, 3);
    assert_int_equal(f.verdict.given.max_lr, 4);
    assert_false(f.verdict.reliable); /* 10^-4.5 to 10^-2 */
    assert_non_null(strstr(f.verdict.reason, "; the other: the loss falls from the first rate on"));
    gyre_find_close(&f);
    f = several(
        (const shape[]){{-5.2, -4.5, -1, 0.01}, {-7, -4.5, -1, 0.01}, {-5.2, -4.5, -1, 0.01}}, 3);
    assert_true(f.verdict.reliable);
    assert_non_null(strstr(f.verdict.reason, " (2 of 3), on max_lr within "));
    assert_non_null(
        strstr(f.verdict.reason, " (3 of 3); the other: the loss falls from the first"));
    gyre_find_close(&f);
    f = several((const shape[]){bends, flat_line, bends, flat_line, bends}, 5);
    assert_true(f.verdict.reliable);
    assert_non_null(strstr(f.verdict.reason, "; one of the 2 that did not: the curve is flat"));
    gyre_find_close(&f);
}

/* No suggestion, and no NaN in its reason. */
static void refuses(const shape *shapes, int repeats, const char *first, const char *second) {
    gyre_find f = several(shapes, repeats);
    assert_false(f.verdict.reliable);
    assert_int_equal(f.verdict.stepsize, 0);
    assert_null(strstr(f.verdict.reason, "nan"));
    assert_true(strncmp(f.verdict.reason, first, strlen(first)) == 0);
    assert_non_null(strstr(f.verdict.reason, second));
    gyre_find_close(&f);
}

static void half_of_the_repeats_are_not_enough(void **state) {
    (void)state;
    const shape noisy = {-3, -2, 20, 3}, early = {-7, -4.5, -1.5, 0.01}, late = {-3, 1.5, 5, 0.01};
    refuses((const shape[]){bends, noisy}, 2,
            "only 1 of 2 repeats gave both bounds; the other: ", "the curve is too noisy");
    refuses((const shape[]){noisy, bends}, 2,
            "only 1 of 2 repeats gave both bounds; the other: ", "the curve is too noisy");
    refuses((const shape[]){bends, flat_line, flat_line}, 3, "only 1 of 3 repeats gave both bounds",
            "; one of the 2 that did not: the curve is flat");
    refuses((const shape[]){bends, early, late}, 3, "only 1 of 3 repeats gave both bounds",
            "the loss falls from the first rate on");
    refuses((const shape[]){flat_line, flat_line}, 2, "the curve is flat", "trained already");
    refuses((const shape[]){early, late}, 2, "the loss falls from the first rate on", "lower");
}

static void equal_repeats_prove_nothing(void **state) {
    (void)state;
    gyre_find f = several((const shape[]){bends, bends, bends}, 3);
    size_t each = f.row_count / 3;
    assert_null(strstr(f.verdict.reason, "same run"));
    for (size_t i = each; i < f.row_count; i++) {
        int64_t repeat = f.rows[i].repeat;
        f.rows[i] = f.rows[i - each];
        f.rows[i].repeat = repeat;
    }
    assert_int_equal(find_decide(&f), GYRE_OK);
    assert_true(f.verdict.reliable);
    assert_string_equal(f.verdict.reason,
                        "the 3 repeats are the same run: nothing in them is random");
    f.rows[f.row_count - 1].grad_norm = 1;
    assert_int_equal(find_decide(&f), GYRE_OK);
    assert_null(strstr(f.verdict.reason, "same run"));
    gyre_find_close(&f);
}

/* The line of the table that begins with `name`. */
static const char *line_of(const gyre_find *f, const char *name) {
    static char found[256];
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    gyre_find_print(f, out);
    fclose(out);
    char *line = strstr(text, name);
    assert_non_null(line);
    snprintf(found, sizeof found, "%.*s", (int)strcspn(line, "\n"), line);
    free(text);
    return found;
}

/* Of a loss that is drawn alike in all evaluations, scores are read and not batches: here steps are
 * nothing but noise, and scores fall by `share` of 0.5. */
static gyre_find paired(const shape *s, double share) {
    gyre_find_options few = exponential;
    few.steps = 60;
    gyre_find f = {.options = exponential,
                   .metric = gyre_metric_of_loss("denoise"),
                   .steps_per_epoch = 100,
                   .samples = 16};
    f.options.every = (exponential.steps + few.steps - 1) / few.steps;
    f.rows = draw(&exponential, &flat_line, 1);
    f.row_count = (size_t)exponential.steps;
    f.scores = calloc((size_t)few.steps, sizeof *f.scores);
    f.repeats = calloc(1, sizeof *f.repeats);
    gyre_find_row *rows = draw(&few, s, 2);
    for (int64_t i = 0; i < few.steps; i++) {
        double loss = 0.5 + 0.5 * share * (rows[i].loss - 2.3) / 1.5;
        f.scores[f.score_count++] = (gyre_find_score){
            .step = (i + 1) * f.options.every, .lr = rows[i].lr, .loss = loss, .metric = loss};
    }
    free(rows);
    assert_int_equal(find_decide(&f), GYRE_OK);
    return f;
}

static void scores_that_draw_alike_are_read(void **state) {
    (void)state;
    const shape still = {-3, -2, -1, 0.003};
    gyre_find f = paired(&still, 0.02);
    assert_true(f.verdict.reliable);
    /* a point is a ninth of a decade, and the median takes three */
    assert_true(fabs(log10(f.verdict.value.base_lr) + 3) < 0.3);
    assert_true(fabs(log10(f.verdict.value.max_lr) + 2) < 0.3);
    assert_true(f.verdict.value.diverged > 0.05 && f.verdict.value.diverged < 1);
    assert_non_null(strstr(line_of(&f, "read off"), "validation loss of 16 samples"));
    f.samples = 0; /* then there is nothing but the steps */
    assert_int_equal(find_decide(&f), GYRE_OK);
    assert_false(f.verdict.reliable);
    gyre_find_close(&f);
    f = paired(&still, 0.005);
    assert_false(f.verdict.reliable);
    assert_non_null(strstr(f.verdict.reason, "the curve is flat"));
    gyre_find_close(&f);
}

static void the_table_counts(void **state) {
    (void)state;
    const shape tame = {-3, -2, 20, 0.02};
    gyre_find f = several((const shape[]){bends, flat_line, bends}, 3);
    assert_non_null(strstr(line_of(&f, "base_lr"), "2 of 3  where"));
    assert_non_null(strstr(line_of(&f, "diverged"), "2 of 3  half of what was learned"));
    gyre_find_close(&f);
    f = several((const shape[]){tame, bends, tame}, 3);
    assert_non_null(strstr(line_of(&f, "diverged"), "1 of 3  not in most repeats"));
    gyre_find_close(&f);
    f = several((const shape[]){tame, tame, flat_line}, 3);
    assert_non_null(strstr(line_of(&f, "diverged"), "0 of 3  never, up to the last rate"));
    f.row_count--; /* as of a file from elsewhere */
    assert_null(strstr(line_of(&f, "diverged"), "never"));
    gyre_find_close(&f);
}

/* Accuracy of two samples is 0, 50 or 100 %, and says nothing. */
static void few_samples_are_said(void **state) {
    (void)state;
    gyre_find f = several((const shape[]){bends, bends}, 2);
    assert_null(strstr(f.verdict.reason, "too few"));
    f.samples = 2;
    assert_int_equal(find_decide(&f), GYRE_OK);
    assert_true(f.verdict.reliable);
    assert_non_null(
        strstr(f.verdict.reason, "; 2 validation samples are too few to read their accuracy"));
    f.samples = FIND_SAMPLES_MIN;
    assert_int_equal(find_decide(&f), GYRE_OK);
    assert_null(strstr(f.verdict.reason, "too few"));
    gyre_find_close(&f);
}

/* In the table and in the figure's headline, which has no room for all. */
static void memorised_samples_are_a_doubt(void **state) {
    (void)state;
    char dir[] = "/tmp/gyre-find-XXXXXX", figure[64], script[64], *text = NULL, command[64];
    size_t size = 0;
    gyre_find f = several((const shape[]){bends, bends}, 2);
    assert_false(f.verdict.memorised);
    for (size_t i = 0; i < f.row_count; i++) f.rows[i].loss -= 0.75; /* 1.55 to 0.05 */
    assert_int_equal(find_decide(&f), GYRE_OK);
    assert_true(f.verdict.reliable && f.verdict.memorised);
    assert_non_null(strstr(f.verdict.reason, "2 repeats agree"));
    assert_non_null(strstr(f.verdict.reason, "memorised on the way, so max_lr may be too low"));
    assert_non_null(mkdtemp(dir));
    snprintf(figure, sizeof figure, "%s/find.svg", dir);
    snprintf(script, sizeof script, "%s/find.gp", dir);
    (void)gyre_plot_find(&f, "a test",
                         figure); /* without gnuplot the script is there all the same */
    assert_int_equal(gyre_file_read(script, 1 << 20, &text, &size), GYRE_OK);
    assert_non_null(strstr(text, "memorised on the way, so max_lr may be too low"));
    free(text);
    snprintf(command, sizeof command, "rm -r %s", dir);
    assert_int_equal(system(command), 0);
    gyre_find_close(&f);
}

static const char *verified(const double *losses) {
    static gyre_find f;
    f = (gyre_find){.metric = gyre_metric_of_loss(NULL), .trial_count = GYRE_FIND_TRIALS};
    for (int i = 0; i < GYRE_FIND_TRIALS; i++) {
        f.trials[i] = (gyre_find_trial){.rate = pow(2, i), .loss = losses[i], .error = 0.01};
    }
    find_decide_trials(&f);
    return f.verified;
}

static void trials_say_whether_bounds_hold(void **state) {
    (void)state;
    const double good[] = {2.2, 2, 1, 0.9, 1.2, NAN}, low[] = {2.2, 2, 1, 0.9, 0.8, 0.7};
    const double high[] = {2.2, 2, 0.8, 0.9, 1.2, NAN}, bad[] = {2.2, 2, 1, NAN, NAN, NAN};
    const double doubt[] = {0.9, 0.9, 1, 0.9, 1.2, NAN}, close[] = {2.2, 2, 1, 0.9, 0.885, NAN};
    assert_string_equal(verified(good), "base_lr holds: it trains more slowly than max_lr; max_lr "
                                        "holds: neither half of it nor more was shown to "
                                        "train better");
    assert_non_null(strstr(verified(low), "max_lr may be too low: 32 trains better"));
    assert_non_null(strstr(verified(high), "max_lr may be too high: 4 trains better"));
    assert_non_null(strstr(verified(bad), "max_lr is too high: it diverges"));
    assert_non_null(strstr(verified(doubt), "base_lr is in doubt"));
    assert_non_null(strstr(verified(close), "max_lr holds")); /* within two errors */
    /* base_lr is measured by the best that did not diverge */
    assert_string_equal(verified(bad), "base_lr holds: it trains more slowly than 4; max_lr is too "
                                       "high: it diverges");
    assert_non_null(strstr(verified(low), "base_lr holds: it trains more slowly than 32; "));
    const double alone[] = {2.2, 2, NAN, NAN, NAN, NAN}, none[] = {2.2, NAN, NAN, NAN, NAN, NAN};
    const double slow[] = {1.5, 2, 1, 0.9, 1.2, NAN};
    assert_non_null(strstr(verified(alone), "base_lr is in doubt: every rate tried above it div"));
    assert_non_null(strstr(verified(none), "base_lr is too high: it diverges; max_lr is too high"));
    assert_non_null(strstr(verified(slow), "base_lr is in doubt: half of it trains better; "));
}

/* ---- the file */

static void a_file_comes_back(void **state) {
    (void)state;
    char path[] = "/tmp/gyre-find-XXXXXX";
    const shape shapes[] = {{-3.1, -2, -1, 0.02}, {-3, -2, -1, 0.02}};
    gyre_find f = several(shapes, 2), back;
    f.rows[5].grad_norm = (double)NAN;
    f.whole = 2;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(gyre_find_write(&f, path), GYRE_OK);
    assert_int_equal(gyre_find_read(path, &back), GYRE_OK);
    assert_int_equal(back.row_count, f.row_count);
    assert_memory_equal(back.rows, f.rows, f.row_count * sizeof *f.rows);
    assert_memory_equal(back.repeats, f.repeats, 2 * sizeof *f.repeats);
    assert_memory_equal(&back.verdict.value, &f.verdict.value, sizeof f.verdict.value);
    assert_string_equal(back.verdict.reason, f.verdict.reason);
    gyre_find_close(&back);
    f.rows[700].repeat = 7; /* nonsense is refused */
    assert_int_equal(gyre_find_write(&f, path), GYRE_OK);
    assert_int_equal(gyre_find_read(path, &back), GYRE_EIO);
    unlink(path);
    assert_int_equal(gyre_find_read(path, &back), GYRE_EIO);
    gyre_find_close(&f);
}

/* Half-done and whole searches; trials that cannot be are refused. */
static void trials_come_back(void **state) {
    (void)state;
    char path[] = "/tmp/gyre-find-XXXXXX";
    const shape one[] = {{-3.1, -2, -1, 0.02}};
    gyre_find f = several(one, 1), back;
    gyre_find_cycle trials[] = {
        {0, 0, 20, 1, 0.001, 0.01, 20, 1.5, 0.3},   {0, 0, 20, 1, 0.01, 0.1, 20, 1.2, 0.4},
        {0, 0, 20, 1, 0.1, 1, 7, NAN, NAN},         {1, 0, 40, 1, 0.01, 0.1, 40, 1.1, 0.5},
        {2, 0, 80, 1, 0.01, 0.1, 80, 1.0, 0.6},     {3, 0, 40, 1, 0.03, 0.1, 40, 1.1, 0.4},
        {4, 0, 80, 2, 0.01, 0.1, 80, 1.05, 0.55},
    };
    f.whole = 1;
    f.cycles = trials;
    f.cycle_count = sizeof trials / sizeof *trials;
    f.options.budget = 1000;
    f.run_steps = 300;
    f.scored = 500;
    f.start_loss = 2.3;
    f.start_metric = 0.1;
    close(mkstemp(path));
    for (int complete = 0; complete < 2; complete++) {
        f.complete = complete;
        assert_int_equal(find_decide_range(&f), GYRE_OK);
        assert_int_equal(gyre_find_write(&f, path), GYRE_OK);
        assert_int_equal(gyre_find_read(path, &back), GYRE_OK);
        assert_int_equal(back.cycle_count, f.cycle_count);
        assert_memory_equal(back.cycles, trials, sizeof trials);
        assert_memory_equal(&back.range, &f.range, sizeof f.range);
        assert_int_equal(back.range.outcome, complete ? GYRE_FIND_TESTED : GYRE_FIND_UNTRIED);
        assert_true(back.options.budget == 1000 && back.run_steps == 300 && back.scored == 500);
        gyre_find_close(&back);
    }
    assert_true(f.range.max_lr == 0.1 && f.range.base_lr == 0.01 && f.range.stepsize == 150);
    trials[1].rung = 9;
    assert_int_equal(gyre_find_write(&f, path), GYRE_OK);
    assert_int_equal(gyre_find_read(path, &back), GYRE_EIO);
    unlink(path);
    f.cycles = NULL;
    gyre_find_close(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repeats_agree_or_do_not),
        cmocka_unit_test(repeats_that_give_nothing_are_counted),
        cmocka_unit_test(half_of_the_repeats_are_not_enough),
        cmocka_unit_test(equal_repeats_prove_nothing),
        cmocka_unit_test(the_table_counts),
        cmocka_unit_test(scores_that_draw_alike_are_read),
        cmocka_unit_test(few_samples_are_said),
        cmocka_unit_test(memorised_samples_are_a_doubt),
        cmocka_unit_test(trials_say_whether_bounds_hold),
        cmocka_unit_test(a_file_comes_back),
        cmocka_unit_test(trials_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
