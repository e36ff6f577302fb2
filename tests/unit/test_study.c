/* From a study file to arms at equal budget, what is refused, and what a folder says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataset_rig.h"
#include "gyre/study.h"
#include <math.h>

static const char base[] =
    "{\"data\": {\"path\": \"images.h5\"}, \"model\": {\"name\": \"mlp\"}, \"batch\": {\"size\": "
    "8}, \"schedule\": {\"policy\": \"triangular2\", \"base_lr\": 0.001, \"max_lr\": 0.003, "
    "\"stepsize\": {\"epochs\": 1}, \"warmup\": {\"steps\": 2, \"from\": 0.0005}}, \"length\": "
    "{\"epochs\": 10}}";

static void write_text(const char *name, const char *text) {
    assert_int_equal(gyre_file_write_atomic(in_scratch(name), text, strlen(text)), GYRE_OK);
}

static int set_up(void **state) {
    (void)state;
    if (mkdtemp(scratch) == NULL) return 1;
    gyre_images train = make_images(100, 4, 4, 1, 3, 1), test = make_images(10, 4, 4, 1, 3, 2);
    const gyre_dataset_content content = {.train = train, .test = test, .classes = 3};
    gyre_status status = gyre_dataset_write(in_scratch("images.h5"), &content, true);
    free_images(&train);
    free_images(&test);
    write_text("base.json", base);
    return status != GYRE_OK;
}

static int tear_down(void **state) {
    (void)state;
    return remove_scratch();
}

static gyre_status open_study(const char *text, gyre_study **out) {
    write_text("study.json", text);
    *out = NULL;
    return gyre_study_open(in_scratch("study.json"), out);
}

static gyre_study *study_of(const char *text) {
    gyre_study *s = NULL;
    if (open_study(text, &s) != GYRE_OK) fail_msg("%s", gyre_error_text());
    return s;
}

/* 100 images, a fifth set aside, 8 in a batch: 10 steps per epoch, 100 in all. */
static void arms_have_one_budget(void **state) {
    (void)state;
    static const char *const names[] = {"1-cycle",   "5.5-cycles", "stepsize-2-epochs",
                                        "one_cycle", "plain",      "midpoint",
                                        "max_lr",    "linear"};
    gyre_study *s = study_of("{\"name\": \"n\", \"base\": \"base.json\", \"seeds\": [7, 3], "
                             "\"cycles\": [1, 5.5], \"stepsize_epochs\": [2], \"policies\": "
                             "[\"one_cycle\"], \"arms\": [{\"name\": \"plain\", \"set\": {}}], "
                             "\"validation_split\": 0.2, \"evaluations\": 30, \"planned\": "
                             "{\"arm\": \"5.5-cycles\", \"control\": \"midpoint\"}}");
    assert_int_equal(s->arm_count, 8);
    assert_int_equal(s->budget_steps, 100);
    assert_int_equal(s->evaluate_steps, 4); /* 25 evaluations; every third step would be 34 */
    assert_int_equal(s->validation_images, 20);
    assert_int_equal(gyre_study_cell_count(s), 16);
    assert_int_equal(gyre_study_cell_at(s, 9).arm, 1);
    assert_int_equal(gyre_study_cell_at(s, 9).seed, 1);
    assert_int_equal(s->seeds[0], 7);
    assert_int_equal(s->planned_arm, 1);
    assert_int_equal(s->planned_control, 5);
    for (int i = 0; i < 8; i++) {
        const gyre_settings *a = s->arms[i].settings;
        assert_string_equal(s->arms[i].name, names[i]);
        assert_int_equal(s->arms[i].control, i >= 5);
        assert_int_equal(s->arms[i].group, 0);
        assert_true(a->length.unit == GYRE_UNIT_STEPS && a->length.value == 100);
        assert_true(a->evaluate.every.value == 4 && a->data.split == 0.2);
        assert_true(a->schedule.warmup.value == 2 && a->schedule.warmup_from == 0.0005);
        assert_int_equal(a->checkpoint.keep, 1);
    }
    const gyre_schedule_settings *one = &s->arms[0].settings->schedule;
    const gyre_schedule_settings *half = &s->arms[1].settings->schedule;
    assert_true(one->cycles == 1 && one->stepsize.unit == GYRE_UNIT_NONE && !one->start_high);
    assert_int_equal(one->policy, GYRE_POLICY_TRIANGULAR2);
    assert_true(half->cycles == 5.5 && half->start_high);
    assert_string_equal(s->arms[1].sentence, "schedule.cycles 5.5, schedule.start high");
    assert_true(s->arms[5].settings->schedule.base_lr == (0.001 + 0.003) / 2);
    assert_true(s->arms[6].settings->schedule.base_lr == 0.003);
    assert_int_equal(s->arms[6].settings->schedule.policy, GYRE_POLICY_CONSTANT);
    assert_true(s->arms[7].settings->schedule.max_lr == 0.003);
    assert_true(s->arms[7].settings->schedule.base_lr == 0);
    gyre_study_close(s);
}

