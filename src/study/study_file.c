/* The study file: its keys, what each may hold, and the base config that it names. */
#include "study_spec.h"

#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/names.h"
#include "gyre/run.h"
#include "gyre/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SEEDS_MAX = 10000, NAME_MAX_BYTES = 200 };

static const char *const keys[] = {"name",        "base",     "seeds",        "validation_split",
                                   "evaluations", "controls", "cycles",       "stepsize_epochs",
                                   "policies",    "arms",     "dataset_size", "planned",
                                   "max_cells",   "samples",  "features",     NULL};

gyre_status study_expected(const study_spec *p, const char *place, const char *expected,
                           const gyre_json_value *found) {
    char *text = found == NULL ? NULL : gyre_json_print(found, false);
    gyre_fail(GYRE_EUSAGE, "%s: %s: expected %s, found %.80s%s", p->path, place, expected,
              text == NULL ? "nothing" : text, text != NULL && strlen(text) > 80 ? "..." : "");
    free(text);
    return GYRE_EUSAGE;
}

static bool is_whole(const gyre_json_value *v, double low, double high) {
    double x = gyre_json_number(v);
    return x >= low && x <= high && x == floor(x);
}

gyre_status study_whole(const study_spec *p, const char *key, double low, double high,
                        int64_t fallback, int64_t *out) {
    const gyre_json_value *v = gyre_json_get(p->tree, key);
    char range[64];
    *out = fallback;
    if (v == NULL) return GYRE_OK;
    snprintf(range, sizeof range, "whole number %.0f..%.0f", low, high);
    if (!is_whole(v, low, high)) return study_expected(p, key, range, v);
    *out = (int64_t)gyre_json_number(v);
    return GYRE_OK;
}

static gyre_status check_keys(const study_spec *p) {
    if (gyre_json_kind_of(p->tree) != GYRE_JSON_OBJECT) {
        return gyre_fail(GYRE_EUSAGE, "%s: expected an object {...}", p->path);
    }
    for (const gyre_json_value *v = gyre_json_first(p->tree); v != NULL; v = gyre_json_next(v)) {
        bool known = false;
        for (int i = 0; keys[i] != NULL; i++) known = known || !strcmp(keys[i], gyre_json_key(v));
        if (known) continue;
        const char *nearest = gyre_name_nearest(gyre_json_key(v), keys);
        return gyre_fail(GYRE_EUSAGE, "%s: unknown key %.100s%s%s (docs/studies.md has all)",
                         p->path, gyre_json_key(v), nearest == NULL ? "" : "; the nearest is ",
                         nearest == NULL ? "" : nearest);
    }
    return GYRE_OK;
}

/* study.json and the report have it: whole characters that can be read. */
static gyre_status check_name(const study_spec *p, const char *name, bool of_file) {
    char shown[NAME_MAX_BYTES + 1];
    size_t visible = gyre_text_visible(name, shown, sizeof shown);
    if (name[0] != '\0' && visible == strlen(name) && visible <= NAME_MAX_BYTES) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%.300s: name: expected 1 to %d bytes of UTF-8 without control characters, "
                     "found %s '%.80s%s' (%zu bytes); give \"name\": \"...\" in the study file",
                     p->path, NAME_MAX_BYTES, of_file ? "in the file's name" : "text", shown,
                     strlen(shown) > 80 ? "..." : "", strlen(name));
}

/* "name", else the file's own without its ending. */
static gyre_status take_name(const study_spec *p, gyre_study *out) {
    const gyre_json_value *v = gyre_json_get(p->tree, "name");
    const char *slash = strrchr(p->path, '/'), *file = slash == NULL ? p->path : slash + 1;
    const char *text = v == NULL ? file : gyre_json_text(v);
    if (text == NULL) return study_expected(p, "name", "text", v);
    out->name = strndup(text, v == NULL ? strcspn(file, ".") : strlen(text));
    return out->name != NULL ? check_name(p, out->name, v == NULL) : gyre_no_memory("the study");
}

static gyre_status take_seeds(const study_spec *p, gyre_study *out) {
    static const char expected[] = "a number of seeds 1..10000, or a list of different ones";
    const gyre_json_value *v = gyre_json_get(p->tree, "seeds");
    bool list = v != NULL && gyre_json_kind_of(v) == GYRE_JSON_LIST;
    int64_t count = 0;
    if (list) {
        const gyre_json_value *s = gyre_json_first(v);
        for (; s != NULL; s = gyre_json_next(s)) count++;
    } else if (v != NULL && is_whole(v, 1, SEEDS_MAX)) {
        count = (int64_t)gyre_json_number(v);
    }
    if (count < 1 || count > SEEDS_MAX) return study_expected(p, "seeds", expected, v);
    out->seeds = calloc((size_t)count, sizeof *out->seeds);
    if (out->seeds == NULL) return gyre_no_memory("the study");
    const gyre_json_value *s = list ? gyre_json_first(v) : NULL;
    for (int i = 0; i < count; i++, s = list ? gyre_json_next(s) : NULL) {
        if (list && !is_whole(s, 0, 0x1p53 - 1)) return study_expected(p, "seeds", expected, v);
        out->seeds[i] = list ? (uint64_t)gyre_json_number(s) : (uint64_t)i + 1;
        for (int k = 0; k < i; k++) {
            if (out->seeds[k] == out->seeds[i]) return study_expected(p, "seeds", expected, v);
        }
    }
    out->seed_count = (int)count;
    return GYRE_OK;
}

