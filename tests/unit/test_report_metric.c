/* Reports of a metric of which less is better, and which has no unit: who is best, what is said of
 * it, and that nothing is told as if it were a share. */
#include "report_rig.h"

#include "gyre/defaults.h"

#include "../../src/report/captions.h"
#include "../../src/report/csv.h"
#include "../../src/study/bands.h"

static const gyre_metric error = {.name = "absolute_error",
                                  .plural = "absolute errors",
                                  .unit = "",
                                  .column_unit = "",
                                  .difference_unit = "",
                                  .factor = 1,
                                  .decimals = 4,
                                  .sum = 1};

/* Errors of 0.5 for all, but 0.02 less of the five cycles and as much more of the twenty. */
static void open_errors(rig *r, int seeds, bool planned) {
    open_rig(r, seeds, planned);
    r->e.metric = &error;
    raise(r, FIVE, -2, 0.1);
    raise(r, TWENTY, 2, 0.1);
}

/* Intervals of 95 % are the only percentages. */
static void expect_bare(const char *words) {
    for (const char *c = strchr(words, '%'); c != NULL; c = strchr(c + 1, '%')) {
        if (c - words < 3 || strncmp(c - 3, "95 ", 3) != 0) fail_msg("a percentage: %s", words);
    }
    if (strstr(words, "points") != NULL) fail_msg("points: %s", words);
    if (strstr(words, "ccurac") != NULL) fail_msg("an accuracy: %s", words);
}

static void expect_start(const char *words, const char *start) {
    if (strncmp(words, start, strlen(start)) != 0) fail_msg("not '%s...': %s", start, words);
}

static void expect(const char *words, const char *start) {
    expect_bare(words);
    expect_start(words, start);
}

static void the_least_is_the_best(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_errors(&r, 6, true);
    summarise(&r);
    assert_int_equal(r.e.rankings[0].leader, FIVE);
    assert_true(r.arm_evidence[TWENTY].behind_leader.mean > 0.039);
    assert_true(r.arm_evidence[CONTROL].behind_leader.mean > 0.019);
    report_choice(&r.e, 0, words);
    expect(words, "Choice: 5 cycles, the lowest mean of the arms (0.4825). The choice lies below "
                  "every other ranked arm by more than its paired 95 % interval. The choice was "
                  "shown");
    report_verdict(&r.e, 0, words);
    expect(words, "5 cycles beat the constant midpoint by 0.0200 in absolute error (95 % interval "
                  "0.0189 to 0.0211, "
                  "6 seeds,");
    close_rig(&r);
}

static void findings_have_the_metrics_direction(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_errors(&r, 7, false);
    summarise(&r);
    const gyre_comparison *less = gyre_results_comparison(&r.e, FIVE, CONTROL);
    const gyre_comparison *more = gyre_results_comparison(&r.e, TWENTY, CONTROL);
    assert_true(less->final.mean < 0 && less->finding == GYRE_FINDING_BETTER);
    assert_true(more->final.mean > 0 && more->finding == GYRE_FINDING_WORSE);
    report_comparison(&r.e, more, words);
    expect(words, "20 cycles fell short of the constant midpoint by 0.0201 in absolute error (95 % "
                  "interval 0.0192 to 0.0211, 7 seeds,");
    report_one_more(&r.e, less, words);
    expect(words, "5 cycles against the constant midpoint: a seed more (8 instead of 7)");
    assert_non_null(strstr(words, "narrows the interval from ±0.0010 to ±0.0009. The"));
    close_rig(&r);
    open_errors(&r, 3, false);
    summarise(&r);
    report_comparison(&r.e, gyre_results_comparison(&r.e, FIVE, CONTROL), words);
    expect(words, "5 cycles against the constant midpoint: no difference that 3 seeds could show "
                  "(smallest possible p is 0.25); on average -0.0197 in absolute error (95 % "
                  "interval -0.0");
    close_rig(&r);
}

static void a_control_with_less_is_told(void **state) {
    (void)state;
    rig r;
    char words[REPORT_SENTENCE_MAX];
    open_errors(&r, 6, false);
    raise(&r, CONTROL, -3, 0.2);
    summarise(&r);
    report_choice(&r.e, 0, words);
    expect(words, "Choice: 5 cycles, the lowest mean");
    assert_non_null(strstr(words, "But the constant midpoint did as well or better: by 0.0100 over "
                                  "6 seeds."));
    close_rig(&r);
}