/* What is wrong with an arm's rates is known before its cells run, and of which arm it is. */
static void schedules_of_arms_are_looked_at(void **state) {
    (void)state;
    gyre_study *s =
        study_of("{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [2, 9], \"controls\": "
                 "false}");
    assert_string_equal(s->arms[0].warnings, "");
    assert_string_equal(s->arms[1].warnings,
                        "schedule: from cycle 8 of 9 on the height is below 1 % of the first's; a "
                        "peak_decay nearer to 1 than 0.5 keeps it\n");
    gyre_study_close(s);
    assert_int_equal(open_study("{\"base\": \"base.json\", \"seeds\": 1, \"policies\": [\"exp\"], "
                                "\"arms\": [{\"name\": \"a\", \"set\": {}}]}",
                                &s),
                     GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "policies (exp): schedule.gamma: exp needs"));
}

/* Every arm begins as the base does, also where its warm-up is hf_cosine's own, or a stage's. */
static void an_implied_warmup_is_shared(void **state) {
    (void)state;
    static const struct {
        const char *schedule;
        double steps, from;
    } bases[] = {
        {"\"policy\": \"hf_cosine\", \"decay_steps\": 1000", 20, 0},
        {"\"policy\": \"hf_cosine\"", 4, 0}, /* a 50th of the run's 200 steps */
        {"\"stages\": [{\"length\": {\"steps\": 50}, \"policy\": \"constant\", \"warmup\": "
         "{\"steps\": "
         "7, \"from\": 0.0001}}, {\"length\": {\"steps\": 150}, \"policy\": \"linear\"}]",
         7, 0.0001},
    };
    for (size_t i = 0; i < sizeof bases / sizeof bases[0]; i++) {
        char text[1024];
        snprintf(
            text, sizeof text,
            "{\"base\": {\"data\": {\"path\": \"images.h5\"}, \"model\": {\"name\": \"mlp\"}, "
            "\"batch\": {\"size\": 8}, \"schedule\": {\"base_lr\": 0.001, \"max_lr\": 0.02, %s}, "
            "\"length\": {\"steps\": 200}}, \"seeds\": 1, \"cycles\": [2], \"stepsize_epochs\": "
            "[2], \"policies\": [\"one_cycle\"]}",
            bases[i].schedule);
        gyre_study *s = study_of(text);
        assert_int_equal(s->arm_count, 6);
        for (int k = 0; k < s->arm_count; k++) {
            const gyre_schedule_settings *arm = &s->arms[k].settings->schedule;
            assert_true(arm->warmup.unit == GYRE_UNIT_STEPS);
            assert_true(arm->warmup.value == bases[i].steps && arm->warmup_from == bases[i].from);
        }
        gyre_study_close(s);
    }
}

/* 100 is more than the split leaves, but not more than there are: all 90. */
static void sizes_are_groups(void **state) {
    (void)state;
    gyre_study *s = study_of("{\"base\": \"base.json\", \"seeds\": 1, \"dataset_size\": [16, 100], "
                             "\"arms\": [{\"name\": \"a\", \"set\": {\"optimizer\": {\"momentum\": "
                             "0.5}}}], \"controls\": [\"max_lr\"]}");
    assert_string_equal(s->name, "study");
    assert_int_equal(s->arm_count, 4);
    assert_int_equal(s->group_count, 2);
    assert_string_equal(s->groups[1], "90 images");
    assert_string_equal(s->arms[0].name, "a-16-images");
    assert_string_equal(s->arms[0].sentence, "optimizer.momentum 0.5, data.subset 16");
    assert_string_equal(s->arms[3].name, "max_lr-90-images");
    assert_int_equal(s->arms[3].group, 1);
    assert_int_equal(s->arms[0].settings->data.subset, 16);
    assert_true(s->arms[0].settings->length.value == 110); /* 10 epochs of the base's 90 images */
    assert_int_equal(s->budget_steps, 110);
    assert_int_equal(s->planned_arm, -1);
    gyre_study_close(s);
}

