/* JSON values as others see them: cJSON items under another name. */
#include "fields.h"
#include "gyre/json.h"

#include <math.h>
#include <stdlib.h>

static const cJSON *item_of(const gyre_json_value *v) {
    return (const cJSON *)v;
}
static const gyre_json_value *value_of(const cJSON *item) {
    return (const gyre_json_value *)item;
}

gyre_status gyre_json_parse(const char *text, const char *where, gyre_json_value **out) {
    cJSON *tree = NULL;
    GYRE_TRY(config_parse_text(text, where, &tree));
    *out = (gyre_json_value *)tree;
    return GYRE_OK;
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

gyre_json_kind gyre_json_kind_of(const gyre_json_value *v) {
    const cJSON *item = item_of(v);
    return cJSON_IsObject(item)   ? GYRE_JSON_OBJECT
           : cJSON_IsArray(item)  ? GYRE_JSON_LIST
           : cJSON_IsString(item) ? GYRE_JSON_TEXT
           : cJSON_IsNumber(item) ? GYRE_JSON_NUMBER
           : cJSON_IsBool(item)   ? GYRE_JSON_FLAG
                                  : GYRE_JSON_NULL;
}

const gyre_json_value *gyre_json_first(const gyre_json_value *v) {
    return value_of(item_of(v)->child);
}

const gyre_json_value *gyre_json_next(const gyre_json_value *v) {
    return value_of(item_of(v)->next);
}

const char *gyre_json_key(const gyre_json_value *v) {
    return item_of(v)->string;
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

bool gyre_json_is_true(const gyre_json_value *v) {
    return cJSON_IsTrue(item_of(v));
}

gyre_json_value *gyre_json_copy(const gyre_json_value *v) {
    return (gyre_json_value *)cJSON_Duplicate(item_of(v), true);
}

const char *gyre_cjson_version(void) {
    return cJSON_Version();
}