/* The five cycles are there first, since they reach what is not above the target. */
static void the_target_is_reached_from_above(void **state) {
    (void)state;
    static gyre_validation_row plain[] = {{.step = 10, .metric = 0.9}, {.step = 20, .metric = 0.5}};
    static gyre_validation_row fast[] = {{.step = 10, .metric = 0.5}, {.step = 20, .metric = 0.7}};
    static gyre_validation_row slow[] = {{.step = 10, .metric = 0.9}, {.step = 20, .metric = 0.8}};
    rig r;
    open_errors(&r, 1, true);
    r.cells[CONTROL].tables = (gyre_tables){.validation = plain, .validation_count = 2};
    r.cells[FIVE].tables = (gyre_tables){.validation = fast, .validation_count = 2};
    r.cells[TWENTY].tables = (gyre_tables){.validation = slow, .validation_count = 2};
    summarise(&r);
    assert_true(r.e.target[0] == 0.5);
    assert_true(r.cells[FIVE].to_target == 10 && r.cells[CONTROL].to_target == 20);
    assert_true(isinf(r.cells[TWENTY].to_target));
    forget(&r);
    assert_int_equal(study_summarise(&r.e, 0.85), GYRE_OK);
    assert_true(r.cells[TWENTY].to_target == 20);
    assert_int_equal(study_draw_bands(&r.e), GYRE_OK);
    assert_true(r.arm_evidence[FIVE].metric.points[1].mean == 0.7);
    for (int i = 0; i < ARMS; i++) {
        free(r.arm_evidence[i].train.points);
        free(r.arm_evidence[i].loss.points);
        free(r.arm_evidence[i].metric.points);
        free(r.arm_evidence[i].minima_loss.points);
        free(r.arm_evidence[i].minima_metric.points);
    }
    close_rig(&r);
}

static void arms_with_another_metric_are_named(void **state) {
    (void)state;
    static char folder[] = "errors";
    const gyre_metric *accuracy = gyre_metric_of_loss(NULL);
    rig r;
    open_errors(&r, 2, false);
    r.study.folder = folder;
    for (int i = 2; i < 6; i++) r.cells[i].tables.metric = &error;
    assert_int_equal(study_find_metric(&r.e), GYRE_OK);
    assert_ptr_equal(r.e.metric, &error);
    cell(&r, TWENTY, 1)->of = accuracy; /* what its tables say counts */
    assert_int_equal(study_find_metric(&r.e), GYRE_OK);
    r.cells[5].tables.metric = NULL;
    assert_int_equal(study_find_metric(&r.e), GYRE_EIO);
    expect_start(gyre_error_text(), "'errors': arm 20-cycles is judged by its accuracy, but arm "
                                    "5-cycles by its absolute error;");
    memset(r.cells, 0, sizeof r.cells);
    assert_int_equal(study_find_metric(&r.e), GYRE_OK);
    assert_ptr_equal(r.e.metric, accuracy);
    close_rig(&r);
}

static void captions_have_no_unit(void **state) {
    (void)state;
    gyre_train_row step = {.loss = 1};
    gyre_validation_row row = {.step = 1, .metric = 0.03125};
    gyre_settings settings = {.schedule = {.policy = GYRE_POLICY_CONSTANT, .base_lr = 0.1},
                              .data = {.validation = GYRE_VALIDATION_PART},
                              .length = {.unit = GYRE_UNIT_STEPS, .value = 1}};
    report_run run = {.name = five};
    char words[200];
    run.content.settings = &settings;
    run.content.tables = (gyre_tables){.metric = &error,
                                       .train = &step,
                                       .train_count = 1,
                                       .validation = &row,
                                       .validation_count = 1};
    assert_int_equal(
        gyre_schedule_open(&settings.schedule, &settings.length, 0.9, 0, &run.content.schedule),
        GYRE_OK);
    report_caption_subtitle(&run, 1, words, sizeof words);
    assert_string_equal(words, "validation absolute error 0.0312 after 1 steps");
    report_caption_legend(&run, words, sizeof words);
    assert_string_equal(words, "5-cycles (0.0312)");
    report_quantity(gyre_metric_prose(&error).text, error.unit, "", words);
    assert_string_equal(words, "absolute error");
    gyre_schedule_close(run.content.schedule);
}

