/* Reports: what is weighed, and in which words, for studies made by hand; and that no text of a
 * user can become markup. */
#include "../../src/report/html.h"
#include "report_rig.h"

#include <unistd.h>

static void planned_comparison_stands_alone(void **state) {
    (void)state;
    rig r;
    open_rig(&r, 6, true);
    raise(&r, FIVE, 0.41, 0.2);
    raise(&r, TWENTY, -0.41, 0.2);
    summarise(&r);
    assert_int_equal(r.e.comparison_count, 2);
    assert_int_equal(r.e.corrected_count, 1);
    /* sd 0.2191 and t 2.5706 by 5 degrees: half a width of 0.2299 */
    expect_sentence(
        &r, FIVE,
        "5 cycles beat the constant midpoint by 0.41 points (95 % interval 0.18 to 0.64, "
        "6 seeds, p = 0.031).");
    expect_sentence(&r, TWENTY,
                    "20 cycles fell short of the constant midpoint by 0.41 points (95 % interval "
                    "0.18 to 0.64, 6 seeds, corrected p = 0.031).");
    close_rig(&r);
}

static void six_seeds_bear_no_correction(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_rig(&r, 6, false);
    raise(&r, FIVE, 1, 0.1);
    raise(&r, TWENTY, 2, 0.1);
    summarise(&r);
    expect_sentence(
        &r, TWENTY,
        "20 cycles against the constant midpoint: no difference that 6 seeds could show "
        "among 2 comparisons (smallest possible corrected p is 0.062); on average +2.00 "
        "points (95 % interval 1.89 to 2.11).");
    report_correction(&r.e, words);
    assert_non_null(strstr(words, "none can survive"));
    close_rig(&r);
}

static void three_seeds_show_nothing(void **state) {
    (void)state;
    rig r;
    open_rig(&r, 3, true);
    raise(&r, FIVE, 0.5, 0);
    summarise(&r);
    expect_sentence(&r, FIVE,
                    "5 cycles against the constant midpoint: no difference that 3 seeds could show "
                    "(smallest possible p is 0.25); on average +0.50 points (95 % interval 0.50 to "
                    "0.50).");
    close_rig(&r);
}

static void no_difference_is_said_to_be_none(void **state) {
    (void)state;
    rig r;
    open_rig(&r, 8, true);
    raise(&r, FIVE, 0, 0.3);
    summarise(&r);
    assert_int_equal(gyre_results_comparison(&r.e, FIVE, CONTROL)->finding, GYRE_FINDING_NONE);
    close_rig(&r);
}

/* Seeds with one cell diverged, not begun or not finite are in no pair. */
static void only_whole_pairs_count(void **state) {
    (void)state;
    rig r;
    open_rig(&r, 6, true);
    raise(&r, FIVE, 1, 0.1);
    cell(&r, FIVE, 0)->state = GYRE_CELL_DIVERGED;
    cell(&r, CONTROL, 1)->state = GYRE_CELL_MISSING;
    cell(&r, CONTROL, 2)->metric = NAN;
    summarise(&r);
    const gyre_comparison *c = gyre_results_comparison(&r.e, FIVE, CONTROL);
    assert_int_equal(c->final.count, 3);
    assert_true(c->p == 0.25 && c->finding == GYRE_FINDING_TOO_FEW);
    assert_int_equal(r.arm_evidence[FIVE].done, 5);
    assert_int_equal(r.arm_evidence[FIVE].states[GYRE_CELL_DIVERGED], 1);
    assert_int_equal(r.arm_evidence[CONTROL].done, 4);
    close_rig(&r);
}

static void nothing_done_is_no_verdict(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_rig(&r, 2, false);
    for (int i = 0; i < ARMS * 2; i++) r.cells[i].result.state = GYRE_CELL_FAILED;
    summarise(&r);
    report_verdict(&r.e, 0, words);
    assert_string_equal(words,
                        "Nothing can be said yet: no arm but controls has a cell that is done.");
    report_choice(&r.e, 0, words);
    assert_string_equal(words, "");
    assert_true(isnan(r.e.target[0]));
    close_rig(&r);
}

