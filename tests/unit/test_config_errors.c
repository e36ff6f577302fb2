/* What a config is refused for: the status, one line, and what that line names. Also: every config
 * in configs/ is accepted, and a line of JSON is written as it should be. */
#include "config_rig.h"
#include "gyre/json.h"

#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_refused(const char *text, size_t size, char *set, const char *words) {
    gyre_settings *s;
    gyre_status status = config_open_bytes(&file, text, size, set, &s);
    const char *said = gyre_error_text();
    if (status != GYRE_EUSAGE) fail_msg("%s %s: status %d", text, set == NULL ? "" : set, status);
    if (s != NULL) fail_msg("settings in spite of: %s", said);
    if (strstr(said, words) == NULL) fail_msg("%s: no '%s' in: %s", text, words, said);
    if (strpbrk(said, "\n\r\033") != NULL) fail_msg("more than a line: %s", said);
    const char *place = set == NULL ? file.path : "--set ";
    if (strncmp(said, place, strlen(place)) != 0) fail_msg("no '%s' before: %s", place, said);
}

static const char *const refused[][2] = {
    /* syntax, with line and column */
    {"", ":1:1: "},
    {"{\n  \"seed\": 1\n  \"reduce\": \"fast\"}", ":3:3: JSON syntax error near '\"reduce\""},
    {"{\"seed\": 1,}", ":1:12: JSON syntax error near '}'"},
    {"{seed: 1}", ":1:2: JSON syntax error"},
    {"{\"seed\": 1 // one\n", ":2:1: JSON syntax error at the end of the text"},
    {"{\"seed\": tru}", ":1:10: JSON syntax error near 'tru}'"},
    {"{/* \xc3\xa9\xc3\xa9 */ \"seed\": x}", ":1:19: JSON syntax error near 'x}'"},
    {"{\"seed\": 1} {}", ":1:13: unexpected text behind the config near '{}'"},
    {"{\"seed: 1}\n", ":1:2: this string has no closing quote"},
    {"{\"seed\": 1 /* }\n", ":1:12: this comment has no closing */"},
    {"{\"model\": {\"name\": \"a\nb\"}}", ":1:20: this string has no closing quote"},
    {"{\"model\": {\"name\": \"lenet\\u0000x\"}}", ":1:20: a string cannot hold"},
    {"[1]", "expected an object {...}, found [1]"},
    {"7", "expected an object {...}, found 7"},
    /* keys */
    {"{\"Seed\": 1}", "unknown key Seed; the nearest is seed "},
    {"{\"optimizer\": {\"momentun\": 1}}", "unknown key optimizer.momentun; the nearest is "
                                           "optimizer.momentum "},
    {"{\"optimiser\": {\"momentum\": 1}}", "unknown key optimiser; the nearest is optimizer "},
    {"{\"base_lr\": 1}", "unknown key base_lr; the nearest is schedule.base_lr "},
    {"{\"a\\nb\": 1}", "unknown key a\\x0Ab"},
    {"{\"seed\": 064}", "1:10: a number starts with a needless 0"},
    {"{\"optimizer\": {\"momentum\": -00.5}}", "a number starts with a needless 0"},
    {"{\"seed\": 1, \"seed\": 1}", "key seed is given twice"},
    {"{\"batch\": {\"size\": 1}, \"batch\": {\"shards\": 1}}", "key batch is given twice"},
    {"{\"schedule\": {\"form\": \"paper\", \"one_cycle\": {\"form\": \"paper\"}}}",
     "schedule.one_cycle.form is given twice"},
    /* types and ranges */
    {"{\"seed\": \"1\"}", "seed: expected whole number 0..9007199254740991, found \"1\""},
    {"{\"seed\": 1.5}", "seed: expected whole number"},
    {"{\"seed\": 9007199254740992}", "seed: expected whole number"},
    {"{\"optimizer\": {\"eps\": 1e999}}", "optimizer.eps: a finite number was expected"},
    {"{\"schedule\": {\"max_lr\": 1e999}}", "schedule.max_lr: a finite number was expected"},
    {"{\"optimizer\": {\"momentum\": 1.5}}", "optimizer.momentum: expected number 0..0.999999, "
                                             "found 1.5"},
    {"{\"optimizer\": {\"nesterov\": 1}}", "optimizer.nesterov: expected true or false"},
    {"{\"optimizer\": 3}", "optimizer: expected an object {...}, found 3"},
    {"{\"reduce\": \"Exact\"}", "reduce: expected one of \"exact\", \"fast\", found \"Exact\""},
    {"{\"model\": {\"layers\": 3}}", "model.layers: expected a list of nodes, or an object with"},
    {"{\"model\": {\"layers\": {\"nodes\": 3}}}", "model.layers: expected a list of nodes, or an"},
    {"{\"model\": {\"name\": \"mlp\", \"layers\": []}}",
     "one of model.name, model.layers, model.file and model.config was expected, found model.name "
     "and model.layers"},
    {"{\"model\": {\"config\": {}, \"layers\": []}}", "found model.layers and model.config"},
    {"{\"model\": {\"config\": 3}}",
     "model.config: expected the path of a config.json of diffusers, or the object that is in it"},
    {"{\"denoise\": {\"noise\": \"square\"}}",
     "denoise.noise: expected one of \"linear\", \"scaled_linear\", \"cosine\", found \"square\""},
    {"{\"denoise\": {\"steps\": 1}}", "denoise.steps: expected whole number 2..10000, found 1"},
    {"{\"model\": {\"file\": \"a\", \"layers\": []}}", "found model.layers and model.file"},
    {"{\"optimizer\": {\"groups\": {}}}", "optimizer.groups: expected a list of groups"},
    {"{\"optimizer\": {\"groups\": [{\"match\": \"a\"}]}}",
     "optimizer.groups[0]: expected {\"match\": pattern"},
    {"{\"optimizer\": {\"groups\": [{\"match\": \"a\", \"lr_mul\": 1}]}}",
     "optimizer.groups[0]: unknown key \"lr_mul\"; did you mean \"lr_mult\"?"},
    {"{\"optimizer\": {\"groups\": [{\"match\": \"a\", \"lr_mult\": -1}]}}",
     "optimizer.groups[0]: \"lr_mult\": expected a number 0..1e+06"},
    {"{\"optimizer\": {\"groups\": [{\"match\": \"((a{1,255}){255})*b\", \"lr_mult\": 1}]}}",
     "optimizer.groups[0]: \"match\": expected at most 4096 bytes, and at most 1000 repeats by "},
    {"{\"optimizer\": {\"groups\": [{\"match\": \"a\", \"until\": {\"cycles\": 1}}]}}",
     "optimizer.groups[0]: \"until\": expected {\"epochs\": number > 0} or {\"steps\": whole"},
    {"{\"optimizer\": {\"lookahead\": {\"every\": 5}, \"schedule_free\": true}}",
     "optimizer.lookahead: schedule-free optimizers average by themselves"},
    {"{\"model\": {\"name\": \"\"}}", "model.name: expected text"},
    {"{\"model\": {\"freeze\": [1]}}", "model.freeze: expected list of names"},
    {"{\"data\": {\"validation\": {\"split\": 1}}}", "data.validation: expected \"test\", "},
    {"{\"length\": 5}", "length: expected {\"steps\": whole number >= 1} or {\"epochs\""},
    {"{\"length\": {\"steps\": 0}}", "length: expected"},
    {"{\"length\": {\"steps\": 5, \"epochs\": 1}}", "length: expected"},
    {"{\"length\": {\"minutes\": 5}}", "length: expected"},
    {"{\"evaluate\": {\"every\": {\"epochs\": 0}}}", "evaluate.every: expected"},
    {"{\"schedule\": {\"stepsize\": {\"cycles\": 2}}}", "schedule.stepsize: expected"},
    {"{\"schedule\": {\"milestones\": {\"steps\": [5, 5]}}}", "schedule.milestones: expected"},
    {"{\"schedule\": {\"warmup\": {}}}", "schedule.warmup: expected"},
    {"{\"schedule\": {\"warmup\": {\"steps\": 2, \"form\": 1}}}", "schedule.warmup: expected"},
    /* stages */
    {"{\"schedule\": {\"stages\": {}}}", "schedule.stages: expected list"},
    {"{\"schedule\": {\"stages\": [{}]}}", "schedule.stages[0]: no \"length\""},
    {"{\"schedule\": {\"stages\": [{\"length\": {\"steps\": 1}}, 3]}}", "schedule.stages[1]: "},
    {"{\"schedule\": {\"stages\": [{\"length\": {\"steps\": 1}, \"gama\": 1}]}}",
     "schedule.stages[0]: unknown key schedule.gama; the nearest is schedule.gamma "},
    {"{\"schedule\": {\"stages\": [{\"length\": {\"steps\": 1}, \"stages\": []}]}}",
     "schedule.stages[0]: expected an object with"},
    /* what does not go together */
    {"{\"batch\": {\"size\": 30, \"shards\": 4}}", "batch.shards: 4 does not divide"},
    {"{\"batch\": {\"size\": 30, \"shards\": 3}}", "batch.shards: with reduce \"exact\" a power"},
    {"{\"optimizer\": {\"name\": \"adamw\", \"decoupled\": false}}", "optimizer.decoupled: "},
    {"{\"optimizer\": {\"name\": \"adam\", \"nesterov\": true}}", "optimizer.nesterov: "},
    {"{\"optimizer\": {\"name\": \"rmsprop\", \"lr_in_momentum\": true}}",
     "optimizer.lr_in_momentum: "},
    {"{\"optimizer\": {\"name\": \"rms\"}}", "\"rmsprop\", \"adagrad\", \"adadelta\""},
    {"{\"optimizer\": {\"rms_decay\": 1}}", "optimizer.rms_decay: expected number 0.."},
    {"{\"optimizer\": {\"name\": \"rmsprop\"}, \"schedule\": {\"momentum\": {\"min\": 0.8, "
     "\"max\": 0.9}}}",
     "schedule.momentum: rmsprop has no momentum"},
    {"{\"optimizer\": {\"name\": \"adagrad\"}, \"schedule\": {\"stages\": [{\"length\": "
     "{\"steps\": 9}, \"momentum\": {\"min\": 0.8, \"max\": 0.9}}]}}",
     "schedule.momentum: adagrad has no momentum"},
    {"{\"optimizer\": {\"name\": \"adadelta\"}, \"schedule\": {\"momentum\": {\"min\": 0.8, "
     "\"max\": 0.9}}}",
     "schedule.momentum: adadelta has no velocity"},
    {"{\"optimizer\": {\"name\": \"adam\", \"lr_in_momentum\": true}}", "only sgd has"},
    {"{\"schedule\": {\"momentum\": {\"min\": 0.9}}}", "schedule.momentum: give both"},
    {"{\"schedule\": {\"momentum\": {\"min\": 0.9, \"max\": 0.8}}}", "schedule.momentum: min"},
    {"{\"schedule\": {\"warmup\": {\"from\": 0.1}}}", "schedule.warmup: \"from\" without"},
};