/* Values of one loss share a unit, those of several cannot be compared. */
static void several_losses_have_a_unit_each(void **state) {
    (void)state;
    char unit[REPORT_UNIT_MAX], text[200], squares[] = "one_hot_squared_error";
    report_losses losses = {.count = 0};
    report_losses_add(&losses, NULL);
    report_losses_add(&losses, GYRE_DEFAULT_LOSS);
    assert_string_equal(report_losses_unit(&losses, unit), "nats");
    report_losses_add(&losses, squares);
    report_losses_add(&losses, squares);
    assert_string_equal(report_losses_unit(&losses, unit),
                        "cross_entropy: nats, one_hot_squared_error: no unit");
    report_losses_add(&losses, "a_loss_of_a_long_name");
    assert_string_equal(report_losses_unit(&losses, unit), "3 losses, each in its unit");

    const gyre_metric *accuracy = gyre_metric_of_loss(NULL);
    gyre_settings settings[2] = {{.data = {.path = five}}, {.data = {.path = five}}};
    report_run runs[2] = {{.name = five}, {.name = five}};
    for (int i = 0; i < 2; i++) {
        runs[i].content.settings = &settings[i];
        runs[i].content.tables.metric = accuracy;
    }
    report_caption_subtitle(runs, 2, text, sizeof text);
    assert_string_equal(text, "");
    settings[1].model.loss = squares;
    report_caption_subtitle(runs, 2, text, sizeof text);
    assert_string_equal(text, "the runs have several losses, whose values cannot be compared");
    const gyre_metric *metric = NULL;
    assert_int_equal(report_runs_units(runs, 2, &metric, unit), GYRE_OK);
    assert_ptr_equal(metric, accuracy);
    assert_string_equal(unit, "cross_entropy: nats, one_hot_squared_error: no unit");
    runs[1].content.tables.metric = &error;
    assert_int_equal(report_runs_units(runs, 2, &metric, unit), GYRE_EUSAGE);
}

static char *table(const rig *r, int index) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    assert_non_null(f);
    report_csv_tables[index].print(f, &r->e);
    fclose(f);
    return text;
}

static void columns_are_the_metrics(void **state) {
    (void)state;
    rig r;
    open_errors(&r, 2, false);
    summarise(&r);
    char *cells = table(&r, 0);
    expect(cells, "group,arm,seed,state,steps,loss,absolute_error,best_absolute_error,test_loss,"
                  "test_absolute_error,steps_to_target,hash,message,seconds\n");
    free(cells);
    cells = table(&r, 3);
    expect_bare(cells);
    free(cells);
    close_rig(&r);
}

static void the_best_of_two_is_a_number(void **state) {
    (void)state;
    const gyre_metric *accuracy = gyre_metric_of_loss(NULL);
    assert_true(gyre_metric_best(&error, 0.2, 0.1) == 0.1 &&
                gyre_metric_best(&error, 0.1, 0.2) == 0.1);
    assert_true(gyre_metric_best(accuracy, 0.2, 0.1) == 0.2 &&
                gyre_metric_best(accuracy, 0.1, 0.2) == 0.2);
    assert_true(gyre_metric_best(&error, NAN, 0.1) == 0.1 &&
                gyre_metric_best(&error, 0.1, NAN) == 0.1);
    assert_true(isnan(gyre_metric_best(&error, NAN, NAN)));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_least_is_the_best),
        cmocka_unit_test(findings_have_the_metrics_direction),
        cmocka_unit_test(a_control_with_less_is_told),
        cmocka_unit_test(the_target_is_reached_from_above),
        cmocka_unit_test(arms_with_another_metric_are_named),
        cmocka_unit_test(captions_have_no_unit),
        cmocka_unit_test(several_losses_have_a_unit_each),
        cmocka_unit_test(columns_are_the_metrics),
        cmocka_unit_test(the_best_of_two_is_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
