/* Configs: the table of fields is sane, what is read can be printed and read again to the bit, and
 * the hash follows exactly the fields that decide a run's arithmetic. */
#include "../../src/config/fields.h"
#include "config_rig.h"
#include "gyre/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static gyre_settings *read_text(const char *text, char *set, char *set2) {
    char *sets[] = {set, set2};
    gyre_settings *s;
    if (config_open_bytes(&file, text, strlen(text), NULL, &s) != GYRE_OK) {
        fail_msg("%s", gyre_error_text());
    }
    gyre_config_close(s);
    if (gyre_config_open(file.path, sets, (set != NULL) + (set2 != NULL), &s) != GYRE_OK) {
        fail_msg("%s", gyre_error_text());
    }
    return s;
}

static void table_is_sane(void **state) {
    (void)state;
    size_t count = 0;
    for (const config_field *f = config_fields; f->path != NULL; f++, count++) {
        assert_ptr_equal(config_field_find(f->path), f); /* paths are unique */
        assert_true(f->min <= f->max);
        assert_true(strlen(f->help) > 10 && f->help[strlen(f->help) - 1] == '.');
        if (f->fallback == NULL) continue;
        gyre_settings *s = calloc(1, sizeof *s);
        s->schedule.warmup.unit = GYRE_UNIT_STEPS; /* warmup.from is echoed only then */
        cJSON *value = NULL, *want = cJSON_Parse(f->fallback);
        if (config_field_reset(f, s) != GYRE_OK) fail_msg("%s", gyre_error_text());
        assert_int_equal(config_field_get(f, s, &value), GYRE_OK);
        /* left out while they are usual */
        const bool unused = strncmp(f->path, "denoise.", 8) == 0 ||
                            strncmp(f->path, "average.", 8) == 0 ||
                            strncmp(f->path, "sample.", 7) == 0 ||
                            strcmp(f->path, "model.init_weights") == 0;
        if (unused != (value == NULL)) fail_msg("%s: its default is echoed or not", f->path);
        char *text = unused ? strdup(f->fallback) : cJSON_PrintUnformatted(value);
        cJSON *got = cJSON_Parse(text); /* raw numbers become numbers */
        if (!cJSON_Compare(want, got, true)) fail_msg("%s: default came back as %s", f->path, text);
        free(text);
        cJSON_Delete(value), cJSON_Delete(want), cJSON_Delete(got);
        gyre_config_close(s);
    }
    assert_in_range(count, 60, CONFIG_FIELDS_MAX - 1);
    for (int i = 0; config_aliases[i][0] != NULL; i++) {
        assert_non_null(config_field_find(config_aliases[i][0]));
    }
}

static void defaults_are_as_documented(void **state) {
    (void)state;
    gyre_settings *s = read_text("{\"batch\": {\"size\": 128}}", NULL, NULL);
    assert_int_equal(s->shards, 4);
    assert_true(s->seed == 1 && s->optimizer.momentum == 0.9 && s->schedule.peak_decay == 1);
    assert_true(s->schedule.pct_start == 0.3 && s->schedule.final_div_factor == 1e4);
    assert_true(s->schedule.cycles == 0 && !s->schedule.cycle_momentum);
    assert_int_equal(s->length.unit, GYRE_UNIT_NONE);
    assert_int_equal(s->verify_replicas, 100);
    assert_string_equal(s->dir, "/tmp");
    assert_true(s->optimizer.eps == 1e-8 && s->optimizer.rms_decay == 0.99); /* Caffe's, too */
    assert_int_equal(gyre_config_require(s), GYRE_EUSAGE);
    gyre_config_close(s);
    assert_int_equal(gyre_default_shards(100), 2);
    assert_int_equal(gyre_default_shards(4), 1);
    assert_int_equal(gyre_default_small_shards(4), 4);
    assert_int_equal(gyre_default_small_shards(24), 8);
    assert_int_equal(gyre_default_small_shards(9), 1);
    assert_int_equal(gyre_default_shards(4096), 8);
}

/* A valid value of the field, in JSON; for reals bits that 15 digits do not hold. */
/* schedule_free is not chosen alone. */
static const char *next_choice(const char *choice) {
    const char *bar = strchr(choice, '|');
    return bar == NULL || strcmp(bar, "|schedule_free") == 0 ? NULL : bar + 1;
}

