/* One field: from JSON, back to its default, and its range as text. The way to JSON is
 * echo_value.c. */
#include "fields.h"

#include "gyre/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool config_choice_at(const char *choices, int k, char *out, size_t size) {
    for (; k > 0; k--) {
        choices = strchr(choices, '|');
        if (choices == NULL) return false;
        choices++;
    }
    snprintf(out, size, "%.*s", (int)strcspn(choices, "|"), choices);
    return true;
}

static void list_choices(const char *choices, char *out, size_t size) {
    char one[40];
    for (int i = 0; config_choice_at(choices, i, one, sizeof one); i++) {
        gyre_text_add(out, size, "%s\"%s\"", i == 0 ? "" : ", ", one);
    }
}

static void list_units(const config_field *f, char *out, size_t size) {
    for (int i = GYRE_UNIT_STEPS; i <= GYRE_UNIT_MINUTES; i++) {
        if (!(f->units & (1u << i))) continue;
        const char *what = f->min == 0 ? "number >= 0"
                           : i == GYRE_UNIT_STEPS
                               ? (f->units & UNIT_PARTS ? "number >= 1" : "whole number >= 1")
                               : "number > 0";
        gyre_text_add(out, size, "%s{\"%s\": %s}", out[0] == '\0' ? "" : " or ",
                      config_unit_name((gyre_unit)i), what);
    }
}

void config_field_range(const config_field *f, char *out, size_t size) {
    out[0] = '\0';
    switch (f->kind) {
    case FIELD_FLAG: snprintf(out, size, "true or false"); break;
    case FIELD_SWITCH:
        gyre_text_add(out, size, "true, false, ");
        list_choices(f->choices, out, size);
        break;
    case FIELD_INTEGER:
    case FIELD_SEED:
    case FIELD_STEPS: snprintf(out, size, "whole number %.0f..%.0f", f->min, f->max); break;
    case FIELD_REAL: snprintf(out, size, "number %.9g..%.9g", f->min, f->max); break;
    case FIELD_RATE: snprintf(out, size, "number %.9g..%.9g or \"find\"", f->min, f->max); break;
    case FIELD_TEXT: snprintf(out, size, "text"); break;
    case FIELD_NAMES: snprintf(out, size, "list of names"); break;
    case FIELD_NETWORK: snprintf(out, size, "list of nodes"); break;
    case FIELD_UNET: snprintf(out, size, "a path, or an object"); break;
    case FIELD_GROUPS: snprintf(out, size, "list of groups"); break;
    case FIELD_CHOICE:
    case FIELD_SIDE:
        gyre_text_add(out, size, "one of ");
        list_choices(f->choices, out, size);
        break;
    case FIELD_LENGTH: list_units(f, out, size); break;
    case FIELD_VALIDATION:
        snprintf(out, size,
                 "\"test\", \"validation\", \"none\" or {\"split\": number above 0 and below 1}");
        break;
    case FIELD_WEIGHTS:
        list_choices(f->choices, out, size);
        gyre_text_add(out, size, " or a list of numbers %g..%g, one for each class and one above 0",
                      f->min, f->max);
        break;
    case FIELD_NORMALIZE:
        list_choices(f->choices, out, size);
        gyre_text_add(
            out, size,
            " or {\"mean\": [...], \"std\": [...]} with a number for each of up to %d channels, "
            "std above 0",
            GYRE_CHANNELS_MAX);
        break;
    case FIELD_MILESTONES:
        snprintf(out, size, "{\"steps\": [...]} or {\"epochs\": [...]}, at most %d, rising",
                 GYRE_MILESTONES_MAX);
        break;
    case FIELD_STAGES: snprintf(out, size, "list of at most %d objects", GYRE_STAGES_MAX); break;
    }
}

/* The choice that may be meant, into out; false: none. */
static bool suggest_choice(const config_field *f, const cJSON *value, char *out, size_t size) {
    enum { CHOICES = 16 };
    char all[CHOICES][40];
    const char *choices[CHOICES + 1] = {NULL};
    const char *all_choices = f->kind == FIELD_VALIDATION ? "test|validation|none" : f->choices;
    if (all_choices == NULL || !cJSON_IsString(value)) return false;
    for (int i = 0; i < CHOICES && config_choice_at(all_choices, i, all[i], sizeof all[i]); i++) {
        choices[i] = all[i];
    }
    const char *meant = config_suggest_value(f->path, value->valuestring, choices);
    if (meant != NULL) snprintf(out, size, "%s", meant);
    return meant != NULL;
}