static void refuses(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        assert_refused(refused[i][0], strlen(refused[i][0]), NULL, refused[i][1]);
    }
    assert_refused("{\"seed\":\0001}", 12, NULL, "byte 8 is zero");
}

static void refuses_normalizations(void **state) {
    (void)state;
    static const char *const values[] = {
        "\"mean\"",
        "{\"mean\": [0.5]}",
        "{\"mean\": [0.5], \"std\": [0.2, 0.2]}",
        "{\"mean\": [], \"std\": []}",
        "{\"mean\": [1e31], \"std\": [1]}",
        "{\"mean\": [0], \"std\": [-1]}",
        "{\"mean\": [0.5], \"std\": [0]}",
        "{\"mean\": [0.5], \"std\": [\"1\"]}",
        "{\"mean\": 0.5, \"std\": 0.2}",
        "{\"mean\": [0.5], \"std\": [0.2], \"x\": 1}",
        "3",
        "[0.5]",
    };
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        char text[256];
        int n = snprintf(text, sizeof text, "{\"data\": {\"augment\": {\"normalize\": %s}}}",
                         values[i]);
        assert_refused(
            text, (size_t)n, NULL,
            "data.augment.normalize: expected \"channel\", \"mean_image\", \"raw\", \"init_from\" "
            "or {\"mean\": [...], \"std\": [...]} with a number for each of up to 64 channels, std "
            "above 0, found ");
    }
    char many[512] = "{\"data\": {\"augment\": {\"normalize\": {\"mean\": [0";
    for (int i = 0; i < GYRE_CHANNELS_MAX; i++) strcat(many, ",0");
    strcat(many, "], \"std\": [1]}}}}");
    assert_refused(many, strlen(many), NULL, "a number for each of up to 64 channels");
}

