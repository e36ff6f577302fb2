/* Reports of studies where arms diverged or are not there yet: who can be chosen, what is said of
 * the others, and how comparisons of different numbers of pairs are corrected for each other. */
#include "report_rig.h"

static void diverge(rig *r, int arm, int first, int count) {
    for (int i = first; i < first + count; i++) {
        *cell(r, arm, i) = (gyre_cell_result){.state = GYRE_CELL_DIVERGED};
        cell(r, arm, i)->loss = cell(r, arm, i)->metric = NAN;
        cell(r, arm, i)->best_metric = cell(r, arm, i)->test_metric = NAN;
    }
}

static void expect_start(const char *words, const char *start) {
    if (strncmp(words, start, strlen(start)) != 0) fail_msg("not '%s...': %s", start, words);
}

static void expect_words(rig *r, void (*say)(const gyre_results *e, int group, char *out),
                         const char *start) {
    char words[REPORT_SENTENCE_MAX];
    say(&r->e, 0, words);
    expect_start(words, start);
}

static void who_diverged_is_not_chosen(void **state) {
    (void)state;
    for (int count = 4; count <= 9; count += 5) {
        rig r;
        char start[160];
        open_rig(&r, 10, true);
        raise(&r, FIVE, 2, 0.1);
        diverge(&r, FIVE, 0, count);
        summarise(&r);
        snprintf(start, sizeof start, "5 cycles diverged with %d of 10 seeds. %s", count,
                 count == 4 ? "Where both finished, 5 cycles beat the constant midpoint by 2.00"
                            : "5 cycles against the constant midpoint: no comparison, since both "
                              "have finished with one seed");
        expect_words(&r, report_verdict, start);
        snprintf(start, sizeof start,
                 "Choice: 20 cycles, the only arm that finished with all seeds (50.45 %%). Not "
                 "ranked: 5 cycles (diverged with %d of 10 seeds).",
                 count);
        expect_words(&r, report_choice, start);
        close_rig(&r);
    }
}

static void the_verdict_names_controls_that_diverged(void **state) {
    (void)state;
    rig r;
    open_rig(&r, 10, true);
    raise(&r, FIVE, 2, 0.1);
    diverge(&r, CONTROL, 0, 1);
    summarise(&r);
    expect_words(&r, report_verdict,
                 "the constant midpoint diverged with 1 of 10 seeds. Where both finished, 5");
    forget(&r);
    diverge(&r, FIVE, 0, 2);
    summarise(&r);
    expect_words(&r, report_verdict,
                 "5 cycles diverged with 2, the constant midpoint with 1 of 10 seeds. Where both");
    close_rig(&r);
}

/* Fewest divergences first, then the mean over the seeds that the ranked arms share: the 1 % of one
 * with seed 0, which the other has not done, does not count. */
static void where_all_diverged_the_least_are_ranked(void **state) {
    (void)state;
    rig r;
    open_rig(&r, 10, false);
    raise(&r, FIVE, 1, 0);
    diverge(&r, FIVE, 9, 1);
    diverge(&r, TWENTY, 0, 1);
    cell(&r, TWENTY, 8)->metric += 0.02;
    cell(&r, FIVE, 0)->metric = 0.01;
    summarise(&r);
    assert_int_equal(r.e.rankings[0].leader, FIVE);
    assert_int_equal(r.e.rankings[0].seeds, 8);
    expect_words(&r, report_choice,
                 "Choice: 5 cycles, the highest mean of the arms that diverged least (51.45 % over "
                 "8 seeds): it diverged with 1 of 10 seeds, and no arm finished with all.");
    close_rig(&r);
    open_rig(&r, 2, false);
    diverge(&r, FIVE, 0, 1);
    diverge(&r, TWENTY, 1, 1);
    summarise(&r);
    assert_int_equal(r.e.rankings[0].leader, -1);
    expect_words(&r, report_verdict, "No verdict: every arm diverged with some seeds");
    expect_words(&r, report_choice, "No choice.");
    close_rig(&r);
}

static void an_arm_with_one_seed_is_not_ranked(void **state) {
    (void)state;
    rig r;
    open_rig(&r, 6, false);
    raise(&r, TWENTY, 30, 0);
    for (int i = 0; i < 5; i++) cell(&r, TWENTY, i)->state = GYRE_CELL_MISSING;
    summarise(&r);
    assert_int_equal(r.e.rankings[0].leader, FIVE);
    expect_words(&r, report_choice,
                 "Choice: 5 cycles, the only arm that finished with all seeds (50.25 %). Not "
                 "ranked: 20 cycles (5 of 6 cells without a result yet).");
    forget(&r);
    cell(&r, FIVE, 3)->state = GYRE_CELL_FAILED;
    summarise(&r);
    expect_words(&r, report_verdict, "No verdict yet: no arm has its results with all seeds.");
    expect_words(&r, report_choice, "No choice yet. Not ranked: 5 cycles (1 of 6 cells");
    close_rig(&r);
}

