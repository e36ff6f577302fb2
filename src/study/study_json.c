/* study.json: a resolved study as text, and back. */
#include "study_json.h"

#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/json.h"
#include "gyre/run.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STUDY_FORMAT = 1 };

char *study_file_path(const char *folder) {
    return gyre_path_join(folder, GYRE_STUDY_FILE);
}

/* ---- writing */

static void add_hash(gyre_json *j, const char *key, uint64_t hash) {
    char text[24];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)hash);
    gyre_json_add_text(j, key, text);
}

static gyre_status add_config(gyre_json *j, const gyre_settings *settings) {
    char *text = NULL;
    gyre_json_value *config = NULL;
    GYRE_TRY(gyre_config_print(settings, &text));
    gyre_status status = gyre_json_parse(text, "study.json", &config);
    if (status == GYRE_OK) gyre_json_add_value(j, "config", config);
    gyre_json_close(config);
    free(text);
    return status;
}

static gyre_status add_arm(gyre_json *j, const gyre_study_arm *a) {
    gyre_json_enter_object(j, NULL);
    gyre_json_add_text(j, "name", a->name);
    gyre_json_add_text(j, "sentence", a->sentence);
    gyre_json_add_flag(j, "control", a->control);
    gyre_json_add_integer(j, "group", a->group);
    add_hash(j, "data_hash", a->data_hash);
    if (a->init_hash != 0) add_hash(j, "init_hash", a->init_hash);
    gyre_status status = add_config(j, a->settings);
    gyre_json_leave(j);
    return status;
}

static gyre_status add_arms(gyre_json *j, const gyre_study *s) {
    gyre_status status = GYRE_OK;
    gyre_json_enter_list(j, "arms");
    for (int i = 0; i < s->arm_count && status == GYRE_OK; i++) status = add_arm(j, &s->arms[i]);
    gyre_json_leave(j);
    return status;
}

gyre_status study_print(const gyre_study *s, gyre_json_value **out) {
    gyre_json *j = gyre_json_begin();
    gyre_json_add_integer(j, "format", STUDY_FORMAT);
    gyre_json_add_text(j, "name", s->name);
    gyre_json_enter_list(j, "seeds");
    for (int i = 0; i < s->seed_count; i++) gyre_json_add_number(j, NULL, (double)s->seeds[i]);
    gyre_json_leave(j);
    gyre_json_enter_list(j, "groups");
    for (int i = 0; i < s->group_count; i++) gyre_json_add_text(j, NULL, s->groups[i]);
    gyre_json_leave(j);
    gyre_json_add_integer(j, "budget_steps", s->budget_steps);
    gyre_json_add_integer(j, "evaluate_steps", s->evaluate_steps);
    gyre_json_add_number(j, "validation_split", s->validation_split);
    gyre_json_add_integer(j, "planned_arm", s->planned_arm);
    gyre_json_add_integer(j, "planned_control", s->planned_control);
    if (s->samples > 0) gyre_json_add_integer(j, "samples", s->samples);
    gyre_status status = add_arms(j, s);
    gyre_json_value *tree = gyre_json_end_value(j);
    if (status == GYRE_OK && tree == NULL) status = gyre_no_memory("study.json");
    if (status == GYRE_OK) *out = tree;
    if (status != GYRE_OK) gyre_json_close(tree);
    return status;
}

/* ---- reading */

static gyre_status damaged(const char *path, const char *key) {
    return gyre_fail(GYRE_EIO,
                     "'%s' is not what gyre writes into a study folder: %s; a study file is kept "
                     "elsewhere than in its --out",
                     path, key);
}

static int count_of(const gyre_json_value *list) {
    int count = 0;
    if (list == NULL || gyre_json_kind_of(list) != GYRE_JSON_LIST) return 0;
    for (const gyre_json_value *v = gyre_json_first(list); v != NULL; v = gyre_json_next(v)) {
        count++;
    }
    return count;
}

static gyre_status whole(const gyre_json_value *tree, const char *path, const char *key, double low,
                         double high, int64_t *out) {
    const gyre_json_value *v = gyre_json_get(tree, key);
    double x = v == NULL ? (double)NAN : gyre_json_number(v);
    if (!(x >= low && x <= high && x == floor(x))) return damaged(path, key);
    *out = (int64_t)x;
    return GYRE_OK;
}

/* The text `v`, which is of `key`. */
static gyre_status text(const gyre_json_value *v, const char *path, const char *key, char **out) {
    if (v == NULL || gyre_json_text(v) == NULL) return damaged(path, key);
    *out = strdup(gyre_json_text(v));
    return *out != NULL ? GYRE_OK : gyre_no_memory("study.json");
}

