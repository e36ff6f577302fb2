/* Lengths, as {"epochs": 10}: from JSON and back. */
#include "fields.h"

#include <math.h>
#include <string.h>

static const double whole_max = 9007199254740991.0; /* 2^53 - 1: beyond, doubles skip integers */
static const double span_max = 1e12;                /* epochs, cycles, minutes */

static const char *const unit_names[] = {NULL, "steps", "epochs", "cycles", "minutes"};

const char *config_unit_name(gyre_unit unit) {
    return unit_names[unit];
}

bool config_unit_find(const char *name, gyre_unit *out) {
    for (int i = GYRE_UNIT_STEPS; i <= GYRE_UNIT_MINUTES; i++) {
        if (strcmp(name, unit_names[i]) != 0) continue;
        *out = (gyre_unit)i;
        return true;
    }
    return false;
}

bool config_take_unit_value(gyre_unit unit, double min, bool parts, const cJSON *value,
                            gyre_length *out) {
    double x = cJSON_IsNumber(value) ? value->valuedouble : NAN;
    bool fits = unit == GYRE_UNIT_STEPS ? x >= min && x <= whole_max && (parts || x == floor(x))
                                        : (x > 0 || (x == 0 && min == 0)) && x <= span_max;
    if (fits) *out = (gyre_length){unit, x};
    return fits;
}

bool config_take_length(const config_field *f, const cJSON *value, gyre_length *out) {
    const cJSON *only = cJSON_IsObject(value) ? value->child : NULL;
    gyre_unit unit;
    if (only == NULL || only->next != NULL || !config_unit_find(only->string, &unit)) return false;
    bool parts = (f->units & UNIT_PARTS) != 0;
    return (f->units & (1u << unit)) != 0 && config_take_unit_value(unit, f->min, parts, only, out);
}

bool config_take_span(const cJSON *value, gyre_length *out) {
    const config_field span = {.min = 1, .units = UNIT_STEPS | UNIT_EPOCHS};
    return config_take_length(&span, value, out);
}

cJSON *config_object_json(const char *key, cJSON *value) {
    cJSON *object = cJSON_CreateObject();
    if (cJSON_AddItemToObject(object, key, value)) return object;
    cJSON_Delete(value);
    cJSON_Delete(object);
    return NULL;
}

cJSON *config_length_json(const gyre_length *length) {
    return config_object_json(config_unit_name(length->unit), config_number_json(length->value));
}