static gyre_status wrong(const config_field *f, const cJSON *value, const char *where) {
    char meant[40] = "", range[256], *found = cJSON_PrintUnformatted(value);
    config_field_range(f, range, sizeof range);
    bool likely = suggest_choice(f, value, meant, sizeof meant);
    gyre_fail(GYRE_EUSAGE, "%s: expected %s, found %.80s%s%s%s%s", where, range,
              found == NULL ? "something else" : found,
              found != NULL && strlen(found) > 80 ? "..." : "", likely ? "; did you mean \"" : "",
              meant, likely ? "\"?" : "");
    free(found);
    return GYRE_EUSAGE;
}

static gyre_status take_text(const char *value, char **to) {
    char *copy = strdup(value);
    if (copy == NULL) return gyre_no_memory("the config");
    free(*to);
    *to = copy;
    return GYRE_OK;
}

static void clear_names(gyre_model_settings *m) {
    for (int i = 0; i < m->freeze_count; i++) free(m->freeze[i]);
    free(m->freeze);
    m->freeze = NULL;
    m->freeze_count = 0;
}

static gyre_status take_names(const config_field *f, const cJSON *value, gyre_settings *settings,
                              const char *where) {
    gyre_model_settings *m = &settings->model;
    if (!cJSON_IsArray(value)) return wrong(f, value, where);
    int n = cJSON_GetArraySize(value);
    char **names = calloc((size_t)n + 1, sizeof *names);
    if (names == NULL) return gyre_no_memory("the config");
    gyre_status status = GYRE_OK;
    for (int i = 0; i < n && status == GYRE_OK; i++) {
        const cJSON *item = cJSON_GetArrayItem(value, i);
        status =
            cJSON_IsString(item) ? take_text(item->valuestring, &names[i]) : wrong(f, value, where);
    }
    gyre_model_settings fresh = {.freeze = names, .freeze_count = n};
    if (status != GYRE_OK) {
        clear_names(&fresh);
        return status;
    }
    clear_names(m);
    m->freeze = names;
    m->freeze_count = n;
    return status;
}

static bool take_choice(const config_field *f, const cJSON *value, int *out) {
    const bool is_switch = f->kind == FIELD_SWITCH;
    char one[40];
    if (is_switch && cJSON_IsBool(value)) {
        *out = cJSON_IsTrue(value);
        return true;
    }
    for (int i = 0; cJSON_IsString(value) && config_choice_at(f->choices, i, one, sizeof one);
         i++) {
        if (strcmp(value->valuestring, one) != 0) continue;
        *out = is_switch ? i + 2 : i;
        return true;
    }
    return false;
}

static bool whole_in_range(const config_field *f, const cJSON *value) {
    double x = cJSON_IsNumber(value) ? value->valuedouble : NAN;
    return x >= f->min && x <= f->max && x == floor(x);
}

static bool take_number(const config_field *f, const cJSON *value, double *out) {
    double x = cJSON_IsNumber(value) ? value->valuedouble : NAN;
    bool fits = x >= f->min && x <= f->max;
    if (fits) *out = x;
    return fits;
}

static bool take_rate(const config_field *f, const cJSON *value, double *out) {
    bool find = cJSON_IsString(value) && strcmp(value->valuestring, "find") == 0;
    if (find) *out = GYRE_RATE_FIND;
    return find || take_number(f, value, out);
}

static bool take_validation(const cJSON *value, gyre_data_settings *data) {
    const cJSON *split = cJSON_IsObject(value) ? value->child : NULL;
    if (cJSON_IsString(value) && strcmp(value->valuestring, "test") == 0) {
        data->validation = GYRE_VALIDATION_TEST;
    } else if (cJSON_IsString(value) && strcmp(value->valuestring, "validation") == 0) {
        data->validation = GYRE_VALIDATION_PART;
    } else if (cJSON_IsString(value) && strcmp(value->valuestring, "none") == 0) {
        data->validation = GYRE_VALIDATION_NONE;
    } else if (split != NULL && split->next == NULL && strcmp(split->string, "split") == 0 &&
               cJSON_IsNumber(split) && split->valuedouble > 0 && split->valuedouble < 1) {
        data->validation = GYRE_VALIDATION_SPLIT;
        data->split = split->valuedouble;
    } else {
        return false;
    }
    return true;
}

static bool take_milestones(const cJSON *value, gyre_schedule_settings *s) {
    const cJSON *list = cJSON_IsObject(value) ? value->child : NULL;
    gyre_length at[GYRE_MILESTONES_MAX] = {{GYRE_UNIT_NONE, 0}};
    gyre_unit unit;
    if (list == NULL || list->next != NULL || !cJSON_IsArray(list)) return false;
    if (!config_unit_find(list->string, &unit) || unit > GYRE_UNIT_EPOCHS) return false;
    int n = cJSON_GetArraySize(list);
    if (n > GYRE_MILESTONES_MAX) return false;
    for (int i = 0; i < n; i++) {
        if (!config_take_unit_value(unit, 1, false, cJSON_GetArrayItem(list, i), &at[i]))
            return false;
        if (i > 0 && at[i].value <= at[i - 1].value) return false;
    }
    memcpy(s->milestones, at, sizeof at);
    s->milestone_count = n;
    return true;
}

