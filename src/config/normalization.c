/* The value {"mean": [...], "std": [...]} of data.augment.normalize. */
#include "fields.h"

#include <string.h>

/* `count` gets how many there are. */
static bool take_numbers(const cJSON *list, double least, double most, double *out, int *count) {
    *count = cJSON_IsArray(list) ? cJSON_GetArraySize(list) : 0;
    if (*count < 1 || *count > GYRE_CHANNELS_MAX) return false;
    for (int i = 0; i < *count; i++) {
        const cJSON *item = cJSON_GetArrayItem(list, i);
        if (!cJSON_IsNumber(item)) return false;
        out[i] = item->valuedouble;
        if (!(out[i] >= least && out[i] <= most)) return false;
    }
    return true;
}

bool config_take_normalization(const config_field *f, const cJSON *value, gyre_normalization *out) {
    gyre_normalization n = {0};
    int deviations = 0;
    if (!cJSON_IsObject(value) || cJSON_GetArraySize(value) != 2) return false;
    const cJSON *mean = cJSON_GetObjectItemCaseSensitive(value, "mean");
    const cJSON *std = cJSON_GetObjectItemCaseSensitive(value, "std");
    if (!take_numbers(mean, -f->max, f->max, n.mean, &n.channels) ||
        !take_numbers(std, f->min, f->max, n.std, &deviations) || n.channels != deviations) {
        return false;
    }
    *out = n;
    return true;
}

cJSON *config_numbers_json(const double *values, int count) {
    cJSON *list = cJSON_CreateArray();
    for (int i = 0; i < count; i++) {
        cJSON *number = config_number_json(values[i]);
        if (cJSON_AddItemToArray(list, number)) continue;
        cJSON_Delete(number);
        cJSON_Delete(list);
        return NULL;
    }
    return list;
}

cJSON *config_normalization_json(const gyre_normalization *n) {
    cJSON *object = cJSON_CreateObject();
    cJSON *mean = config_numbers_json(n->mean, n->channels),
          *std = config_numbers_json(n->std, n->channels);
    bool has_mean = cJSON_AddItemToObject(object, "mean", mean);
    bool has_std = cJSON_AddItemToObject(object, "std", std);
    if (has_mean && has_std) return object;
    if (!has_mean) cJSON_Delete(mean);
    if (!has_std) cJSON_Delete(std);
    cJSON_Delete(object);
    return NULL;
}
