/* Settings back to JSON: the resolved echo of a run folder, its hash, and what two runs differ in.
 */
#include "fields.h"

#include "gyre/text.h"
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Puts `value` at "a.b.c" in nested objects, taking it over. */
static gyre_status put(cJSON *object, const char *path, cJSON *value) {
    for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1) {
        char key[64];
        snprintf(key, sizeof key, "%.*s", (int)(dot - path), path);
        cJSON *below = cJSON_GetObjectItemCaseSensitive(object, key);
        object = below != NULL ? below : cJSON_AddObjectToObject(object, key);
    }
    if (cJSON_AddItemToObject(object, path, value)) return GYRE_OK;
    cJSON_Delete(value);
    return gyre_no_memory("writing the config");
}

/* One key of a stage where it differs from the outer schedule. */
static gyre_status put_difference(cJSON *object, const config_field *f, const gyre_settings *outer,
                                  const gyre_settings *inner) {
    gyre_status status = GYRE_OK;
    cJSON *a = NULL, *b = NULL;
    char *a_text = NULL, *b_text = NULL;
    GYRE_GOTO(config_field_get(f, outer, &a));
    GYRE_GOTO(config_field_get(f, inner, &b));
    if (a != NULL) a_text = cJSON_PrintUnformatted(a);
    if (b != NULL) b_text = cJSON_PrintUnformatted(b);
    if ((a != NULL && a_text == NULL) || (b != NULL && b_text == NULL)) {
        status = gyre_no_memory("writing the config");
    } else if (a_text != NULL && b_text == NULL) {
        status = put(object, f->path + strlen("schedule."), cJSON_CreateNull());
    } else if (b_text != NULL && (a_text == NULL || strcmp(a_text, b_text) != 0)) {
        status = put(object, f->path + strlen("schedule."), b);
        b = NULL;
    }
out:
    cJSON_Delete(a);
    cJSON_Delete(b);
    free(a_text);
    free(b_text);
    return status;
}

static gyre_status stage_json(const gyre_settings *outer, int index, cJSON *object) {
    const gyre_stage_settings *stage = &outer->schedule.stages[index];
    gyre_settings inner = {.schedule = stage->schedule, .length = stage->length};
    cJSON *length = NULL, *cut = NULL;
    GYRE_TRY(config_field_get(config_field_find("length"), &inner, &length));
    GYRE_TRY(put(object, "length", length));
    if (stage->cut.unit != GYRE_UNIT_NONE) {
        inner.length = stage->cut;
        GYRE_TRY(config_field_get(config_field_find("length"), &inner, &cut));
        GYRE_TRY(put(object, "cut", cut));
    }
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        if (strncmp(f->path, "schedule.", 9) != 0 || f->kind == FIELD_STAGES) continue;
        if (index > 0 && strncmp(f->path, "schedule.warmup", 15) == 0) continue; /* never there */
        GYRE_TRY(put_difference(object, f, outer, &inner));
    }
    return GYRE_OK;
}

static gyre_status stages_json(const gyre_settings *settings, cJSON **out) {
    cJSON *list = cJSON_CreateArray();
    gyre_status status = list == NULL ? gyre_no_memory("writing the config") : GYRE_OK;
    for (int i = 0; i < settings->schedule.stage_count && status == GYRE_OK; i++) {
        cJSON *object = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(list, object)) {
            cJSON_Delete(object);
            status = gyre_no_memory("writing the config");
        }
        if (status == GYRE_OK) status = stage_json(settings, i, object);
    }
    if (status == GYRE_OK)
        *out = list;
    else
        cJSON_Delete(list);
    return status;
}

static gyre_status value_of(const config_field *f, const gyre_settings *settings, cJSON **out) {
    *out = NULL;
    if (f->kind != FIELD_STAGES) return config_field_get(f, settings, out);
    return settings->schedule.stage_count == 0 ? GYRE_OK : stages_json(settings, out);
}

/* Says whether a field is to be written. */
typedef bool chooser(const config_field *f);

static bool any(const config_field *f) {
    (void)f;
    return true;
}

static bool decides_arithmetic(const config_field *f) {
    return f->tag == GYRE_FIELD_ARITHMETIC;
}

/* Each host may have its own copies of files, and its own hardware. */
static bool is_shared(const config_field *f) {
    bool sampled = strncmp(f->path, "sample.", strlen("sample.")) == 0;
    bool path = f->kind == FIELD_TEXT && f->tag == GYRE_FIELD_FREE && !sampled;
    return !path && strcmp(f->path, "threads") != 0 && strcmp(f->path, "backend") != 0;
}

static gyre_status settings_json(const gyre_settings *settings, chooser *chosen, cJSON **out) {
    cJSON *root = cJSON_CreateObject();
    gyre_status status = root == NULL ? gyre_no_memory("writing the config") : GYRE_OK;
    for (const config_field *f = config_fields; f->path != NULL && status == GYRE_OK; f++) {
        cJSON *value = NULL;
        if (!chosen(f)) continue;
        status = value_of(f, settings, &value);
        if (value != NULL) status = put(root, f->path, value);
    }
    if (status == GYRE_OK)
        *out = root;
    else
        cJSON_Delete(root);
    return status;
}