static void the_choice_names_its_rivals(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_rig(&r, 6, true);
    raise(&r, FIVE, 1, 0.1);
    raise(&r, TWENTY, 0.95, -0.1);
    summarise(&r);
    report_choice(&r.e, 0, words);
    assert_non_null(strstr(words, "Choice: 5 cycles, the highest mean of the arms (51.25 %)."));
    assert_non_null(strstr(words, "hold 0): 20 cycles."));
    raise(&r, CONTROL, 3, 0); /* now the control is above all */
    forget(&r);
    summarise(&r);
    report_choice(&r.e, 0, words);
    assert_non_null(strstr(words,
                           "But the constant midpoint did as well or better: by 2.00 points over "
                           "6 seeds."));
    close_rig(&r);
}

/* Accuracies of two samples: what is equal with two seeds is neither sure nor a difference. */
static void equal_differences_prove_nothing(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_rig(&r, 2, false);
    raise(&r, FIVE, 40, 0);
    summarise(&r);
    report_choice(&r.e, 0, words);
    assert_null(strstr(words, "lies above every other"));
    assert_non_null(strstr(words,
                           "(paired 95 % intervals hold 0, or have no width, since few seeds "
                           "gave equal differences): 20 cycles."));
    close_rig(&r);
    open_rig(&r, 6, false);
    raise(&r, FIVE, 40, 0);
    summarise(&r);
    report_choice(&r.e, 0, words);
    assert_non_null(strstr(words, "lies above every other ranked arm"));
    close_rig(&r);
}

static void what_is_equal_is_said_to_be(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_rig(&r, 3, true);
    summarise(&r);
    report_choice(&r.e, 0, words);
    assert_non_null(strstr(words, "Choice: 5 cycles, the first of 2 arms with the same highest "
                                  "mean, of the arms (50.10 %)."));
    assert_non_null(strstr(words, "But the constant midpoint did as well over 3 seeds."));
    report_one_more(&r.e, gyre_results_comparison(&r.e, FIVE, CONTROL), words);
    assert_non_null(strstr(words, "No difference was found that more seeds could show."));
    assert_null(strstr(words, "1000"));
    close_rig(&r);
}

static void one_more_seed(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_rig(&r, 5, true);
    raise(&r, FIVE, 1, 0.1);
    summarise(&r);
    report_one_more(&r.e, gyre_results_comparison(&r.e, FIVE, CONTROL), words);
    assert_non_null(
        strstr(words, "(6 instead of 5) lowers the smallest possible p from 0.062 to 0.031"));
    assert_non_null(strstr(words, "about 6 seeds would be needed"));
    close_rig(&r);
}

/* An evaluation off the grid that all share does not count as having been there first. */
static void target_is_met_on_the_common_grid(void **state) {
    (void)state;
    rig r;
    static gyre_validation_row plain[] = {{.step = 10, .metric = 0.2}, {.step = 20, .metric = 0.5}};
    static gyre_validation_row more[] = {
        {.step = 10, .metric = 0.2}, {.step = 15, .metric = 0.9}, {.step = 20, .metric = 0.9}};
    static gyre_validation_row missed[] = {{.step = 10, .metric = 0.2},
                                           {.step = 20, .metric = 0.3}};
    open_rig(&r, 1, true);
    r.cells[CONTROL].tables = (gyre_tables){.validation = plain, .validation_count = 2};
    r.cells[FIVE].tables = (gyre_tables){.validation = more, .validation_count = 3};
    r.cells[TWENTY].tables = (gyre_tables){.validation = missed, .validation_count = 2};
    summarise(&r);
    assert_true(r.cells[CONTROL].to_target == 20);
    assert_true(r.cells[FIVE].to_target == 20);
    assert_true(isinf(r.cells[TWENTY].to_target) && r.arm_evidence[TWENTY].reached == 0);
    close_rig(&r);
}

/* 57 / 100 is 56.999... % in doubles, and so are 29 and 58; the mean of equal accuracies, the
 * target by default, may be above each of them. */
static void equal_to_the_target_is_at_the_target(void **state) {
    (void)state;
    static gyre_validation_row row[1] = {{.step = 10}};
    for (int k = 0; k <= 100; k++) {
        for (int seeds = 1; seeds <= (k == 57 ? 12 : 1); seeds++) {
            rig r;
            open_rig(&r, seeds, true);
            row->metric = k / 100.0;
            for (int i = 0; i < ARMS * seeds; i++) {
                r.cells[i].result.metric = row->metric;
                r.cells[i].tables = (gyre_tables){.validation = row, .validation_count = 1};
            }
            summarise(&r);
            if (r.arm_evidence[FIVE].reached != seeds) fail_msg("%d %%, %d seeds", k, seeds);
            forget(&r);
            assert_int_equal(study_summarise(&r.e, k), GYRE_OK);
            if (r.arm_evidence[FIVE].reached != seeds) fail_msg("--target %d", k);
            close_rig(&r);
        }
    }
}

