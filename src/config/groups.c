/* optimizer.groups: which parameters learn otherwise, by patterns of their names. */
#include "fields.h"

#include "gyre/names.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double mult_max = 1e6;
enum { MATCH_BYTES = 4096, MATCH_REPEATS = 1000 };

void config_clear_groups(gyre_model_settings *m) {
    for (int i = 0; i < m->group_count; i++) free(m->groups[i].match);
    free(m->groups);
    m->groups = NULL;
    m->group_count = 0;
}

static gyre_status take_mult(const cJSON *value, const char *where, double *out) {
    double x = cJSON_IsNumber(value) ? value->valuedouble : -1;
    if (x >= 0 && x <= mult_max) {
        *out = x;
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EUSAGE, "%s: \"%s\": expected a number 0..%g", where, value->string,
                     mult_max);
}

/* regcomp copies what "{m,n}" repeats, and calls itself for each bracket: such patterns take all
 * memory, or all of the stack. The counts are multiplied, as those of nested brackets are. */
static bool compiles_fast(const char *pattern) {
    double repeats = 1;
    if (strlen(pattern) > MATCH_BYTES) return false;
    for (const char *c = pattern; *c != '\0'; c++) {
        if (*c == '\\' && c[1] != '\0') {
            c++;
        } else if (*c == '{') {
            double least = strtod(c + 1, NULL), most = 0;
            const char *comma = c + 1 + strspn(c + 1, "0123456789");
            if (*comma == ',') most = strtod(comma + 1, NULL);
            repeats *= fmax(1, fmax(least, most));
        }
    }
    return repeats <= MATCH_REPEATS;
}

static gyre_status take_until(const cJSON *value, const char *where, gyre_length *out) {
    if (config_take_span(value, out)) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%s: \"until\": expected {\"epochs\": number > 0} or {\"steps\": whole number "
                     ">= 1}",
                     where);
}

static gyre_status take_match(const char *pattern, const char *where, char **out) {
    if (!compiles_fast(pattern)) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: \"match\": expected at most %d bytes, and at most %d repeats by "
                         "{...}, found \"%.60s\"; use several groups",
                         where, MATCH_BYTES, MATCH_REPEATS, pattern);
    }
    *out = strdup(pattern);
    return *out == NULL ? gyre_no_memory("the config") : GYRE_OK;
}

static gyre_status take_group(const cJSON *value, const char *where, gyre_group_settings *g) {
    static const char *const keys[] = {"match", "lr_mult", "decay_mult", "until", NULL};
    *g = (gyre_group_settings){.lr_mult = 1, .decay_mult = 1};
    for (const cJSON *c = cJSON_IsObject(value) ? value->child : NULL; c != NULL; c = c->next) {
        if (strcmp(c->string, keys[1]) == 0) {
            GYRE_TRY(take_mult(c, where, &g->lr_mult));
        } else if (strcmp(c->string, keys[2]) == 0) {
            GYRE_TRY(take_mult(c, where, &g->decay_mult));
        } else if (strcmp(c->string, keys[3]) == 0) {
            GYRE_TRY(take_until(c, where, &g->until));
        } else if (strcmp(c->string, keys[0]) != 0) {
            const char *near = gyre_name_nearest(c->string, keys);
            return gyre_fail(GYRE_EUSAGE, "%s: unknown key \"%.60s\"%s%s%s", where, c->string,
                             near == NULL ? "" : "; did you mean \"", near == NULL ? "" : near,
                             near == NULL ? "" : "\"?");
        } else if (cJSON_IsString(c) && c->valuestring[0] != '\0') {
            GYRE_TRY(take_match(c->valuestring, where, &g->match));
        }
    }
    if (g->match != NULL && cJSON_GetArraySize(value) > 1) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%s: expected {\"match\": pattern, \"lr_mult\": number, \"decay_mult\": "
                     "number, \"until\": length}, of which all but the pattern and one more may be "
                     "missing",
                     where);
}

gyre_status config_take_groups(const cJSON *value, const char *where, gyre_model_settings *m) {
    gyre_model_settings fresh = {.groups = NULL};
    gyre_status status = GYRE_OK;
    char place[600];
    if (!cJSON_IsArray(value)) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: expected a list of groups, as [{\"match\": \"bias|bn\", "
                         "\"decay_mult\": 0}]",
                         where);
    }
    fresh.groups = calloc((size_t)cJSON_GetArraySize(value) + 1, sizeof *fresh.groups);
    if (fresh.groups == NULL) return gyre_no_memory("the config");
    for (const cJSON *c = value->child; c != NULL && status == GYRE_OK; c = c->next) {
        snprintf(place, sizeof place, "%.500s[%d]", where, fresh.group_count);
        status = take_group(c, place, &fresh.groups[fresh.group_count++]);
    }
    if (status != GYRE_OK) {
        config_clear_groups(&fresh);
        return status;
    }
    config_clear_groups(m);
    m->groups = fresh.groups;
    m->group_count = fresh.group_count;
    return GYRE_OK;
}

static bool add(cJSON *object, const char *key, cJSON *value) {
    if (cJSON_AddItemToObject(object, key, value)) return true;
    cJSON_Delete(value);
    return false;
}

cJSON *config_groups_json(const gyre_model_settings *m) {
    cJSON *list = cJSON_CreateArray();
    bool ok = list != NULL;
    for (int i = 0; i < m->group_count && ok; i++) {
        const gyre_group_settings *g = &m->groups[i];
        cJSON *object = cJSON_CreateObject();
        ok = cJSON_AddItemToArray(list, object) &&
             add(object, "match", cJSON_CreateString(g->match)) &&
             add(object, "lr_mult", config_number_json(g->lr_mult)) &&
             add(object, "decay_mult", config_number_json(g->decay_mult)) &&
             (g->until.unit == GYRE_UNIT_NONE ||
              add(object, "until", config_length_json(&g->until)));
    }
    if (ok) return list;
    cJSON_Delete(list);
    return NULL;
}
