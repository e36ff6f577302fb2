/* JSON values as others see them: cJSON items under another name. */
#include "fields.h"
#include "gyre/json.h"

#include <math.h>

static const cJSON *item_of(const gyre_json_value *v) {
    return (const cJSON *)v;
}

static const gyre_json_value *value_of(const cJSON *item) {
    return (const gyre_json_value *)item;
}

gyre_status gyre_json_read(const char *path, gyre_json_value **out) {
    cJSON *tree = NULL;
    GYRE_TRY(config_read_file(path, &tree));
    *out = (gyre_json_value *)tree;
    return GYRE_OK;
}

void gyre_json_close(gyre_json_value *v) {
    cJSON_Delete((cJSON *)v);
}

const gyre_json_value *gyre_json_first(const gyre_json_value *v) {
    return value_of(item_of(v)->child);
}

const gyre_json_value *gyre_json_next(const gyre_json_value *v) {
    return value_of(item_of(v)->next);
}

const gyre_json_value *gyre_json_get(const gyre_json_value *v, const char *key) {
    return value_of(cJSON_GetObjectItemCaseSensitive(item_of(v), key));
}

const char *gyre_json_text(const gyre_json_value *v) {
    return cJSON_GetStringValue(item_of(v));
}

double gyre_json_number(const gyre_json_value *v) {
    return cJSON_IsNumber(item_of(v)) ? item_of(v)->valuedouble : (double)NAN;
}
