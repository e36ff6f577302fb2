/* schedule.stages: each stage is the outer schedule with some keys replaced, and a length. */
#include "fields.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool has(const cJSON *stage, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(stage, key) != NULL;
}

static const char *const stage_keys =
    "a \"length\", a \"cut\" or none, and any key of schedule but stages";

static gyre_status take_keys(config_reader *scratch, const cJSON *stage, const char *where) {
    cJSON *schedule = cJSON_Duplicate(stage, true), *tree = cJSON_CreateObject();
    cJSON_DeleteItemFromObjectCaseSensitive(schedule, "length");
    cJSON_DeleteItemFromObjectCaseSensitive(schedule, "cut");
    gyre_status status = GYRE_OK;
    if (!cJSON_AddItemToObject(tree, "schedule", schedule)) {
        cJSON_Delete(schedule);
        status = gyre_no_memory("the config");
    }
    if (status == GYRE_OK) status = config_take_tree(scratch, tree, where);
    cJSON_Delete(tree);
    return status;
}

/* Where the stage ends before its length. */
static gyre_status take_cut(const cJSON *stage, const char *place, gyre_length *out) {
    static const config_field cut = {.path = "cut",
                                     .kind = FIELD_LENGTH,
                                     .offset = offsetof(gyre_settings, length),
                                     .min = 1,
                                     .units = UNIT_STEPS};
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(stage, "cut");
    gyre_settings settings = {.length = {GYRE_UNIT_NONE, 0}};
    char where[620];
    snprintf(where, sizeof where, "%s.cut", place);
    if (given != NULL) GYRE_TRY(config_field_set(&cut, given, &settings, where));
    *out = settings.length;
    return GYRE_OK;
}

static gyre_status take_one(config_reader *r, const cJSON *stage, int index, const char *where,
                            gyre_stage_settings *out) {
    static const config_field length = {.path = "length",
                                        .kind = FIELD_LENGTH,
                                        .offset = offsetof(gyre_settings, length),
                                        .min = 1,
                                        .units = UNIT_STEPS | UNIT_EPOCHS | UNIT_CYCLES};
    char place[600];
    snprintf(place, sizeof place, "%.400s: schedule.stages[%d]", where, index);
    if (!cJSON_IsObject(stage) || has(stage, "stages")) {
        return gyre_fail(GYRE_EUSAGE, "%s: expected an object with %s", place, stage_keys);
    }
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(stage, "length");
    if (given == NULL) {
        return gyre_fail(GYRE_EUSAGE, "%s: no \"length\"; expected %s", place, stage_keys);
    }
    gyre_settings settings = {.schedule = r->settings->schedule}; /* no owned parts in there yet */
    config_reader scratch = {.settings = &settings};
    gyre_schedule_settings *s = &settings.schedule;
    if (index > 0) { /* a warm-up belongs to the run's beginning */
        s->warmup = (gyre_length){GYRE_UNIT_NONE, 0};
        s->warmup_from = 0;
    }
    /* A fitted stage in a schedule with a stepsize, or the other way round. */
    if (has(stage, "stepsize") && !has(stage, "cycles")) s->cycles = NAN;
    if (has(stage, "cycles") && !has(stage, "stepsize")) s->stepsize.unit = GYRE_UNIT_NONE;
    GYRE_TRY(take_keys(&scratch, stage, place));
    GYRE_TRY(take_cut(stage, place, &out->cut));
    snprintf(place, sizeof place, "%.400s: schedule.stages[%d].length", where, index);
    GYRE_TRY(config_field_set(&length, given, &settings, place));
    out->length = settings.length;
    out->schedule = *s;
    return GYRE_OK;
}

gyre_status config_take_stages(config_reader *r) {
    int count = cJSON_GetArraySize(r->stages);
    if (count == 0) return GYRE_OK;
    gyre_stage_settings *stages = calloc((size_t)count, sizeof *stages);
    if (stages == NULL) return gyre_no_memory("the config");
    for (int i = 0; i < count; i++) {
        gyre_status status =
            take_one(r, cJSON_GetArrayItem(r->stages, i), i, r->stages_where, &stages[i]);
        if (status == GYRE_OK) continue;
        free(stages);
        return status;
    }
    r->settings->schedule.stages = stages;
    r->settings->schedule.stage_count = count;
    return GYRE_OK;
}

static bool is_default_stage_key(const config_field *f) {
    return strncmp(f->path, "schedule.", 9) == 0 && f->kind != FIELD_STAGES;
}

/* A stage that inherits from nothing. */
static gyre_status take_whole(const cJSON *stage, int index, gyre_stage_settings *out) {
    static const char where[] = "--extend";
    gyre_settings defaults = {0};
    config_reader r = {.settings = &defaults};
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        if (is_default_stage_key(f)) GYRE_TRY(config_field_reset(f, &defaults));
    }
    GYRE_TRY(take_one(&r, stage, index, where, out));
    if (out->schedule.base_lr == 0 && out->schedule.max_lr == 0) {
        return gyre_fail(
            GYRE_EUSAGE,
            "%s: the stage has no rate: give base_lr and max_lr, since a stage that is "
            "added inherits nothing from those before it",
            where);
    }
    if (out->schedule.base_lr == GYRE_RATE_FIND || out->schedule.max_lr == GYRE_RATE_FIND) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: %s: \"find\" is for the rates that a run begins with; give a number, "
                         "as `gyre find CONFIG --set model.init_from=CHECKPOINT` tells one",
                         where, out->schedule.base_lr == GYRE_RATE_FIND ? "base_lr" : "max_lr");
    }
    return config_finish_schedule(&out->schedule, where);
}

gyre_status gyre_config_extend(gyre_settings *settings, const char *stage) {
    gyre_schedule_settings *s = &settings->schedule;
    int before = s->stage_count > 0 ? s->stage_count : 1;
    cJSON *tree = NULL;
    if (before + 1 > GYRE_STAGES_MAX) {
        return gyre_fail(GYRE_EUSAGE, "--extend: the schedule has %d stages already, the most",
                         before);
    }
    GYRE_TRY(config_parse_text(stage, "--extend", &tree));
    gyre_stage_settings fresh;
    gyre_status status = take_whole(tree, before, &fresh);
    cJSON_Delete(tree);
    GYRE_TRY(status);
    gyre_stage_settings *stages = realloc(s->stages, (size_t)(before + 1) * sizeof *stages);
    if (stages == NULL) return gyre_no_memory("the config");
    if (s->stage_count == 0) {
        stages[0] = (gyre_stage_settings){.length = settings->length, .schedule = *s};
        stages[0].schedule.stages = NULL;
    }
    stages[before] = fresh;
    s->stages = stages;
    s->stage_count = before + 1;
    settings->length = (gyre_length){GYRE_UNIT_NONE, 0};
    return GYRE_OK;
}