static const char *const wrong[][2] = {
    {"[1]", "study.json|expected an object"},
    {"{\"base\": \"base.json\", \"cycels\": [1]}", "unknown key cycels|nearest is cycles"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"seeds\": 2}", "key seeds is given twice"},
    {"{\"base\": \"base.json\", \"cycles\": [1]}", "seeds: expected|found nothing"},
    {"{\"base\": \"base.json\", \"seeds\": [], \"cycles\": [1]}", "seeds: expected|found []"},
    {"{\"base\": \"base.json\", \"seeds\": [1, 1], \"cycles\": [1]}", "seeds: expected"},
    {"{\"seeds\": 1, \"cycles\": [1]}", "base: expected a config"},
    {"{\"base\": \"base.json\", \"seeds\": 1}", "no arms to compare"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": []}", "cycles: expected|found []"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1.3]}", "cycles: expected|halves"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [2, 2]}",
     "two arms|'2-cycles'|one of cycles; take it out of cycles"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [2], \"arms\": [{\"name\": "
     "\"2-cycles\", \"set\": {}}]}",
     "two arms have the name|one of arms; rename the one in arms"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"policies\": [\"linear\"]}",
     "two arms have the name 'linear'|policies (linear): |take it out of policies, or leave "
     "the control|"
     "\"controls\": [\"midpoint\", \"max_lr\"]"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"policies\": [\"linear\"], \"controls\": "
     "[\"linear\"]}",
     "'linear'|\"controls\": false"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1], \"name\": \"\"}",
     "name: expected 1 to 200 bytes|found text ''"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1], \"name\": \"caf\xe9\"}",
     "found text 'caf\\xE9' (4 bytes)"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1], \"name\": 3}",
     "name: expected text, found 3"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"arms\": [{\"name\": \"a\", \"set\": "
     "{\"schedule.max_lr\": \"find\"}}]}",
     "arms (a): schedule: base_lr or max_lr is \"find\"|gyre find CONFIG --write NEW.json"},
    {"{\"base\": {\"data\": {\"path\": \"images.h5\"}, \"model\": {\"name\": \"mlp\"}, "
     "\"batch\": {\"size\": 8}, \"schedule\": {\"base_lr\": \"find\", \"max_lr\": \"find\", "
     "\"cycles\": 1}, "
     "\"length\": {\"epochs\": 1}}, \"seeds\": 1, \"cycles\": [1]}",
     "study.json: schedule: base_lr or max_lr is \"find\"|gyre find CONFIG --write NEW.json"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1, 2], \"planned\": {\"arm\": "
     "\"1-cycle\", \"control\": \"midpoint\", \"contrl\": 1}}",
     "planned: unknown key contrl; its keys are arm and control"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1], \"planned\": [1]}",
     "planned: expected"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"policies\": [\"triangle\"]}",
     "policies (triangle): schedule.policy: expected"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"arms\": [{\"name\": \"a\", \"set\": "
     "{\"schedule.cycels\": 3}}]}",
     "arms (a)|unknown key schedule.cycels|schedule.cycles"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"arms\": [{\"name\": \"a\"}]}", "arms: expected"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"arms\": [{\"name\": \"a/b\", \"set\": {}}]}",
     "expected a name|'a/b'"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"arms\": [{\"name\": \"linear\", \"set\": {}}]}",
     "two arms|'linear'"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"arms\": [{\"name\": \"a\", \"set\": "
     "{\"seed\": 3}}]}",
     "arms (a): seed is the study's own"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"arms\": [{\"name\": \"a\", \"set\": "
     "{\"evaluate.every.steps\": 3}}]}",
     "arms (a): unknown key evaluate.every.steps"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"arms\": [{\"name\": \"a\", \"set\": "
     "{\"model.loss\": \"mean_square\"}}]}",
     "arms (a): model.loss: unknown loss \"mean_square\""},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"arms\": [{\"name\": \"a\", \"set\": "
     "{\"length\": {\"steps\": 3}}}]}",
     "arms (a): trains for 3 steps, the others for 110"},
    {"{\"base\": \"base.json\", \"seeds\": 20, \"cycles\": [1, 2], \"max_cells\": 99}",
     "5 arms x 1 sizes x 20 seeds are 100 cells|max_cells (99)"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1], \"controls\": [\"top\"]}",
     "controls: expected"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1], \"planned\": {\"arm\": "
     "\"1-cycle\", \"control\": \"2-cycles\"}}",
     "planned: no arm is called '2-cycles'; the arms are 1-cycle, "},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1], \"planned\": {\"arm\": "
     "\"1-cycle\", \"control\": \"1-cycle\"}}",
     "planned: expected"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1], \"dataset_size\": [101]}",
     "dataset_size: 101 images asked|has 100"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1], \"dataset_size\": [95, 98]}",
     "two sizes are 90 images"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1], \"dataset_size\": [4]}",
     "cycles (1-cycle)|4"},
    {"{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1], \"validation_split\": 1}",
     "validation_split: expected"},
};

static void what_is_wrong_is_named(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        gyre_study *s = NULL;
        failed_with(open_study(wrong[i][0], &s), GYRE_EUSAGE, wrong[i][1]);
        assert_null(s);
        assert_null(strchr(gyre_error_text(), '\n'));
    }
    gyre_study *s = NULL;
    failed_with(open_study("{\"base\": \"no.json\", \"seeds\": 1, \"cycles\": [1]}", &s), GYRE_EIO,
                "no.json");
    failed_with(gyre_study_read(in_scratch("."), &s), GYRE_EIO, "not what gyre writes");
    failed_with(gyre_study_read(in_scratch("nowhere"), &s), GYRE_EIO, "holds no study");
}