static gyre_status read_base(study_spec *p) {
    const gyre_json_value *v = gyre_json_get(p->tree, "base");
    const char *name = v == NULL ? NULL : gyre_json_text(v);
    if (v != NULL && gyre_json_kind_of(v) == GYRE_JSON_OBJECT) {
        p->base = gyre_json_copy(v);
        p->base_path = strdup(p->path);
        return p->base != NULL && p->base_path != NULL ? GYRE_OK : gyre_no_memory("the study");
    }
    if (name == NULL) return study_expected(p, "base", "a config: its path, or {...}", v);
    char *dir = gyre_path_dir(p->path);
    if (dir != NULL) p->base_path = gyre_path_join(dir, name);
    free(dir);
    if (p->base_path == NULL) return gyre_no_memory("the study");
    return gyre_json_read(p->base_path, &p->base);
}

static bool is_open(double rate) {
    return rate == GYRE_RATE_FIND;
}

gyre_status study_check_rates(const char *where, const gyre_schedule_settings *s) {
    bool open = is_open(s->base_lr) || is_open(s->max_lr);
    for (int i = 0; i < s->stage_count; i++) {
        const gyre_schedule_settings *stage = &s->stages[i].schedule;
        open = open || is_open(stage->base_lr) || is_open(stage->max_lr);
    }
    if (!open) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%s: schedule: base_lr or max_lr is \"find\", but each cell of a study would "
                     "find other rates; run `gyre find CONFIG --write NEW.json` once, and take "
                     "NEW.json as base, or its numbers",
                     where);
}

/* The study's, else the base's own (0 for the dataset's validation part), else a tenth. */
static gyre_status take_split(const study_spec *p, gyre_study *out) {
    const gyre_json_value *v = gyre_json_get(p->tree, "validation_split");
    const gyre_data_settings *data = &p->settings->data;
    out->validation_split = data->validation == GYRE_VALIDATION_SPLIT  ? data->split
                            : data->validation == GYRE_VALIDATION_PART ? 0
                                                                       : 0.1;
    if (v == NULL) return GYRE_OK;
    out->validation_split = gyre_json_number(v);
    if (out->validation_split > 0 && out->validation_split < 1) return GYRE_OK;
    return study_expected(p, "validation_split", "number above 0 and below 1", v);
}

static gyre_status take_sizes(study_spec *p) {
    static const char expected[] = "a list of different numbers of images, each at least 1";
    const gyre_json_value *v = gyre_json_get(p->tree, "dataset_size");
    int count = v == NULL ? 1 : 0;
    bool list = v != NULL && gyre_json_kind_of(v) == GYRE_JSON_LIST;
    const gyre_json_value *first = list ? gyre_json_first(v) : NULL;
    for (const gyre_json_value *s = first; s != NULL; s = gyre_json_next(s)) count++;
    if (count == 0) return study_expected(p, "dataset_size", expected, v);
    p->sizes = calloc((size_t)count, sizeof *p->sizes);
    if (p->sizes == NULL) return gyre_no_memory("the study");
    for (const gyre_json_value *s = first; s != NULL; s = gyre_json_next(s)) {
        if (!is_whole(s, 1, 2147483647)) return study_expected(p, "dataset_size", expected, v);
        p->sizes[p->size_count++] = (int64_t)gyre_json_number(s);
    }
    p->size_count = count;
    return GYRE_OK;
}

/* What each cell makes at its end. */
static gyre_status take_samples(const study_spec *p, gyre_study *out) {
    const gyre_json_value *v = gyre_json_get(p->tree, "features");
    int64_t samples = 0;
    GYRE_TRY(study_whole(p, "samples", 2, GYRE_GENERATED_MOST, 0, &samples));
    out->samples = (int)samples;
    if (v == NULL) return GYRE_OK;
    if (gyre_json_text(v) == NULL || samples == 0) {
        return study_expected(p, "features", "a classifier's checkpoint, and \"samples\" beside it",
                              v);
    }
    char *dir = gyre_path_dir(p->path);
    if (dir != NULL) out->features = gyre_path_join(dir, gyre_json_text(v));
    free(dir);
    return out->features != NULL ? GYRE_OK : gyre_no_memory("the study");
}

gyre_status study_spec_read(study_spec *p, const char *path, gyre_study *out) {
    *p = (study_spec){.path = path};
    GYRE_TRY(gyre_json_read(path, &p->tree));
    GYRE_TRY(check_keys(p));
    GYRE_TRY(take_name(p, out));
    GYRE_TRY(take_seeds(p, out));
    GYRE_TRY(take_sizes(p));
    GYRE_TRY(take_samples(p, out));
    GYRE_TRY(read_base(p));
    GYRE_TRY(gyre_config_build(p->base, p->base_path, NULL, 0, &p->settings));
    GYRE_TRY(gyre_fail_in(p->base_path, gyre_config_require(p->settings)));
    GYRE_TRY(study_check_rates(p->base_path, &p->settings->schedule));
    return take_split(p, out);
}

void study_spec_close(study_spec *p) {
    for (int i = 0; i < p->arm_count; i++) {
        free(p->arms[i].name);
        free(p->arms[i].sentence);
        free(p->arms[i].where);
        gyre_json_close(p->arms[i].layer);
    }
    free(p->arms);
    free(p->sizes);
    free(p->base_path);
    gyre_config_close(p->settings);
    gyre_json_close(p->base);
    gyre_json_close(p->tree);
    *p = (study_spec){0};
}
