/* Walks a parsed config and hands each value to its field; unknown keys end here. */
#include "fields.h"

#include <stdlib.h>
#include <string.h>

enum { PATH_MAX_BYTES = 256 };

const config_field *config_field_find(const char *path) {
    for (int i = 0; config_aliases[i][0] != NULL; i++) {
        if (strcmp(path, config_aliases[i][0]) == 0) path = config_aliases[i][1];
    }
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        if (strcmp(path, f->path) == 0) return f;
    }
    return NULL;
}

bool config_is_section(const char *path) {
    size_t n = strlen(path);
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        if (n == 0 || (strncmp(path, f->path, n) == 0 && f->path[n] == '.')) return true;
    }
    return false;
}

static gyre_status unknown(const char *path, const char *where) {
    char advice[PATH_MAX_BYTES] = "";
    bool likely = gyre_config_suggest(path, advice, sizeof advice);
    return gyre_fail(GYRE_EUSAGE, "%s: unknown key %.100s%s%s (`gyre help config` lists all)",
                     where, path, likely ? "; " : "", advice);
}

static size_t index_of(const config_field *f) {
    return (size_t)(f - config_fields);
}

static gyre_status reset_below(config_reader *r, const char *path) {
    size_t n = strlen(path);
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        if (strncmp(path, f->path, n) != 0 || (f->path[n] != '.' && f->path[n] != '\0')) continue;
        r->given[index_of(f)] = false;
        if (f->kind == FIELD_STAGES)
            r->stages = NULL;
        else
            GYRE_TRY(config_field_reset(f, r->settings));
    }
    return GYRE_OK;
}

static gyre_status take_field(config_reader *r, const config_field *f, const cJSON *value,
                              const char *where) {
    char place[PATH_MAX_BYTES + 256];
    snprintf(place, sizeof place, "%.250s: %s", where, f->path);
    if (r->once && r->given[index_of(f)]) {
        return gyre_fail(GYRE_EUSAGE, "%s is given twice, by another name too; remove one", place);
    }
    GYRE_TRY(config_field_set(f, value, r->settings, place));
    r->given[index_of(f)] = true;
    if (f->kind == FIELD_STAGES) {
        r->stages = value;
        snprintf(r->stages_where, sizeof r->stages_where, "%s", where);
    }
    return GYRE_OK;
}

static gyre_status take(config_reader *r, const char *path, const cJSON *value, const char *where);

/* A key that is a length and has keys below it: {"epochs": 5, "from": 0.01}. */
static gyre_status take_mixed(config_reader *r, const config_field *f, const cJSON *value,
                              const char *where) {
    cJSON *rest = cJSON_CreateObject();
    gyre_status status = rest == NULL ? gyre_no_memory("the config") : GYRE_OK;
    int below = 0;
    for (const cJSON *c = value->child; c != NULL && status == GYRE_OK; c = c->next) {
        char path[PATH_MAX_BYTES];
        snprintf(path, sizeof path, "%s.%s", f->path, c->string);
        if (config_field_find(path) != NULL) {
            status = take(r, path, c, where);
            below++;
            continue;
        }
        cJSON *copy = cJSON_Duplicate(c, true);
        if (!cJSON_AddItemToObject(rest, c->string, copy)) {
            cJSON_Delete(copy);
            status = gyre_no_memory("the config");
        }
    }
    if (status == GYRE_OK && (rest->child != NULL || below == 0)) {
        status = take_field(r, f, rest, where);
    }
    cJSON_Delete(rest);
    return status;
}

static gyre_status take_section(config_reader *r, const char *path, const cJSON *value,
                                const char *where) {
    if (!cJSON_IsObject(value)) {
        char *found = cJSON_PrintUnformatted(value);
        const char *key = config_section_key(path);
        gyre_fail(GYRE_EUSAGE, "%s: %s%sexpected an object {...}, found %.80s%s%s", where, path,
                  path[0] == '\0' ? "" : ": ", found == NULL ? "something else" : found,
                  key == NULL ? "" : "; for a single value take ", key == NULL ? "" : key);
        free(found);
        return GYRE_EUSAGE;
    }
    for (const cJSON *c = value->child; c != NULL; c = c->next) {
        char below[PATH_MAX_BYTES];
        snprintf(below, sizeof below, "%s%s%s", path, path[0] == '\0' ? "" : ".", c->string);
        GYRE_TRY(take(r, below, c, where));
    }
    return GYRE_OK;
}

static gyre_status take(config_reader *r, const char *path, const cJSON *value, const char *where) {
    const config_field *f = config_field_find(path);
    bool section = config_is_section(path);
    if (f == NULL && !section) return unknown(path, where);
    if (cJSON_IsNull(value) && path[0] != '\0') return reset_below(r, f == NULL ? path : f->path);
    if (f == NULL) return take_section(r, path, value, where);
    if (section && cJSON_IsObject(value)) return take_mixed(r, f, value, where);
    return take_field(r, f, value, where);
}

gyre_status config_take_tree(config_reader *r, const cJSON *tree, const char *where) {
    r->once = true;
    gyre_status status = take(r, "", tree, where);
    r->once = false;
    return status;
}

gyre_status config_take_layer(config_reader *r, const cJSON *object, const char *where) {
    return take(r, "", object, where);
}

/* JSON, or else a bare string; for a key that holds text any bare value is one. */
static gyre_status parse_value(const char *text, const config_field *f, const char *where,
                               cJSON **out) {
    bool bare = f != NULL && f->kind == FIELD_TEXT && text[0] != '"' && strcmp(text, "null") != 0;
    cJSON *value = NULL;
    gyre_status status = bare ? GYRE_OK : config_parse_text(text, where, &value);
    bool structured = strchr("{[\"", text[0]) != NULL && text[0] != '\0';
    if (status != GYRE_OK && (structured || status != GYRE_EUSAGE)) return status;
    if (value == NULL) value = cJSON_CreateString(text);
    if (value == NULL) return gyre_no_memory("the config");
    *out = value;
    return GYRE_OK;
}

gyre_status config_take_set(config_reader *r, const char *set, cJSON **owned) {
    char where[PATH_MAX_BYTES], path[PATH_MAX_BYTES], parent[PATH_MAX_BYTES];
    const char *equals = strchr(set, '=');
    snprintf(where, sizeof where, "--set %.80s%s", set, strlen(set) > 80 ? "..." : "");
    if (equals == NULL || equals == set || equals - set >= PATH_MAX_BYTES) {
        return gyre_fail(GYRE_EUSAGE, "%s: expected KEY=VALUE, as optimizer.momentum=0.95", where);
    }
    snprintf(path, sizeof path, "%.*s", (int)(equals - set), set);
    const config_field *f = config_field_find(path);
    GYRE_TRY(parse_value(equals + 1, f, where, owned));
    /* length.epochs=5 means length={"epochs": 5} */
    snprintf(parent, sizeof parent, "%s", path);
    char *dot = strrchr(parent, '.');
    if (f == NULL && !config_is_section(path) && dot != NULL) {
        *dot = '\0';
        if (config_field_find(parent) != NULL) {
            cJSON *object = cJSON_CreateObject();
            if (!cJSON_AddItemToObject(object, dot + 1, *owned)) {
                cJSON_Delete(object);
                return gyre_no_memory("the config");
            }
            *owned = object;
            return take(r, parent, object, where);
        }
    }
    return take(r, path, *owned, where);
}