gyre_status config_field_set(const config_field *f, const cJSON *value, gyre_settings *settings,
                             const char *where) {
    void *to = (char *)settings + f->offset;
    int choice;
    bool fits = true;
    gyre_status status = GYRE_OK;
    switch (f->kind) {
    case FIELD_FLAG:
        fits = cJSON_IsBool(value);
        if (fits) *(bool *)to = cJSON_IsTrue(value);
        break;
    case FIELD_INTEGER:
        fits = whole_in_range(f, value);
        if (fits) *(int *)to = (int)value->valuedouble;
        break;
    case FIELD_SEED:
        fits = whole_in_range(f, value);
        if (fits) *(uint64_t *)to = (uint64_t)value->valuedouble;
        break;
    case FIELD_STEPS:
        fits = whole_in_range(f, value);
        if (fits) *(gyre_length *)to = (gyre_length){GYRE_UNIT_STEPS, value->valuedouble};
        break;
    case FIELD_REAL: fits = take_number(f, value, to); break;
    case FIELD_RATE: fits = take_rate(f, value, to); break;
    case FIELD_TEXT:
        fits = cJSON_IsString(value) && value->valuestring[0] != '\0';
        if (fits) return take_text(value->valuestring, to);
        break;
    case FIELD_NAMES: return take_names(f, value, settings, where);
    case FIELD_NETWORK: return config_take_network(value, where, to);
    case FIELD_UNET: return config_take_unet(value, where, to);
    case FIELD_GROUPS: return config_take_groups(value, where, &settings->model);
    case FIELD_SWITCH:
    case FIELD_CHOICE:
        fits = take_choice(f, value, &choice);
        if (fits) memcpy(to, &choice, sizeof choice); /* every enum here is an int */
        break;
    case FIELD_SIDE:
        fits = take_choice(f, value, &choice);
        if (fits) *(bool *)to = choice == 1;
        break;
    case FIELD_LENGTH: fits = config_take_length(f, value, to); break;
    case FIELD_VALIDATION: fits = take_validation(value, &settings->data); break;
    case FIELD_WEIGHTS:
        status = config_take_class_weights(f, value, &settings->model, &fits);
        break;
    case FIELD_NORMALIZE:
        choice = GYRE_NORMALIZE_GIVEN;
        fits = take_choice(f, value, &choice) ||
               config_take_normalization(f, value, &settings->data.given);
        if (fits) settings->data.normalize = (gyre_normalize)choice;
        break;
    case FIELD_MILESTONES: fits = take_milestones(value, &settings->schedule); break;
    case FIELD_STAGES:
        fits = cJSON_IsArray(value) && cJSON_GetArraySize(value) <= GYRE_STAGES_MAX;
        break;
    }
    return fits ? status : wrong(f, value, where);
}

/* Without a default: zero, and NaN for a number until config_finish() settles it. */
static void clear(const config_field *f, gyre_settings *settings) {
    void *to = (char *)settings + f->offset;
    switch (f->kind) {
    case FIELD_TEXT:
    case FIELD_NETWORK:
    case FIELD_UNET:
        free(*(char **)to);
        *(char **)to = NULL;
        break;
    case FIELD_LENGTH:
    case FIELD_STEPS: *(gyre_length *)to = (gyre_length){GYRE_UNIT_NONE, 0}; break;
    case FIELD_REAL: *(double *)to = NAN; break;
    case FIELD_INTEGER: *(int *)to = 0; break;
    case FIELD_NAMES: clear_names(&settings->model); break;
    case FIELD_GROUPS: config_clear_groups(&settings->model); break;
    case FIELD_WEIGHTS: config_clear_class_weights(&settings->model); break;
    case FIELD_MILESTONES: settings->schedule.milestone_count = 0; break;
    default: break; /* every other kind has a default */
    }
}

gyre_status config_field_reset(const config_field *f, gyre_settings *settings) {
    if (f->fallback == NULL) {
        clear(f, settings);
        return GYRE_OK;
    }
    cJSON *value = cJSON_Parse(f->fallback);
    if (value == NULL) return gyre_no_memory("the config");
    gyre_status status = config_field_set(f, value, settings, f->path);
    cJSON_Delete(value);
    return status;
}