gyre_status gyre_config_print(const gyre_settings *settings, char **out) {
    cJSON *root = NULL;
    GYRE_TRY(settings_json(settings, any, &root));
    char *text = cJSON_Print(root);
    cJSON_Delete(root);
    if (text == NULL) return gyre_no_memory("writing the config");
    *out = text;
    return GYRE_OK;
}

static gyre_status hash_of(const gyre_settings *settings, chooser *chosen, uint64_t *out) {
    cJSON *root = NULL;
    GYRE_TRY(settings_json(settings, chosen, &root));
    char *text = cJSON_PrintUnformatted(root);
    cJSON_Delete(root);
    if (text == NULL) return gyre_no_memory("writing the config");
    *out = XXH3_64bits(text, strlen(text));
    free(text);
    return GYRE_OK;
}

gyre_status gyre_config_hash(const gyre_settings *settings, uint64_t *out) {
    return hash_of(settings, decides_arithmetic, out);
}

gyre_status gyre_config_hash_shared(const gyre_settings *settings, uint64_t *out) {
    return hash_of(settings, is_shared, out);
}

/* The field as text; "nothing" when it is not given and has no default. */
static gyre_status text_of(const config_field *f, const gyre_settings *settings, char **out) {
    cJSON *value = NULL;
    GYRE_TRY(value_of(f, settings, &value));
    *out = value != NULL ? cJSON_PrintUnformatted(value)
                         : strdup(f->fallback == NULL ? "nothing" : f->fallback);
    cJSON_Delete(value);
    return *out == NULL ? gyre_no_memory("writing the config") : GYRE_OK;
}

/* Cuts the texts of two networks to the first lines that differ. */
static void cut_to_difference(char *a, char *b) {
    const char *x = a, *y = b;
    size_t n, m;
    while (n = strcspn(x, "\n"), m = strcspn(y, "\n"),
           n == m && memcmp(x, y, n) == 0 && x[n] != '\0' && y[m] != '\0') {
        x += n + 1;
        y += m + 1;
    }
    for (; *x == ' '; x++) n--;
    for (; *y == ' '; y++) m--;
    memmove(a, x, n);
    memmove(b, y, m);
    a[n] = b[m] = '\0';
}

/* Cuts two objects of one line to what begins with the first field that differs. */
static void cut_to_field(char *a, char *b) {
    size_t same = 0;
    while (a[same] == b[same] && a[same] != '\0') same++;
    while (same > 0 && !(a[same] == '"' && (a[same - 1] == ',' || a[same - 1] == '{'))) same--;
    memmove(a, a + same, strlen(a + same) + 1);
    memmove(b, b + same, strlen(b + same) + 1);
}

/* Adds a field to the list, if it differs. */
static gyre_status add_difference(const config_field *f, const gyre_settings *run,
                                  const gyre_settings *now, char *list, size_t size) {
    enum { MOST = 100 }; /* bytes of a value */
    const char *separator = list[0] == '\0' ? "" : "; ";
    char *a = NULL, *b = NULL;
    if (f->kind == FIELD_STAGES && run->schedule.stage_count != now->schedule.stage_count) {
        gyre_text_add(list, size, "%s%s: run has %d stages, config has %d", separator, f->path,
                      run->schedule.stage_count, now->schedule.stage_count);
        return GYRE_OK;
    }
    gyre_status status = text_of(f, run, &a);
    if (status == GYRE_OK) status = text_of(f, now, &b);
    if (status == GYRE_OK && strcmp(a, b) != 0) {
        if (f->kind == FIELD_NETWORK) cut_to_difference(a, b);
        if (f->kind == FIELD_UNET) cut_to_field(a, b);
        gyre_text_add(list, size, "%s%s: run has %s, config has %s", separator, f->path,
                      gyre_text_shorten(a, MOST), gyre_text_shorten(b, MOST));
    }
    free(a);
    free(b);
    return status;
}

gyre_status gyre_config_list_differences(const gyre_settings *run, const gyre_settings *now,
                                         char *out, size_t size) {
    out[0] = '\0';
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        if (f->tag == GYRE_FIELD_ARITHMETIC) GYRE_TRY(add_difference(f, run, now, out, size));
    }
    return GYRE_OK;
}

gyre_status gyre_config_compare(const gyre_settings *run, const gyre_settings *now) {
    char list[GYRE_ERROR_MAX];
    GYRE_TRY(gyre_config_list_differences(run, now, list, sizeof list));
    if (list[0] == '\0') return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "the run was started with other settings; put them back or take a new --out: "
                     "%s",
                     list);
}

static bool may_matter(const config_field *f) {
    return f->tag != GYRE_FIELD_FREE || strcmp(f->path, "model.init_from") == 0;
}

gyre_status gyre_config_differences(const gyre_settings *a, const gyre_settings *b,
                                    void (*each)(void *context, const char *key), void *context) {
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        char *first = NULL, *second = NULL;
        if (!may_matter(f)) continue;
        gyre_status status = text_of(f, a, &first);
        if (status == GYRE_OK) status = text_of(f, b, &second);
        if (status == GYRE_OK && strcmp(first, second) != 0) each(context, f->path);
        free(first);
        free(second);
        GYRE_TRY(status);
    }
    return GYRE_OK;
}
