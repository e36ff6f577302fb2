/* One field as JSON, for the echo of a config; value.c reads it back. */
#include "fields.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static cJSON *milestones_json(const gyre_schedule_settings *s) {
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < s->milestone_count; i++) {
        cJSON *number = config_number_json(s->milestones[i].value);
        if (cJSON_AddItemToArray(list, number)) continue;
        cJSON_Delete(number);
        cJSON_Delete(list);
        return NULL;
    }
    return config_object_json(config_unit_name(s->milestones[0].unit), list);
}

static cJSON *validation_json(const gyre_data_settings *data) {
    if (data->validation == GYRE_VALIDATION_TEST) return cJSON_CreateString("test");
    if (data->validation == GYRE_VALIDATION_NONE) return cJSON_CreateString("none");
    if (data->validation == GYRE_VALIDATION_PART) return cJSON_CreateString("validation");
    return config_object_json("split", config_number_json(data->split));
}

/* Keys that most runs have nothing for: the echo says what is not the default. */
static bool is_of_some(const config_field *f) {
    return strncmp(f->path, "denoise.", strlen("denoise.")) == 0 ||
           strncmp(f->path, "sample.", strlen("sample.")) == 0;
}

static bool is_changed(const config_field *f, const void *at) {
    char first[40];
    int choice;
    switch (f->kind) {
    case FIELD_FLAG: return *(const bool *)at;
    case FIELD_INTEGER: return *(const int *)at != (int)strtol(f->fallback, NULL, 10);
    case FIELD_CHOICE:
        memcpy(&choice, at, sizeof choice);
        config_choice_at(f->choices, choice, first, sizeof first);
        return strncmp(first, f->fallback + 1, strlen(first)) != 0;
    default: return *(const double *)at != strtod(f->fallback, NULL);
    }
}

/* The keys of averages that the run keeps: a run without one has none of its keys. */
static bool is_of_average(const config_field *f, const gyre_average_settings *a) {
    const bool ema = gyre_average_is_kept(a, GYRE_AVERAGE_EMA);
    const bool swa = gyre_average_is_kept(a, GYRE_AVERAGE_SWA);
    const bool minima = gyre_average_is_kept(a, GYRE_AVERAGE_MINIMA);
    const bool free = gyre_average_is_kept(a, GYRE_AVERAGE_FREE);
    const size_t at = f->offset - offsetof(gyre_settings, average);
    switch (at) {
    case offsetof(gyre_average_settings, kind): return ema || swa || minima || free;
    case offsetof(gyre_average_settings, decay):
    case offsetof(gyre_average_settings, warmup): return ema;
    case offsetof(gyre_average_settings, start): return swa && a->start.unit != GYRE_UNIT_NONE;
    case offsetof(gyre_average_settings, every): return swa && a->every.unit != GYRE_UNIT_NONE;
    case offsetof(gyre_average_settings, first_minimum): return minima && a->first_minimum > 0;
    case offsetof(gyre_average_settings, statistics): return swa || minima || free;
    default: return *(const bool *)((const char *)a + at); /* beside */
    }
}

/* Fields without a default that were not given are left out of the echo. */
static bool is_given(const config_field *f, const gyre_settings *settings) {
    const void *at = (const char *)settings + f->offset;
    const gyre_schedule_settings *s = &settings->schedule;
    if (f->kind == FIELD_GROUPS) return settings->model.group_count > 0;
    if (f->kind == FIELD_WEIGHTS) {
        return settings->model.class_weights_balanced || settings->model.class_weights != NULL;
    }
    if (f->kind == FIELD_TEXT || f->kind == FIELD_NETWORK || f->kind == FIELD_UNET) {
        return *(char *const *)at != NULL;
    }
    if (at == &settings->optimizer.lookahead.decay) {
        return settings->optimizer.lookahead.every > 0 || settings->optimizer.lookahead.decay > 0;
    }
    if (at == &settings->model.init_weights) return is_changed(f, at);
    if (strncmp(f->path, "average.", strlen("average.")) == 0) {
        return is_of_average(f, &settings->average);
    }
    if (f->kind == FIELD_INTEGER && f->fallback == NULL) return *(const int *)at != 0;
    if (f->kind == FIELD_LENGTH || f->kind == FIELD_STEPS) {
        return ((const gyre_length *)at)->unit != GYRE_UNIT_NONE;
    }
    if (is_of_some(f)) return is_changed(f, at);
    if (f->kind == FIELD_MILESTONES) return s->milestone_count > 0;
    if (f->kind == FIELD_STAGES) return false; /* echoed by the caller */
    if (at == &s->cycles) return s->cycles > 0;
    if (at == &s->momentum_min || at == &s->momentum_max) return s->cycle_momentum;
    if (at == &s->warmup_from) return s->warmup.unit != GYRE_UNIT_NONE;
    return true;
}

gyre_status config_field_get(const config_field *f, const gyre_settings *settings, cJSON **out) {
    const void *at = (const char *)settings + f->offset;
    char text[40];
    int choice;
    *out = NULL;
    if (!is_given(f, settings)) return GYRE_OK;
    switch (f->kind) {
    case FIELD_FLAG: *out = cJSON_CreateBool(*(const bool *)at); break;
    case FIELD_SWITCH:
        memcpy(&choice, at, sizeof choice);
        if (choice < 2)
            *out = cJSON_CreateBool(choice == 1);
        else if (config_choice_at(f->choices, choice - 2, text, sizeof text))
            *out = cJSON_CreateString(text);
        break;
    case FIELD_INTEGER: *out = config_number_json(*(const int *)at); break;
    case FIELD_SEED: *out = config_number_json((double)*(const uint64_t *)at); break;
    case FIELD_REAL: *out = config_number_json(*(const double *)at); break;
    case FIELD_RATE:
        *out = *(const double *)at == GYRE_RATE_FIND ? cJSON_CreateString("find")
                                                     : config_number_json(*(const double *)at);
        break;
    case FIELD_TEXT: *out = cJSON_CreateString(*(char *const *)at); break;
    case FIELD_GROUPS: *out = config_groups_json(&settings->model); break;
    case FIELD_WEIGHTS: *out = config_class_weights_json(&settings->model); break;
    case FIELD_NETWORK:
    case FIELD_UNET: *out = cJSON_CreateRaw(*(char *const *)at); break;
    case FIELD_NAMES:
        *out = cJSON_CreateStringArray((const char *const *)settings->model.freeze,
                                       settings->model.freeze_count);
        break;
    case FIELD_CHOICE:
    case FIELD_SIDE:
        if (f->kind == FIELD_SIDE)
            choice = *(const bool *)at;
        else
            memcpy(&choice, at, sizeof choice);
        if (config_choice_at(f->choices, choice, text, sizeof text))
            *out = cJSON_CreateString(text);
        break;
    case FIELD_LENGTH: *out = config_length_json(at); break;
    case FIELD_STEPS: *out = config_number_json(((const gyre_length *)at)->value); break;
    case FIELD_VALIDATION: *out = validation_json(&settings->data); break;
    case FIELD_NORMALIZE:
        if (settings->data.normalize == GYRE_NORMALIZE_GIVEN) {
            *out = config_normalization_json(&settings->data.given);
        } else if (config_choice_at(f->choices, (int)settings->data.normalize, text, sizeof text)) {
            *out = cJSON_CreateString(text);
        }
        break;
    case FIELD_MILESTONES: *out = milestones_json(&settings->schedule); break;
    case FIELD_STAGES: break;
    }
    if (*out == NULL) return gyre_no_memory("the config");
    return GYRE_OK;
}
