/* Memory that runs out: every single request of a config's reading and writing, and (all with
 * OOM=all, else every third or fewer) of a run from its plan to its last checkpoint and of a resume
 * fails in turn. What happened is told, nothing leaks, and a run that continues nevertheless, or
 * afterwards, comes to the end of an undisturbed one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/study/study_folder.h"
#include "config_text.h"
#include "dataset_rig.h"
#include "gyre/checkpoint.h"
#include "gyre/log.h"
#include "gyre/metrics.h"
#include "gyre/onnx.h"
#include "gyre/run.h"
#include "oom.h"
#include <ftw.h>

static config_file file;
static gyre_comm *comm;

/* What came of something whose k-th request failed. */
static void check(const char *what, long k, gyre_status status, oom_result r) {
    const char *said = gyre_error_text();
    bool told = strstr(said, "memory") != NULL || strstr(said, "cannot start") != NULL;
    if (r.leaks != 0) fail_msg("%s, request %ld: %ld leaks (%s)", what, k, r.leaks, said);
    if (status == GYRE_OK || (status == GYRE_EDEVICE && told)) return;
    /* a file's or folder's open says it with its own words, and the code of files */
    if (status == GYRE_EIO && strstr(said, "Cannot allocate memory") != NULL) return;
    fail_msg("%s, request %ld: code %d, %s", what, k, (int)status, said);
}

/* ---- configs */

static const char staged[] =
    "{\"data\": {\"path\": \"d.h5\", \"validation\": {\"split\": 0.5}}, // comment\n"
    " \"model\": {\"name\": \"lenet\", \"freeze\": [\"a\", \"b\"]}, \"batch\": {\"size\": 64},\n"
    " \"schedule\": {\"max_lr\": 0.1, \"cycles\": 1, \"warmup\": {\"steps\": 9, \"from\": 0.01},\n"
    "   \"momentum\": {\"min\": 0.8, \"max\": 0.9},\n"
    "   \"stages\": [{\"length\": {\"epochs\": 1}, \"base_lr\": 0.01, \"cycles\": 2},\n"
    "     {\"length\": {\"steps\": 9}, \"policy\": \"multistep\", \"milestones\": {\"steps\": [3, "
    "5]}}]\n"
    " }}";
static char extension[] =
    "{\"length\": {\"steps\": 5}, \"policy\": \"constant\", \"base_lr\": 0.1}";

static gyre_status use_config(char *set, char **text) {
    gyre_settings *s = NULL;
    uint64_t hash = 0;
    gyre_status status = GYRE_OK;
    GYRE_TRY(gyre_config_open(file.path, &set, 1, &s));
    GYRE_GOTO(gyre_config_hash(s, &hash));
    GYRE_GOTO(gyre_config_extend(s, extension));
    GYRE_GOTO(gyre_config_compare(s, s));
    GYRE_GOTO(gyre_config_print(s, text));
out:
    gyre_config_close(s);
    return status;
}

static void configs(void **state) {
    (void)state;
    char set[] = "optimizer.momentum=0.95", name[] = "output.dir=elsewhere",
         milestones[] = "schedule.milestones.epochs=[1,2]";
    char *sets[] = {set, name, milestones};
    FILE *f = fopen(file.path, "w");
    assert_true(f != NULL && fputs(staged, f) >= 0 && fclose(f) == 0);
    for (int i = 0; i < 6; i++) {
        bool failed = true;
        char *expected = NULL;
        assert_int_equal(use_config(sets[i / 2], &expected), GYRE_OK);
        for (long k = 1; failed; k++) {
            char *text = NULL;
            oom_begin(k, i % 2 == 1);
            gyre_status status = use_config(sets[i / 2], &text);
            if (text != NULL && strcmp(text, expected) != 0) fail_msg("request %ld: %s", k, text);
            free(text);
            oom_result r = oom_end();
            check("config", k, status, r);
            failed = r.failed;
        }
        free(expected);
    }
}

/* ---- networks by ONNX */

static gyre_status use_onnx(const char *path, float *sum) {
    gyre_onnx *o = NULL;
    gyre_status status = gyre_onnx_open(path, &o);
    for (int i = 0; status == GYRE_OK && i < o->weight_count; i++) {
        float numbers[4096];
        assert_true(o->weights[i].count <= 4096);
        status = gyre_onnx_read(o, &o->weights[i], numbers);
        for (size_t k = 0; status == GYRE_OK && k < o->weights[i].count; k++) *sum += numbers[k];
    }
    gyre_onnx_close(o);
    return status;
}