static gyre_status open_named(const char *file, const char *name, gyre_study **out) {
    char text[8192];
    snprintf(text, sizeof text, "{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [1]%s%s%s}",
             name == NULL ? "" : ", \"name\": \"", name == NULL ? "" : name,
             name == NULL ? "" : "\"");
    write_text(file, text);
    *out = NULL;
    return gyre_study_open(in_scratch(file), out);
}

/* A name is read by people and other programs, and comes from a file that may be called anything.
 */
static void names_are_text(void **state) {
    (void)state;
    static const char *const files[][2] = {{"caf\xe9.json", "in the file's name 'caf\\xE9' (4 "},
                                           {"a\nb.json", "'a\\x0Ab'"},
                                           {".hid.json", "in the file's name '' (0 bytes)"}};
    char name[3001];
    gyre_study *s;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        failed_with(open_named(files[i][0], NULL, &s), GYRE_EUSAGE, files[i][1]);
        failed_with(GYRE_EUSAGE, GYRE_EUSAGE, "give \"name\": \"...\" in the study file");
        assert_int_equal(open_named(files[i][0], "caf\u00e9", &s), GYRE_OK);
        assert_string_equal(s->name, "caf\xc3\xa9");
        gyre_study_close(s);
    }
    memset(name, 'n', sizeof name);
    name[3000] = '\0';
    failed_with(open_named("long.json", name, &s), GYRE_EUSAGE, "(3000 bytes); give \"name\"");
    name[201] = '\0';
    failed_with(open_named("long.json", name, &s), GYRE_EUSAGE, "(201 bytes); give \"name\"");
    name[200] = '\0';
    assert_int_equal(open_named("long.json", name, &s), GYRE_OK);
    gyre_study_close(s);
}

/* An inline base, whose paths are relative to the study file. */
static void the_base_may_be_inline(void **state) {
    (void)state;
    char text[1024];
    snprintf(text, sizeof text, "{\"base\": %s, \"seeds\": 2, \"cycles\": [2]}", base);
    gyre_study *s = study_of(text);
    assert_int_equal(gyre_study_cell_count(s), 8);
    gyre_study_close(s);
}

static void results_that_cannot_be_read_are_told(void **state) {
    (void)state;
    static const char *const texts[] = {"{", "{}", "{\"state\": \"done\", \"steps\": 1}",
                                        "{\"state\": \"odd\", \"steps\": 1, \"hash\": \"0\", "
                                        "\"message\": \"\"}"};
    gyre_study *s = study_of("{\"base\": \"base.json\", \"seeds\": 1, \"cycles\": [2]}");
    gyre_cell_result r;
    s->folder = strdup(scratch);
    assert_int_equal(gyre_study_result(s, 0, 0, &r), GYRE_OK);
    assert_int_equal(r.state, GYRE_CELL_MISSING);
    assert_true(isnan(r.metric) && r.message[0] == '\0');
    char *folder = gyre_study_cell_folder(s, 0, 0);
    assert_string_equal(folder, in_scratch("cells/2-cycles/seed-1"));
    assert_int_equal(gyre_dir_make(folder), GYRE_OK);
    free(folder);
    write_text("cells/2-cycles/seed-1/config.json", "{}");
    assert_int_equal(gyre_study_result(s, 0, 0, &r), GYRE_OK);
    assert_int_equal(r.state, GYRE_CELL_INTERRUPTED);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_text("cells/2-cycles/seed-1/result.json", texts[i]);
        failed_with(gyre_study_result(s, 0, 0, &r), GYRE_EIO,
                    "result.json|`gyre study` runs this cell again");
    }
    write_text("cells/2-cycles/seed-1/result.json",
               "{\"state\": \"diverged\", \"steps\": 5, \"hash\": \"00000000000000ff\", "
               "\"accuracy\": null, \"best_accuracy\": 0.5, \"message\": \"why\"}");
    assert_int_equal(gyre_study_result(s, 0, 0, &r), GYRE_OK);
    assert_int_equal(r.state, GYRE_CELL_DIVERGED);
    assert_true(r.steps == 5 && r.hash == 255 && isnan(r.metric) && r.best_metric == 0.5);
    assert_string_equal(r.message, "why");
    gyre_study_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arms_have_one_budget),
        cmocka_unit_test(schedules_of_arms_are_looked_at),
        cmocka_unit_test(an_implied_warmup_is_shared),
        cmocka_unit_test(sizes_are_groups),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(names_are_text),
        cmocka_unit_test(the_base_may_be_inline),
        cmocka_unit_test(results_that_cannot_be_read_are_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