static void random_value(const config_field *f, gyre_random *r, char *out, size_t size) {
    double u = gyre_random_uniform(r), top = f->max > 1e6 ? 1e6 : f->max;
    uint32_t pick = gyre_random_u32(r);
    const char *choice = f->choices;
    switch (f->kind) {
    case FIELD_FLAG: snprintf(out, size, "%s", pick % 2 ? "true" : "false"); break;
    case FIELD_SWITCH: snprintf(out, size, "%s", pick % 2 ? "true" : "\"alternate\""); break;
    case FIELD_INTEGER:
    case FIELD_STEPS: snprintf(out, size, "%.0f", f->min + floor(u * (top - f->min))); break;
    case FIELD_SEED: snprintf(out, size, "%llu", gyre_random_u64(r) >> 11 & ~1ULL); break;
    case FIELD_REAL: snprintf(out, size, "%.17g", f->min + u * (top - f->min)); break;
    case FIELD_RATE:
        if (pick % 8 == 0)
            snprintf(out, size, "\"find\"");
        else
            snprintf(out, size, "%.17g", u * top);
        break;
    case FIELD_TEXT: snprintf(out, size, "\"a \\\"%x\\\" \\u00e9/%x\"", pick, pick); break;
    case FIELD_GROUPS:
        snprintf(out, size,
                 "[{\"match\": \"b%u\", \"lr_mult\": %.17g}, {\"match\": \"a|b\", "
                 "\"decay_mult\": 0, \"until\": {\"%s\": %u}}]",
                 pick % 9, u, pick % 2 ? "steps" : "epochs", 1 + pick % 7);
        break;
    case FIELD_NETWORK:
        snprintf(out, size, "[{\"name\": \"n%u\", \"type\": \"relu\"}]", pick % 9);
        break;
    case FIELD_UNET: snprintf(out, size, "{\"dropout\": %.17g, \"a\": [1, \"b\"]}", u); break;
    case FIELD_NAMES: snprintf(out, size, "[\"layer%u\", \"b.c\"]", pick % 9); break;
    case FIELD_CHOICE:
    case FIELD_SIDE:
        for (pick %= 12; pick > 0 && next_choice(choice) != NULL; pick--)
            choice = next_choice(choice);
        snprintf(out, size, "\"%.*s\"", (int)strcspn(choice, "|"), choice);
        break;
    case FIELD_LENGTH:
        if (pick % 2)
            snprintf(out, size, "{\"steps\": %.0f}", 1 + floor(u * 1e6));
        else
            snprintf(out, size, "{\"%s\": %.17g}", f->units & UNIT_MINUTES ? "minutes" : "epochs",
                     0.1 + u);
        break;
    case FIELD_WEIGHTS: snprintf(out, size, "[%.17g, 0, 1e6]", u); break;
    case FIELD_VALIDATION: snprintf(out, size, "{\"split\": %.17g}", 0.01 + 0.9 * u); break;
    case FIELD_NORMALIZE:
        snprintf(out, size, "{\"mean\": [%.17g, 0, 1], \"std\": [%.17g, 1, 1e-6]}", u,
                 0.01 + 0.9 * u);
        break;
    case FIELD_MILESTONES:
        snprintf(out, size, "{\"epochs\": [%.17g, %.17g]}", u + 0.1, u + 1);
        break;
    case FIELD_STAGES:
        snprintf(out, size,
                 "[{\"length\": {\"steps\": %u}, \"gamma\": %.17g},"
                 " {\"length\": {\"cycles\": 2}, \"policy\": \"triangular2\", \"stepsize\": null}]",
                 1 + pick % 100, 0.01 + 0.9 * u);
        break;
    }
}

/* Cannot be chosen alone; the pairs are given together. */
static bool hangs_together(const config_field *f) {
    static const char *const paths[] = {
        "precision", "data.augment.resized_crop.size", "data.augment.resized_crop.min_scale",
        "data.augment.resized_crop.max_scale", "model.name", "model.file", "model.config",
        "model.init", "batch.size", "batch.shards", "optimizer.name", "optimizer.nesterov",
        "optimizer.lr_in_momentum", "optimizer.schedule_free", "schedule.momentum.min",
        "schedule.momentum.max", "schedule.warmup.from", "optimizer.decoupled"};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        if (strcmp(f->path, paths[i]) == 0) return true;
    }
    return false;
}