static void all_diverged_is_a_verdict(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_rig(&r, 6, false);
    diverge(&r, FIVE, 0, 6);
    diverge(&r, TWENTY, 0, 6);
    summarise(&r);
    report_verdict(&r.e, 0, words);
    assert_string_equal(words, "Every arm diverged with all seeds (12 cells): no accuracy to "
                               "compare. Controls finished with 6 of 6 cells.");
    report_choice(&r.e, 0, words);
    assert_string_equal(words, "");
    close_rig(&r);
}

/* ---- how comparisons are corrected for each other */

/* 0.031 of 6 pairs stands where the other question, with 0.002 of 10, is answered before. */
static void holm_counts_what_is_left(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_rig(&r, 10, false);
    raise(&r, FIVE, 2, 0.1);
    raise(&r, TWENTY, 2, 0.1);
    for (int i = 0; i < 4; i++) cell(&r, TWENTY, i)->state = GYRE_CELL_MISSING;
    summarise(&r);
    const gyre_comparison *c = gyre_results_comparison(&r.e, TWENTY, CONTROL);
    assert_true(c->corrected == 0.03125 && c->corrected_least == 0.03125);
    assert_int_equal(c->finding, GYRE_FINDING_BETTER);
    report_correction(&r.e, words);
    assert_string_equal(
        words, "No comparison was planned; all 2 comparisons are corrected together (Holm). With "
               "10 seeds the smallest possible p is 0.002, corrected 0.0039: each of them can be "
               "shown. With 6 seeds the smallest possible p is 0.031, corrected 0.031: each of "
               "them can be shown.");
    forget(&r);
    raise(&r, FIVE, -2, 0.1); /* no difference is left: nothing is answered before */
    summarise(&r);
    c = gyre_results_comparison(&r.e, TWENTY, CONTROL);
    assert_true(c->corrected == 0.0625 && c->corrected_least == 0.0625);
    assert_int_equal(c->finding, GYRE_FINDING_TOO_FEW);
    report_correction(&r.e, words);
    assert_non_null(strstr(words, "With 6 seeds the smallest possible p is 0.031, corrected "
                                  "0.062: none can survive"));
    close_rig(&r);
}

static void one_comparison_beside_the_plan_is_not_corrected(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_rig(&r, 6, true);
    summarise(&r);
    report_correction(&r.e, words);
    assert_non_null(strstr(words, "One comparison was planned; the other one is alone, so its p is "
                                  "not corrected. With 6 seeds"));
    close_rig(&r);
}

/* 2 questions need 7 seeds (2 * 2^-6); 6 would do for one. */
static void seeds_needed_bear_the_correction(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_rig(&r, 3, false);
    raise(&r, FIVE, 1, 0.1);
    summarise(&r);
    report_one_more(&r.e, gyre_results_comparison(&r.e, FIVE, CONTROL), words);
    assert_non_null(strstr(words, "about 7 seeds would be needed to show it among 2 comparisons."));
    close_rig(&r);
}

static void a_planned_control_is_compared_once(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_rig(&r, 6, true);
    r.study.planned_arm = CONTROL;
    r.study.planned_control = FIVE;
    raise(&r, FIVE, 1, 0.1);
    summarise(&r);
    assert_int_equal(r.e.comparison_count, 2);
    assert_int_equal(r.e.corrected_count, 1);
    assert_null(gyre_results_comparison(&r.e, FIVE, CONTROL));
    report_choice(&r.e, 0, words);
    assert_non_null(strstr(words, "Choice: 5 cycles"));
    assert_non_null(strstr(words, "The choice was shown to beat 1 of 1 control."));
    close_rig(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_diverged_is_not_chosen),
        cmocka_unit_test(the_verdict_names_controls_that_diverged),
        cmocka_unit_test(where_all_diverged_the_least_are_ranked),
        cmocka_unit_test(an_arm_with_one_seed_is_not_ranked),
        cmocka_unit_test(all_diverged_is_a_verdict),
        cmocka_unit_test(holm_counts_what_is_left),
        cmocka_unit_test(one_comparison_beside_the_plan_is_not_corrected),
        cmocka_unit_test(seeds_needed_bear_the_correction),
        cmocka_unit_test(a_planned_control_is_compared_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