static void refuses_sets(void **state) {
    (void)state;
    char *cases[][2] = {
        {"seed", "expected KEY=VALUE"},
        {"=3", "expected KEY=VALUE"},
        {"sed=3", "unknown key sed; the nearest is seed "},
        {"seed=-1", "seed: expected whole number"},
        {"length.hours=3", "length: expected {\"steps\""},
        {"optimizer={\"momentum\": }", ":1:14: JSON syntax error"},
        {"optimizer={\"momentum\": 7}", "optimizer.momentum: expected number"},
        {"length={\"steps\": 5, \"steps\": 6}", "key steps is given twice"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_refused("{}", 2, cases[i][0], cases[i][1]);
    }
}

static void refuses_the_large_and_the_deep(void **state) {
    (void)state;
    enum { SIZE = (1 << 24) + 2 };
    char *text = malloc(SIZE);
    memset(text, ' ', SIZE);
    memcpy(text, "{}", 2);
    assert_refused(text, SIZE, NULL, "JSON of at most 16 MiB was expected, found 16777218 bytes");
    memset(text, '[', SIZE);
    assert_refused(text, 33, NULL, ":1:33: nested deeper than 32 levels");
    assert_refused(text, 32, NULL, "JSON syntax error at the end of the text");
    size_t n = 1;
    text[0] = '{';
    for (int i = 0; i < 1001; i++) n += (size_t)sprintf(text + n, "%s\"k%d\":1", i ? "," : "", i);
    text[n++] = '}';
    assert_refused(text, n, NULL, "the config has more than 1000 keys");
    free(text);
}

static void missing_file_is_named(void **state) {
    (void)state;
    gyre_settings *s = NULL;
    assert_int_equal(gyre_config_open("/tmp/gyre-no-such/run.json", NULL, 0, &s), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "/tmp/gyre-no-such/run.json"));
}