static void networks_by_onnx(void **state) {
    static const char *const paths[] = {"tests/data/onnx/table.preserve.onnx",
                                        "tests/data/onnx/table.dynamo_training.onnx"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        float expected = 0;
        bool failed = true;
        assert_int_equal(use_onnx(paths[i], &expected), GYRE_OK);
        for (long k = 1; failed; k++) {
            float sum = 0;
            oom_begin(k, i == 1);
            gyre_status status = use_onnx(paths[i], &sum);
            oom_result r = oom_end();
            if (status == GYRE_OK && sum != expected) fail_msg("%s, request %ld", paths[i], k);
            check("ONNX", k, status, r);
            failed = r.failed;
        }
    }
}

/* ---- networks by a config.json */

static gyre_status use_unet(char *config, char **nodes, char **printed) {
    const gyre_model_settings settings = {.unet = config};
    gyre_model *m = NULL;
    gyre_status status = gyre_model_open(&settings, 16, 16, 4, 3, &m);
    if (status == GYRE_OK) status = gyre_model_print(m, nodes);
    if (status == GYRE_OK) status = gyre_model_unet(m, printed);
    gyre_model_close(m);
    return status;
}

static void networks_by_unet(void **state) {
    (void)state;
    char config[4096] = {0}, *expected[2] = {NULL};
    bool failed = true;
    FILE *f = fopen("tests/data/unet/conditional.json", "r");
    assert_non_null(f);
    assert_in_range(fread(config, 1, sizeof config - 1, f), 1, sizeof config - 2);
    fclose(f);
    assert_int_equal(use_unet(config, &expected[0], &expected[1]), GYRE_OK);
    assert_non_null(expected[1]);
    for (long k = 1; failed; k += 7) { /* of thousands */
        char *got[2] = {NULL};
        oom_begin(k, k % 2 == 0);
        gyre_status status = use_unet(config, &got[0], &got[1]);
        for (int i = 0; i < 2; i++) {
            bool same = got[i] != NULL && strcmp(got[i], expected[i]) == 0;
            if (status == GYRE_OK && !same) fail_msg("request %ld", k);
            free(got[i]);
        }
        oom_result r = oom_end();
        check("config.json", k, status, r);
        failed = r.failed;
    }
    free(expected[0]);
    free(expected[1]);
}

/* ---- runs */

static const char training[] =
    "{\"data\": {\"path\": \"%s\", \"validation\": {\"split\": 0.2}, \"augment\": {\"mirror\": "
    "true}},\n"
    " \"model\": {\"name\": \"small_cnn\"}, \"batch\": {\"size\": 16, \"shards\": 2}, \"threads\": "
    "2,\n"
    " \"schedule\": {\"max_lr\": 0.01, \"cycles\": 1}, \"length\": {\"steps\": 5},\n"
    " \"average\": {\"kind\": \"ema\"}, \"evaluate\": {\"every\": {\"steps\": 2}},\n"
    " \"checkpoint\": {\"every\": {\"steps\": 2}, \"best\": true, \"keep\": 2}}";

static gyre_settings *open_settings(void) {
    gyre_settings *s = NULL;
    char text[1000];
    snprintf(text, sizeof text, training, in_scratch("data.h5"));
    if (config_open_bytes(&file, text, strlen(text), NULL, &s) != GYRE_OK) {
        fail_msg("%s", gyre_error_text());
    }
    return s;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *place) {
    (void)st;
    (void)kind;
    (void)place;
    return remove(path);
}

static void empty(const char *folder) {
    nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS); /* it need not be there */
}

/* The numbers that a run leaves: parameters, and the rows of its tables without their times. */
typedef struct {
    uint64_t hash;
    gyre_tables tables;
} outcome;

static outcome outcome_of(const char *folder) {
    outcome o = {0};
    char path[300];
    snprintf(path, sizeof path, "%s/metrics.h5", folder);
    if (gyre_newest_hash(folder, &o.hash) != GYRE_OK ||
        gyre_tables_read(path, &o.tables) != GYRE_OK) {
        fail_msg("%s", gyre_error_text());
    }
    return o;
}

static bool same(const outcome *a, const outcome *b) {
    const gyre_tables *x = &a->tables, *y = &b->tables;
    bool equal = a->hash == b->hash && x->train_count == y->train_count &&
                 x->validation_count == y->validation_count && x->cycle_count == y->cycle_count;
    for (size_t i = 0; equal && i < x->train_count; i++) {
        equal = x->train[i].step == y->train[i].step && x->train[i].loss == y->train[i].loss;
    }
    for (size_t i = 0; equal && i < x->validation_count; i++) {
        equal = x->validation[i].step == y->validation[i].step &&
                x->validation[i].loss == y->validation[i].loss;
    }
    return equal;
}

