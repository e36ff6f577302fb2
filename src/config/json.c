/* One line of JSON, built field by field. */
#include "gyre/json.h"

#include "fields.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

struct gyre_json {
    cJSON *object;
    bool failed;
};

const char *gyre_cjson_version(void) {
    return cJSON_Version();
}

gyre_json *gyre_json_line_begin(void) {
    gyre_json *j = calloc(1, sizeof *j);
    if (j == NULL) return NULL;
    j->object = cJSON_CreateObject();
    j->failed = j->object == NULL;
    return j;
}

static void add(gyre_json *j, const char *key, cJSON *value) {
    if (j == NULL || j->failed || !cJSON_AddItemToObject(j->object, key, value)) {
        cJSON_Delete(value);
        if (j != NULL) j->failed = true;
    }
}

void gyre_json_line_text(gyre_json *j, const char *key, const char *value) {
    add(j, key, value == NULL ? cJSON_CreateNull() : cJSON_CreateString(value));
}

void gyre_json_line_number(gyre_json *j, const char *key, double value) {
    add(j, key, isfinite(value) ? config_number_json(value) : cJSON_CreateNull());
}

void gyre_json_line_integer(gyre_json *j, const char *key, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    add(j, key, cJSON_CreateRaw(text));
}

void gyre_json_line_flag(gyre_json *j, const char *key, bool value) {
    add(j, key, cJSON_CreateBool(value));
}

void gyre_json_line_raw(gyre_json *j, const char *key, const char *value) {
    add(j, key, cJSON_CreateRaw(value));
}

char *gyre_json_line_end(gyre_json *j) {
    if (j == NULL) return NULL;
    char *text = j->failed ? NULL : cJSON_PrintUnformatted(j->object);
    cJSON_Delete(j->object);
    free(j);
    return text;
}