/* Both settings have the same bits in every number. */
static void assert_same_numbers(const gyre_settings *a, const gyre_settings *b) {
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        const char *x = (const char *)a + f->offset, *y = (const char *)b + f->offset;
        if (f->kind == FIELD_REAL && memcmp(x, y, sizeof(double)) != 0) fail_msg("%s", f->path);
        if (f->kind == FIELD_LENGTH &&
            memcmp(x + offsetof(gyre_length, value), y + offsetof(gyre_length, value), 8) != 0) {
            fail_msg("%s", f->path);
        }
    }
    assert_true(a->seed == b->seed && a->data.split == b->data.split);
    assert_memory_equal(&a->data.given, &b->data.given, sizeof a->data.given);
    assert_int_equal(a->schedule.stage_count, b->schedule.stage_count);
    for (int i = 0; i < a->schedule.stage_count; i++) {
        const gyre_schedule_settings *s = &a->schedule.stages[i].schedule;
        const gyre_schedule_settings *t = &b->schedule.stages[i].schedule;
        assert_true(s->gamma == t->gamma && s->peak_decay == t->peak_decay);
        assert_true(s->cycles == t->cycles && s->stepsize.unit == t->stepsize.unit);
        assert_true(s->momentum_max == t->momentum_max && s->warmup.unit == t->warmup.unit);
    }
}

static void echo_reads_back_to_the_bit(void **state) {
    (void)state;
    for (uint64_t round = 0; round < 150; round++) {
        gyre_random r = gyre_random_open(1, GYRE_RANDOM_TEST, round, 0);
        gyre_settings *s =
            read_text("{\"batch\": {\"size\": 96, \"shards\": 8},"
                      " \"schedule\": {\"momentum\": {\"min\": 0.81, \"max\": 0.9}}}",
                      NULL, NULL);
        for (const config_field *f = config_fields; f->path != NULL; f++) {
            char value[400], set[500], *echo;
            if (hangs_together(f) || gyre_random_u32(&r) % 2 == 0) continue;
            random_value(f, &r, value, sizeof value);
            snprintf(set, sizeof set, "%s=%s", f->path, value);
            assert_int_equal(gyre_config_print(s, &echo), GYRE_OK);
            gyre_config_close(s);
            s = read_text(echo, set, NULL);
            free(echo);
        }
        char *echo, *again;
        assert_int_equal(gyre_config_print(s, &echo), GYRE_OK);
        gyre_settings *back = read_text(echo, NULL, NULL);
        assert_int_equal(gyre_config_print(back, &again), GYRE_OK);
        assert_string_equal(echo, again);
        assert_same_numbers(s, back);
        assert_true(config_hash(s) == config_hash(back));
        if (gyre_config_compare(s, back) != GYRE_OK) fail_msg("%s", gyre_error_text());
        free(echo);
        free(again);
        gyre_config_close(s);
        gyre_config_close(back);
    }
}

static const char base[] =
    "{\"data\": {\"path\": \"d.h5\"}, \"model\": {\"name\": \"lenet\"},\n"
    " \"batch\": {\"size\": 64, \"shards\": 2}, \"length\": {\"epochs\": 2},\n"
    " \"average\": {\"kind\": \"ema\", \"beside\": {\"swa\": true, \"minima\": true}},\n"
    " \"schedule\": {\"max_lr\": 0.1, \"cycles\": 2, \"warmup\": {\"steps\": 9},\n"
    "                \"momentum\": {\"min\": 0.8, \"max\": 0.9}}}";

/* Another valid value than the one in `s`. */
static void other_value(const config_field *f, const gyre_settings *s, char *out, size_t size) {
    static const char *const others[][2] = {{"batch.shards", "4"},
                                            {"batch.size", "128"},
                                            {"schedule.momentum.min", "0.85"},
                                            {"schedule.momentum.max", "0.95"},
                                            {"schedule.warmup.from", "0.01"}};
    cJSON *now = NULL;
    assert_int_equal(config_field_get(f, s, &now), GYRE_OK);
    char *text = now != NULL ? cJSON_PrintUnformatted(now)
                             : strdup(f->fallback == NULL ? "nothing" : f->fallback);
    for (uint64_t i = 0;; i++) {
        gyre_random r = gyre_random_open(2, GYRE_RANDOM_TEST, (uint64_t)f->offset, i);
        random_value(f, &r, out, size);
        if (strcmp(out, text) != 0) break;
    }
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        if (strcmp(f->path, others[i][0]) == 0) snprintf(out, size, "%s", others[i][1]);
    }
    cJSON_Delete(now);
    free(text);
}