static gyre_status read_arm(const gyre_json_value *v, const char *path, int groups,
                            gyre_study_arm *a) {
    const gyre_json_value *control = gyre_json_get(v, "control");
    const gyre_json_value *hash = gyre_json_get(v, "data_hash");
    const gyre_json_value *init = gyre_json_get(v, "init_hash");
    int64_t group = 0;
    if (hash == NULL || gyre_json_text(hash) == NULL) return damaged(path, "data_hash");
    GYRE_TRY(text(gyre_json_get(v, "name"), path, "name", &a->name));
    GYRE_TRY(text(gyre_json_get(v, "sentence"), path, "sentence", &a->sentence));
    GYRE_TRY(whole(v, path, "group", 0, groups - 1, &group));
    a->group = (int)group;
    a->data_hash = strtoull(gyre_json_text(hash), NULL, 16);
    if (init != NULL && gyre_json_text(init) == NULL) return damaged(path, "init_hash");
    if (init != NULL) a->init_hash = strtoull(gyre_json_text(init), NULL, 16);
    a->control = control != NULL && gyre_json_is_true(control);
    return GYRE_OK;
}

static gyre_status read_lists(const gyre_json_value *tree, const char *path, gyre_study *s) {
    const gyre_json_value *seeds = gyre_json_get(tree, "seeds"), *v;
    const gyre_json_value *groups = gyre_json_get(tree, "groups");
    const gyre_json_value *arms = gyre_json_get(tree, "arms");
    int seed_count = count_of(seeds), group_count = count_of(groups), arm_count = count_of(arms);
    if (seed_count == 0 || group_count == 0 || arm_count == 0) {
        return damaged(path, "seeds, groups or arms");
    }
    s->seeds = calloc((size_t)seed_count, sizeof *s->seeds);
    s->groups = calloc((size_t)group_count, sizeof *s->groups);
    s->arms = calloc((size_t)arm_count, sizeof *s->arms);
    if (s->seeds == NULL || s->groups == NULL || s->arms == NULL)
        return gyre_no_memory("study.json");
    for (v = gyre_json_first(seeds); v != NULL; v = gyre_json_next(v)) {
        if (!(gyre_json_number(v) >= 0 && gyre_json_number(v) < 0x1p53)) {
            return damaged(path, "seeds");
        }
        s->seeds[s->seed_count++] = (uint64_t)gyre_json_number(v);
    }
    for (v = gyre_json_first(groups); v != NULL; v = gyre_json_next(v)) {
        GYRE_TRY(text(v, path, "groups", &s->groups[s->group_count++]));
    }
    for (v = gyre_json_first(arms); v != NULL; v = gyre_json_next(v)) {
        GYRE_TRY(read_arm(v, path, group_count, &s->arms[s->arm_count++]));
    }
    return GYRE_OK;
}

static gyre_status read_tree(const gyre_json_value *tree, const char *path, gyre_study *s) {
    const gyre_json_value *split = gyre_json_get(tree, "validation_split");
    int64_t format = 0, arm = -1, control = -1, samples = 0;
    GYRE_TRY(whole(tree, path, "format", STUDY_FORMAT, STUDY_FORMAT, &format));
    GYRE_TRY(text(gyre_json_get(tree, "name"), path, "name", &s->name));
    GYRE_TRY(read_lists(tree, path, s));
    GYRE_TRY(whole(tree, path, "budget_steps", 1, 0x1p53, &s->budget_steps));
    GYRE_TRY(whole(tree, path, "evaluate_steps", 1, 0x1p53, &s->evaluate_steps));
    GYRE_TRY(whole(tree, path, "planned_arm", -1, s->arm_count - 1, &arm));
    GYRE_TRY(whole(tree, path, "planned_control", -1, s->arm_count - 1, &control));
    if (gyre_json_get(tree, "samples") != NULL) {
        GYRE_TRY(whole(tree, path, "samples", 2, GYRE_GENERATED_MOST, &samples));
    }
    s->samples = (int)samples;
    s->planned_arm = (int)arm;
    s->planned_control = (int)control;
    s->validation_split = split == NULL ? (double)NAN : gyre_json_number(split);
    return GYRE_OK;
}

gyre_status gyre_study_read(const char *folder, gyre_study **out) {
    gyre_status status = GYRE_OK;
    gyre_json_value *tree = NULL;
    gyre_study *s = calloc(1, sizeof *s);
    char *path = study_file_path(folder);
    if (s != NULL) s->folder = strdup(folder);
    if (s == NULL || path == NULL || s->folder == NULL) {
        status = gyre_no_memory("study.json");
        goto out;
    }
    if (!gyre_file_exists(path)) {
        status = gyre_fail(GYRE_EIO,
                           "'%s' holds no study: '%s' is not there; give the folder that `gyre "
                           "study --out` wrote",
                           folder, path);
        goto out;
    }
    status = gyre_json_read(path, &tree);
    if (status == GYRE_EUSAGE) status = gyre_fail(GYRE_EIO, "%s", gyre_error_text());
    GYRE_GOTO(status);
    GYRE_GOTO(read_tree(tree, path, s));
    *out = s;
    s = NULL;
out:
    gyre_json_close(tree);
    gyre_study_close(s);
    free(path);
    return status;
}
