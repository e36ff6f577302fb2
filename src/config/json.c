/* One line of JSON, built field by field. */
#include "gyre/json.h"

#include "gyre/config.h"
#include <cjson/cJSON.h>
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
    char text[40];
    snprintf(text, sizeof text, "%.17g", value);
    for (int digits = 15; digits < 17; digits++) {
        char shorter[40];
        snprintf(shorter, sizeof shorter, "%.*g", digits, value);
        if (strtod(shorter, NULL) != value) continue;
        snprintf(text, sizeof text, "%s", shorter);
        break;
    }
    add(j, key, isfinite(value) ? cJSON_CreateRaw(text) : cJSON_CreateNull());
}

void gyre_json_line_integer(gyre_json *j, const char *key, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    add(j, key, cJSON_CreateRaw(text));
}

char *gyre_json_line_end(gyre_json *j) {
    if (j == NULL) return NULL;
    char *text = j->failed ? NULL : cJSON_PrintUnformatted(j->object);
    cJSON_Delete(j->object);
    free(j);
    return text;
}