static void hash_follows_arithmetic_fields(void **state) {
    (void)state;
    gyre_settings *s = read_text(base, NULL, NULL);
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        char value[400], set[500];
        other_value(f, s, value, sizeof value);
        if (strcmp(f->path, "optimizer.name") == 0) /* the base cycles a momentum */
            snprintf(value, sizeof value, "\"adam\"");
        snprintf(set, sizeof set, "%s=%s", f->path, value);
        if (strcmp(f->path, "optimizer.schedule_free") == 0) continue;
        if (strcmp(f->path, "model.file") == 0) continue; /* its content takes its place */
        const bool network = f->kind == FIELD_NETWORK || f->kind == FIELD_UNET;
        char *other = network ? "model.name=null" : NULL;
        gyre_settings *now = read_text(base, set, other);
        bool arithmetic = f->tag == GYRE_FIELD_ARITHMETIC;
        if ((config_hash(s) != config_hash(now)) != arithmetic) fail_msg("hash: %s", set);
        if ((gyre_config_compare(s, now) != GYRE_OK) != arithmetic) fail_msg("compare: %s", set);
        if (arithmetic && strstr(gyre_error_text(), f->path) == NULL) {
            fail_msg("%s is not in '%s'", f->path, gyre_error_text());
        }
        gyre_config_close(now);
    }
    gyre_config_close(s);
}

/* Runs begun before there were averages resume: a config without one is what it was. */
static void no_average_is_no_key(void **state) {
    (void)state;
    gyre_settings *s = read_text(base, NULL, NULL), *none = read_text(base, "average=null", NULL);
    gyre_settings *unread = read_text(base, "average=null", "average.decay=0.5");
    gyre_settings *ema = read_text(base, "average.beside=null", "average.statistics=7");
    char *text = NULL;
    assert_int_equal(gyre_config_print(none, &text), GYRE_OK);
    assert_null(strstr(text, "average"));
    free(text);
    assert_true(config_hash(none) == config_hash(unread) && config_hash(none) != config_hash(s));
    assert_int_equal(gyre_config_print(s, &text), GYRE_OK);
    assert_non_null(strstr(text, "\"decay\":\t0.9999"));
    assert_non_null(strstr(text, "\"statistics\":\t4096"));
    free(text);
    assert_int_equal(gyre_config_print(ema, &text), GYRE_OK);
    assert_true(strstr(text, "\"decay\":\t0.9999") != NULL && strstr(text, "statistics") == NULL);
    free(text);
    gyre_config_close(ema);
    gyre_config_close(s);
    gyre_config_close(none);
    gyre_config_close(unread);
}

static void comparison_says_both_values(void **state) {
    (void)state;
    gyre_settings *a = read_text(base, NULL, NULL);
    gyre_settings *b = read_text(base, "optimizer.momentum=0.95", "schedule.cycles=null");
    assert_int_equal(gyre_config_compare(a, b), GYRE_EUSAGE);
    const char *said = gyre_error_text();
    assert_non_null(strstr(said, "optimizer.momentum: run has 0.9, config has 0.95"));
    assert_non_null(strstr(said, "schedule.cycles: run has 2, config has nothing"));
    char list[GYRE_ERROR_MAX];
    assert_int_equal(gyre_config_list_differences(a, b, list, sizeof list), GYRE_OK);
    assert_string_equal(list, "optimizer.momentum: run has 0.9, config has 0.95; "
                              "schedule.cycles: run has 2, config has nothing");
    assert_int_equal(gyre_config_list_differences(a, a, list, sizeof list), GYRE_OK);
    assert_string_equal(list, "");
    gyre_config_close(a);
    gyre_config_close(b);
}