/* Only names that gyre gives are put into words; a person's "a-b" and "a_b" stay two. */
static void names_stay_apart(void **state) {
    (void)state;
    static char names[][2][24] = {{"10-cycles", "10 cycles"},
                                  {"0.5-cycles", "0.5 cycles"},
                                  {"1-cycle", "1 cycle"},
                                  {"stepsize-4-epochs", "stepsize 4 epochs"},
                                  {"stepsize-1e-05-epochs", "stepsize 1e-05 epochs"},
                                  {"a-b", "a-b"},
                                  {"a_b", "a_b"},
                                  {"lr-1e-3", "lr-1e-3"},
                                  {"exp_range", "exp_range"},
                                  {"10-cycles-long", "10-cycles-long"},
                                  {"4-epochs", "4-epochs"}};
    rig r;
    open_rig(&r, 1, false);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char out[REPORT_NAME_MAX];
        r.arms[FIVE].name = names[i][0];
        report_arm(&r.e, FIVE, out);
        assert_string_equal(out, names[i][1]);
    }
}

/* ---- pages */

static char *written(void (*write)(FILE *f, const char *text), const char *text) {
    char *out = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&out, &size);
    assert_non_null(f);
    write(f, text);
    fclose(f);
    return out;
}

static void text_is_never_markup(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"<script>&\"'", "&lt;script&gt;&amp;&quot;&#39;"},
        {"größer ✓ 𝄞", "größer ✓ 𝄞"},
        {"\xff\xc0\xaf", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* no UTF-8, overlong */
        {"\xed\xa0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"}, /* a surrogate */
        {"a\x01\x7f", "a\xEF\xBF\xBD\xEF\xBF\xBD"},
        {"cut \xe2\x9c", "cut \xEF\xBF\xBD\xEF\xBF\xBD"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char *out = written(report_html_text, cases[i][0]);
        assert_string_equal(out, cases[i][1]);
        free(out);
    }
}

static void put_figure(FILE *f, const char *path) {
    assert_int_equal(report_html_figure(f, path, "f1-", "a < b"), GYRE_OK);
}

static void figures_have_ids_of_their_own(void **state) {
    (void)state;
    char path[] = "/tmp/gyre-report-XXXXXX";
    int fd = mkstemp(path);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w");
    assert_non_null(f);
    fputs("<?xml version=\"1.0\"?>\n<svg viewBox=\"0 0 1 1\">\n<title>Gnuplot</title>\n"
          "<desc>Produced by GNUPLOT</desc>\n<g id=\"c\"><path id='p'/><use "
          "xlink:href='#p'/></g></svg>",
          f);
    fclose(f);
    char *out = written(put_figure, path);
    unlink(path);
    assert_non_null(strstr(out, "aria-label=\"a &lt; b\""));
    assert_non_null(
        strstr(out, "<g id=\"f1-c\"><path id='f1-p'/><use xlink:href='#f1-p'/></g></svg>"));
    assert_null(strstr(out, "?xml"));
    assert_null(strstr(out, "nuplot"));
    assert_null(strstr(out, "GNUPLOT"));
    free(out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planned_comparison_stands_alone),
        cmocka_unit_test(six_seeds_bear_no_correction),
        cmocka_unit_test(three_seeds_show_nothing),
        cmocka_unit_test(no_difference_is_said_to_be_none),
        cmocka_unit_test(only_whole_pairs_count),
        cmocka_unit_test(nothing_done_is_no_verdict),
        cmocka_unit_test(the_choice_names_its_rivals),
        cmocka_unit_test(equal_differences_prove_nothing),
        cmocka_unit_test(what_is_equal_is_said_to_be),
        cmocka_unit_test(one_more_seed),
        cmocka_unit_test(target_is_met_on_the_common_grid),
        cmocka_unit_test(equal_to_the_target_is_at_the_target),
        cmocka_unit_test(names_stay_apart),
        cmocka_unit_test(text_is_never_markup),
        cmocka_unit_test(figures_have_ids_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
