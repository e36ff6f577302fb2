/* A config with some values replaced, as text: whatever a person wrote around them, comments and
 * layout, stays where it was. The text has been read as a config before, so its syntax is right. */
#include "fields.h"

#include "gyre/file.h"
#include "gyre/text.h"
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 1 << 24 };

typedef struct {
    char *text, *blank; /* the same length; comments are spaces in `blank` */
} config_text;

static const char *skip_space(const char *p) {
    return p + strspn(p, " \t\r\n");
}

static const char *skip_string(const char *p) {
    for (p++; *p != '"'; p++) {
        if (*p == '\\') p++;
    }
    return p + 1;
}

/* Behind the value that begins at p. */
static const char *skip_value(const char *p) {
    if (*p == '"') return skip_string(p);
    if (*p != '{' && *p != '[') return p + strcspn(p, ",]} \t\r\n");
    for (int depth = 0;;) {
        if (*p == '"') {
            p = skip_string(p);
            continue;
        }
        if (*p == '{' || *p == '[') depth++;
        if (*p == '}' || *p == ']') depth--;
        p++;
        if (depth == 0) return p;
    }
}

/* The value of `key` in the object that begins at `object`; NULL when it has none. */
static const char *member(const char *object, const char *key, size_t length) {
    const char *p = skip_space(object + 1);
    while (*p == '"') {
        const char *end = skip_string(p);
        bool found = (size_t)(end - p) == length + 2 && strncmp(p + 1, key, length) == 0;
        p = skip_space(skip_space(end) + 1);
        if (found) return p;
        p = skip_space(skip_value(p));
        if (*p == ',') p = skip_space(p + 1);
    }
    return NULL;
}

/* The same for the longest beginning of `path` that is a key, since keys may be dotted:
 * {"schedule.max_lr": 1}. *taken: its length. */
static const char *member_on_path(const char *object, const char *path, size_t *taken) {
    for (size_t length = strlen(path); length > 0;) {
        const char *found = member(object, path, length);
        *taken = length;
        if (found != NULL) return found;
        do length--;
        while (length > 0 && path[length] != '.');
    }
    return NULL;
}

/* Puts `with` in the place of the bytes from `begin` to `end`, in text and blank alike. */
static gyre_status splice(config_text *t, size_t begin, size_t end, const char *with) {
    char **both[] = {&t->text, &t->blank};
    size_t size = strlen(t->text), added = strlen(with);
    for (int i = 0; i < 2; i++) {
        size_t room = size - (end - begin) + added + 1;
        char *fresh = malloc(room);
        if (fresh == NULL) return gyre_no_memory("the config");
        snprintf(fresh, room, "%.*s%s%s", (int)begin, *both[i], with, *both[i] + end);
        free(*both[i]);
        *both[i] = fresh;
    }
    return GYRE_OK;
}

/* A key that an object does not have yet becomes its first, with the objects that it needs. */
static gyre_status insert(config_text *t, size_t object, const char *path, const char *value) {
    char fresh[512] = "";
    int depth = 0;
    for (const char *dot; (dot = strchr(path, '.')) != NULL; path = dot + 1, depth++) {
        gyre_text_add(fresh, sizeof fresh, "\"%.*s\": {", (int)(dot - path), path);
    }
    bool empty = *skip_space(t->blank + object + 1) == '}';
    gyre_text_add(fresh, sizeof fresh, "\"%s\": %s%.*s%s", path, value, depth, "}}}}",
                  empty ? "" : ", ");
    return splice(t, object + 1, object + 1, fresh);
}

/* null where an object is needed */
static gyre_status replace_with_object(config_text *t, size_t at, const char *path,
                                       const char *value) {
    GYRE_TRY(splice(t, at, (size_t)(skip_value(t->blank + at) - t->blank), "{}"));
    return insert(t, at, path, value);
}

static gyre_status replace(config_text *t, const char *path, const char *value) {
    size_t mark = strncmp(t->blank, "\xef\xbb\xbf", 3) == 0 ? 3 : 0; /* of UTF-8 */
    size_t at = (size_t)(skip_space(t->blank + mark) - t->blank), length;
    while (*path != '\0') {
        const char *found =
            t->blank[at] == '{' ? member_on_path(t->blank + at, path, &length) : NULL;
        if (found == NULL && t->blank[at] != '{') return replace_with_object(t, at, path, value);
        if (found == NULL) return insert(t, at, path, value);
        at = (size_t)(found - t->blank);
        path += length + (path[length] == '.');
    }
    return splice(t, at, (size_t)(skip_value(t->blank + at) - t->blank), value);
}

gyre_status gyre_config_edit(const char *path, const gyre_config_change *changes, int count,
                             char **out) {
    gyre_status status = GYRE_OK;
    config_text t = {0};
    size_t size = 0;
    GYRE_GOTO(gyre_file_read(path, TEXT_MAX, &t.text, &size));
    t.blank = strdup(t.text);
    if (t.blank == NULL) GYRE_GOTO(gyre_no_memory("the config"));
    GYRE_GOTO(config_blank_comments(t.text, t.blank, path));
    for (int i = 0; i < count; i++) GYRE_GOTO(replace(&t, changes[i].key, changes[i].value));
    *out = t.text;
    t.text = NULL;
out:
    free(t.text);
    free(t.blank);
    return status;
}