static void sets_override(void **state) {
    (void)state;
    gyre_settings *s = read_text(base, "length.steps=70", "schedule.cycles=null");
    assert_true(s->length.unit == GYRE_UNIT_STEPS && s->length.value == 70);
    assert_true(s->schedule.cycles == 0);
    gyre_config_close(s);
    s = read_text(base, "model.name=2024", "schedule={\"max_lr\": 0.3}"); /* merged, not replaced */
    assert_string_equal(s->model.name, "2024");
    assert_true(s->schedule.max_lr == 0.3 && s->schedule.cycles == 2);
    gyre_config_close(s);
    s = read_text(base, "schedule.policy=triangular2", "data.validation.split=0.25");
    assert_true(s->schedule.policy == GYRE_POLICY_TRIANGULAR2 && s->schedule.peak_decay == 0.5);
    assert_true(s->data.validation == GYRE_VALIDATION_SPLIT && s->data.split == 0.25);
    gyre_config_close(s);
    char *given = "data.augment.normalize={\"std\": [0.5, 0.25], \"mean\": [0.4, 0]}";
    s = read_text(base, "data.augment.normalize=raw", given);
    assert_true(s->data.normalize == GYRE_NORMALIZE_GIVEN && s->data.given.channels == 2);
    assert_true(s->data.given.mean[0] == 0.4 && s->data.given.std[1] == 0.25);
    gyre_config_close(s);
    s = read_text(base, given, "data.augment.normalize=mean_image");
    assert_int_equal(s->data.normalize, GYRE_NORMALIZE_MEAN_IMAGE);
    gyre_config_close(s);
    s = read_text(base, "schedule.momentum=null", "schedule.warmup.from=0.5");
    assert_true(!s->schedule.cycle_momentum && s->schedule.warmup_from == 0.5);
    assert_true(s->schedule.warmup.unit == GYRE_UNIT_STEPS && s->schedule.warmup.value == 9);
    gyre_config_close(s);
}

static void each_rule_has_its_momentum(void **state) {
    (void)state;
    static const struct {
        const char *name;
        double momentum; /* that of sgd and adadelta is 0.5, beta1 0.7 */
    } cases[] = {{"sgd", 0.5},      {"adam", 0.7},  {"adamw", 0.7},
                 {"adadelta", 0.5}, {"rmsprop", 0}, {"adagrad", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char set[64];
        snprintf(set, sizeof set, "optimizer.name=%s", cases[i].name);
        gyre_settings *s =
            read_text("{\"optimizer\": {\"momentum\": 0.5, \"beta1\": 0.7}}", set, NULL);
        assert_true(gyre_config_momentum(&s->optimizer) == cases[i].momentum);
        gyre_config_close(s);
    }
}

static void stages_inherit(void **state) {
    (void)state;
    gyre_settings *s =
        read_text(base,
                  "schedule.stages=[{\"length\": {\"steps\": 40}, \"max_lr\": 0.5},"
                  " {\"length\": {\"cycles\": 2}, \"stepsize\": {\"steps\": 5}, \"policy\": "
                  "\"triangular2\"}]",
                  "schedule.base_lr=0.25"); /* given later, and yet the stages have it */
    assert_int_equal(s->schedule.stage_count, 2);
    const gyre_schedule_settings *one = &s->schedule.stages[0].schedule;
    const gyre_schedule_settings *two = &s->schedule.stages[1].schedule;
    assert_true(one->max_lr == 0.5 && one->cycles == 2 && one->base_lr == 0.25);
    assert_true(one->warmup.value == 9 && two->warmup.unit == GYRE_UNIT_NONE);
    assert_true(two->max_lr == 0.1 && two->cycles == 0 && two->stepsize.value == 5);
    assert_true(two->peak_decay == 0.5 && one->peak_decay == 1 && two->momentum_max == 0.9);
    assert_int_equal(s->schedule.stages[1].length.unit, GYRE_UNIT_CYCLES);
    gyre_config_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sane),
        cmocka_unit_test(defaults_are_as_documented),
        cmocka_unit_test(echo_reads_back_to_the_bit),
        cmocka_unit_test(hash_follows_arithmetic_fields),
        cmocka_unit_test(no_average_is_no_key),
        cmocka_unit_test(comparison_says_both_values),
        cmocka_unit_test(sets_override),
        cmocka_unit_test(each_rule_has_its_momentum),
        cmocka_unit_test(stages_inherit),
    };
    return cmocka_run_group_tests(tests, make_config_file, remove_config_file);
}
