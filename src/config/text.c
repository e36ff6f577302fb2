/* Text to JSON. cJSON parses; what it lets pass, and what it cannot know, is checked here. */
#include "fields.h"

#include "gyre/file.h"
#include "gyre/foreign.h"
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, KEYS_MAX = 1000 };

static gyre_status error_at(const char *text, const char *at, const char *where, const char *what) {
    int line = 1, column = 1;
    for (const char *p = text; p < at; p++) {
        if (*p == '\n') {
            line++;
            column = 1;
        } else if (((unsigned char)*p & 0xc0) != 0x80) { /* count UTF-8 characters */
            column++;
        }
    }
    char near[24] = "";
    size_t n = strcspn(at, "\r\n");
    snprintf(near, sizeof near, "%.*s", (int)(n < 20 ? n : 20), at);
    for (char *p = near; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ') *p = ' ';
    }
    const char *rest = *at == '\0' ? " at the end of the text" : " at the end of the line";
    return gyre_fail(GYRE_EUSAGE, "%s:%d:%d: %s%s%s%s", where, line, column, what,
                     n > 0 ? " near '" : "", near, n > 0 ? "'" : rest);
}

/* Behind the closing quote of the string that starts at `quote`; NULL when there is none on the
 * line. */
static char *string_end(char *quote) {
    for (char *p = quote + 1; *p != '\0' && *p != '\n'; p++) {
        if (*p == '"') return p + 1;
        if (*p == '\\' && p[1] != '\0' && p[1] != '\n') p++;
    }
    return NULL;
}

/* Overwrites the comment at p with spaces, so that every place behind it stays where it was. Behind
 * it; NULL when it is not closed. */
static char *blank_comment(char *p) {
    char *end = p[1] == '/' ? p + strcspn(p, "\n") : strstr(p + 2, "*/");
    if (end == NULL) return NULL;
    if (p[1] == '*') end += 2;
    memset(p, ' ', (size_t)(end - p));
    return end;
}

/* cJSON reads 064 as 64, which JSON does not have and other languages take for 52. */
static bool leading_zero(const char *text, const char *p) {
    if (p > text + 1 && p[-1] == '-') p--; /* 1e-07 */
    bool inside = p > text && (isalnum((unsigned char)p[-1]) || p[-1] == '.' || p[-1] == '+');
    p += *p == '-';
    return !inside && *p == '0' && isdigit((unsigned char)p[1]);
}

gyre_status config_blank_comments(const char *text, char *blanked, const char *where) {
    int depth = 0;
    for (char *p = blanked; *p != '\0';) {
        char *next = p + 1;
        const char *wrong = NULL;
        if (*p == '"') {
            next = string_end(p);
            if (next == NULL)
                wrong = "this string has no closing quote";
            else if (memmem(p, (size_t)(next - p), "\\u0000", 6) != NULL)
                wrong = "a string cannot hold \\u0000";
        } else if (*p == '/' && (p[1] == '/' || p[1] == '*')) {
            next = blank_comment(p);
            if (next == NULL) wrong = "this comment has no closing */";
        } else if (*p == '{' || *p == '[') {
            if (++depth > DEPTH_MAX) wrong = "nested deeper than 32 levels";
        } else if (*p == '}' || *p == ']') {
            depth--;
        } else if (leading_zero(blanked, p)) {
            wrong = "a number starts with a needless 0";
        }
        if (wrong != NULL) return error_at(text, text + (p - blanked), where, wrong);
        p = next;
    }
    return GYRE_OK;
}

static gyre_status check_key(const cJSON *child, const char *path, const char *where) {
    for (const cJSON *other = child->next; other != NULL; other = other->next) {
        if (strcmp(child->string, other->string) != 0) continue;
        return gyre_fail(GYRE_EUSAGE, "%s: key %s is given twice; remove one", where, path);
    }
    return GYRE_OK;
}

static gyre_status check_tree(const cJSON *item, const char *path, const char *where) {
    if (cJSON_IsNumber(item) && !isfinite(item->valuedouble)) {
        return gyre_fail(GYRE_EUSAGE, "%s: %s%sa finite number was expected", where, path,
                         path[0] == '\0' ? "" : ": ");
    }
    if (cJSON_IsObject(item) && cJSON_GetArraySize(item) > KEYS_MAX) {
        return gyre_fail(GYRE_EUSAGE, "%s: %s has more than %d keys", where,
                         path[0] == '\0' ? "the config" : path, KEYS_MAX);
    }
    for (const cJSON *child = item->child; child != NULL; child = child->next) {
        char below[200];
        snprintf(below, sizeof below, "%s%s%s", path, path[0] == '\0' ? "" : ".",
                 child->string == NULL ? "[]" : child->string);
        if (child->string != NULL) GYRE_TRY(check_key(child, below, where));
        GYRE_TRY(check_tree(child, below, where));
    }
    return GYRE_OK;
}

/* cJSON points one character behind a key that does not start with a quote: `{a: 1}`, `{"a": 1,}`.
 */
static const char *step_back(const char *text, const char *at) {
    if (at - text < 2 || strchr("\" \t\r\n", at[-1]) != NULL) return at;
    const char *before = at - 2;
    while (before > text && strchr(" \t\r\n", *before) != NULL) before--;
    return *before == ',' || *before == '{' ? at - 1 : at;
}

gyre_status config_parse_text(const char *text, const char *where, cJSON **out) {
    size_t size = strlen(text);
    if (size > GYRE_JSON_BYTES_MAX) {
        return gyre_fail(GYRE_EUSAGE, "%s: JSON of at most 16 MiB was expected, found %zu bytes",
                         where, size);
    }
    char *blanked = strdup(text); /* messages show and count the original */
    if (blanked == NULL) return gyre_no_memory("the config");
    cJSON *json = NULL;
    const char *end = blanked;
    gyre_status status = config_blank_comments(text, blanked, where);
    if (status != GYRE_OK) goto out;
    errno = 0;
    json = cJSON_ParseWithOpts(blanked, &end, false);
    if (json == NULL && errno == ENOMEM) { /* which cJSON does not tell from a syntax error */
        status = gyre_no_memory("the config");
        goto out;
    }
    if (json == NULL) {
        end = step_back(blanked, end);
        status = error_at(text, text + (end - blanked), where, "JSON syntax error");
        goto out;
    }
    end += strspn(end, " \t\r\n");
    if (*end != '\0') {
        status = error_at(text, text + (end - blanked), where, "unexpected text behind the config");
        goto out;
    }
    GYRE_GOTO(check_tree(json, "", where));
    *out = json;
    json = NULL;
out:
    cJSON_Delete(json);
    free(blanked);
    return status;
}

enum { FILE_MAX = 1 << 25 /* what config_parse_text refuses, it says better */ };

gyre_status config_read_file(const char *path, cJSON **out) {
    char *text = NULL;
    size_t size = 0;
    GYRE_TRY(gyre_foreign_check(path, false));
    GYRE_TRY(gyre_file_read(path, FILE_MAX, &text, &size));
    gyre_status status = GYRE_OK;
    if (strlen(text) != size) {
        status = gyre_fail(GYRE_EUSAGE, "%s: not a text: byte %zu is zero", path, strlen(text));
    }
    if (status == GYRE_OK) status = config_parse_text(text, path, out);
    free(text);
    return status;
}