static void every_shipped_config_is_accepted(void **state) {
    (void)state;
    glob_t found;
    assert_int_equal(glob("configs/*.json", 0, NULL, &found), 0);
    assert_int_equal(glob("configs/examples/*/config.json", GLOB_APPEND, NULL, &found), 0);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        gyre_settings *s = NULL;
        if (gyre_config_open(found.gl_pathv[i], NULL, 0, &s) != GYRE_OK ||
            gyre_config_require(s) != GYRE_OK) {
            fail_msg("%s: %s", found.gl_pathv[i], gyre_error_text());
        }
        gyre_config_close(s);
    }
    globfree(&found);
}

static void lines_of_json(void **state) {
    (void)state;
    gyre_json *j = gyre_json_begin();
    gyre_json_add_text(j, "text", "a \"b\"\n\\ \xc3\xa9");
    gyre_json_add_text(j, "none", NULL);
    gyre_json_add_number(j, "tenth", 0.1);
    gyre_json_add_number(j, "sum", 0.1 + 0.2);
    gyre_json_add_number(j, "nan", NAN);
    gyre_json_add_integer(j, "big", INT64_MIN);
    char *text = gyre_json_end(j);
    assert_string_equal(text,
                        "{\"text\":\"a \\\"b\\\"\\n\\\\ \xc3\xa9\",\"none\":null,\"tenth\":0.1,"
                        "\"sum\":0.30000000000000004,\"nan\":null,"
                        "\"big\":-9223372036854775808}");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses),
        cmocka_unit_test(refuses_normalizations),
        cmocka_unit_test(refuses_sets),
        cmocka_unit_test(refuses_the_large_and_the_deep),
        cmocka_unit_test(missing_file_is_named),
        cmocka_unit_test(every_shipped_config_is_accepted),
        cmocka_unit_test(lines_of_json),
    };
    return cmocka_run_group_tests(tests, make_config_file, remove_config_file);
}
