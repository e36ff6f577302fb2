/* JSON being written: a tree of cJSON items that grows at one place, the innermost object or list
 * that is open. */
#include "fields.h"
#include "gyre/json.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH_MAX = 8 };

struct gyre_json {
    cJSON *open[DEPTH_MAX]; /* the outermost object first */
    int depth;
    bool failed;
};

gyre_json *gyre_json_begin(void) {
    gyre_json *j = calloc(1, sizeof *j);
    if (j == NULL) return NULL;
    j->open[j->depth++] = cJSON_CreateObject();
    j->failed = j->open[0] == NULL;
    return j;
}

/* Takes `item` over; false when it is lost. */
static bool add(gyre_json *j, const char *key, cJSON *item) {
    if (j != NULL && !j->failed) {
        cJSON *to = j->open[j->depth - 1];
        if (cJSON_IsArray(to) ? cJSON_AddItemToArray(to, item)
                              : cJSON_AddItemToObject(to, key, item)) {
            return true;
        }
        j->failed = true;
    }
    cJSON_Delete(item);
    return false;
}

static void enter(gyre_json *j, const char *key, cJSON *item) {
    if (add(j, key, item)) j->open[j->depth++] = item;
}

void gyre_json_enter_object(gyre_json *j, const char *key) {
    enter(j, key, cJSON_CreateObject());
}

void gyre_json_enter_list(gyre_json *j, const char *key) {
    enter(j, key, cJSON_CreateArray());
}

void gyre_json_leave(gyre_json *j) {
    if (j != NULL && !j->failed) j->depth--;
}

void gyre_json_add_text(gyre_json *j, const char *key, const char *value) {
    add(j, key, value == NULL ? cJSON_CreateNull() : cJSON_CreateString(value));
}

void gyre_json_add_number(gyre_json *j, const char *key, double value) {
    add(j, key, isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

void gyre_json_add_integer(gyre_json *j, const char *key, int64_t value) {
    char text[32];
    snprintf(text, sizeof text, "%" PRId64, value);
    bool short_enough = value > -1000000000000000 && value < 1000000000000000; /* without 1e+15 */
    add(j, key, short_enough ? cJSON_CreateNumber((double)value) : cJSON_CreateRaw(text));
}

void gyre_json_add_flag(gyre_json *j, const char *key, bool value) {
    add(j, key, cJSON_CreateBool(value));
}

void gyre_json_add_null(gyre_json *j, const char *key) {
    add(j, key, cJSON_CreateNull());
}

void gyre_json_add_value(gyre_json *j, const char *key, const gyre_json_value *value) {
    add(j, key, (cJSON *)gyre_json_copy(value));
}

char *gyre_json_end(gyre_json *j) {
    gyre_json_value *v = gyre_json_end_value(j);
    char *text = v == NULL ? NULL : gyre_json_print(v, false);
    gyre_json_close(v);
    return text;
}

gyre_json_value *gyre_json_end_value(gyre_json *j) {
    if (j == NULL) return NULL;
    cJSON *tree = j->open[0];
    if (j->failed) {
        cJSON_Delete(tree);
        tree = NULL;
    }
    free(j);
    return (gyre_json_value *)tree;
}