static void expect_outcome(const char *what, long k, const char *folder, const outcome *expected) {
    outcome o = outcome_of(folder);
    bool equal = same(&o, expected);
    gyre_tables_free(&o.tables);
    if (!equal) fail_msg("%s, request %ld: another run", what, k);
}

/* Runs, or resumes after two updates, with each k or (but with OOM=all) every stride-th failing. */
static void fail_each(const char *what, bool resumed, long stride, bool on) {
    const char *wish = getenv("OOM");
    if (wish != NULL && strcmp(wish, "all") == 0) stride = 1;
    gyre_settings *s = open_settings();
    const char *whole = in_scratch("whole"), *folder = in_scratch("run");
    gyre_train_options options = {.out = whole, .quiet = true};
    gyre_status begun = gyre_train(s, &options, comm);
    if (begun != GYRE_OK) fail_msg("%s", gyre_error_text());
    outcome expected = outcome_of(whole);
    bool failed = true;
    for (long k = 1; failed; k += stride) {
        options = (gyre_train_options){.out = folder, .quiet = true, .stop_after = 2};
        empty(folder);
        if (resumed) assert_int_equal(gyre_train(s, &options, comm), GYRE_OK);
        options.stop_after = 0;
        oom_begin(k, on);
        gyre_status status = gyre_train(s, &options, comm);
        oom_result r = oom_end();
        check(what, k, status, r);
        failed = r.failed;
        if (status != GYRE_OK && access(folder, F_OK) == 0) {
            status = gyre_train(s, &options, comm);
            if (status != GYRE_OK) fail_msg("%s, request %ld: %s", what, k, gyre_error_text());
        }
        if (status == GYRE_OK) expect_outcome(what, k, folder, &expected);
    }
    gyre_tables_free(&expected.tables);
    gyre_config_close(s);
}

static void fresh_runs(void **state) {
    (void)state;
    fail_each("a fresh run", false, 3, false);
}

static void fresh_runs_without_any(void **state) {
    (void)state;
    fail_each("a fresh run without memory", false, 37, true);
}

static void resumes(void **state) {
    (void)state;
    fail_each("a resume", true, 11, false);
}

/* ---- studies */

/* Into its folder, and back. */
static gyre_status use_study(gyre_study *s, const char *folder) {
    gyre_study *back = NULL;
    gyre_cell_result result;
    GYRE_TRY(study_folder_claim(s, folder));
    GYRE_TRY(gyre_study_result(s, 0, 0, &result));
    gyre_status status = gyre_study_read(folder, &back);
    gyre_study_close(back);
    return status;
}

static void studies(void **state) {
    (void)state;
    char text[1200], path[64], folder[64];
    gyre_study *s = NULL;
    int used = snprintf(text, sizeof text,
                        "{\"seeds\": 1, \"cycles\": [1], \"controls\": false, \"base\": ");
    used += snprintf(text + used, sizeof text - (size_t)used, training, in_scratch("data.h5"));
    snprintf(text + used, sizeof text - (size_t)used, "}");
    snprintf(path, sizeof path, "%s", in_scratch("study.json"));
    snprintf(folder, sizeof folder, "%s", in_scratch("results"));
    assert_int_equal(gyre_file_write_atomic(path, text, strlen(text)), GYRE_OK);
    if (gyre_study_open(path, &s) != GYRE_OK) fail_msg("%s", gyre_error_text());
    bool failed = true;
    for (long k = 1; failed; k++) {
        oom_begin(k, false);
        gyre_status status = use_study(s, folder);
        free(s->folder);
        s->folder = NULL;
        oom_result r = oom_end();
        check("study", k, status, r);
        failed = r.failed;
    }
    assert_int_equal(use_study(s, folder), GYRE_OK);
    gyre_study_close(s);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configs),
        cmocka_unit_test(networks_by_onnx),
        cmocka_unit_test(networks_by_unet),
        cmocka_unit_test(fresh_runs),
        cmocka_unit_test(fresh_runs_without_any),
        cmocka_unit_test(resumes),
        cmocka_unit_test(studies),
    };
    gyre_log_mute(true);
    if (access("/dev/shm", W_OK) == 0) { /* where fsync costs nothing */
        snprintf(scratch, sizeof scratch, "/dev/shm/gyre-XXXXXX");
    }
    if (gyre_comm_open(&argc, &argv, &comm) != GYRE_OK || mkdtemp(scratch) == NULL) return 1;
    if (config_file_make(&file) != 0) return 1;
    gyre_images images = make_images(60, 8, 8, 1, 10, 1);
    gyre_dataset_content content = {.train = images, .classes = 10};
    if (gyre_dataset_write(in_scratch("data.h5"), &content, true) != GYRE_OK) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    free_images(&images);
    unlink(file.path);
    remove_scratch();
    gyre_comm_close(comm);
    return failed;
}
