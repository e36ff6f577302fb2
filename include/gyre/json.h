/* JSON values: the reader (with comments, duplicate and depth checks) and the writer. The only
 * users of cJSON are src/config's files; others see this. */
#ifndef GYRE_JSON_H
#define GYRE_JSON_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gyre_json gyre_json; /* one line of JSON being written */

/* A JSON object on one line, built field by field; after a failure (out of memory) later calls do
 * nothing and gyre_json_line_end gives NULL. */
gyre_json *gyre_json_line_begin(void);
void gyre_json_line_text(gyre_json *j, const char *key, const char *value);
void gyre_json_line_number(gyre_json *j, const char *key, double value);
void gyre_json_line_integer(gyre_json *j, const char *key, int64_t value);
void gyre_json_line_flag(gyre_json *j, const char *key, bool value);
/* `value` is JSON text and goes in as it is. */
void gyre_json_line_raw(gyre_json *j, const char *key, const char *value);
/* The text without a newline; free() it. Frees `j`. */
char *gyre_json_line_end(gyre_json *j);

/* What was read. Values belong to the one that was parsed; that one is given back. */
typedef struct gyre_json_value gyre_json_value;
typedef enum {
    GYRE_JSON_NULL,
    GYRE_JSON_FLAG,
    GYRE_JSON_NUMBER,
    GYRE_JSON_TEXT,
    GYRE_JSON_LIST,
    GYRE_JSON_OBJECT
} gyre_json_kind;

enum { GYRE_JSON_BYTES_MAX = 1 << 20 }; /* of a text that is read */

/* `where` (the file's name) begins a message. Errors: GYRE_EUSAGE with line and column, or the key
 * that is given twice. */
gyre_status gyre_json_parse(const char *text, const char *where, gyre_json_value **out);
/* The same from a file; GYRE_EIO when it cannot be read. */
gyre_status gyre_json_read(const char *path, gyre_json_value **out);
void gyre_json_close(gyre_json_value *v);

gyre_json_kind gyre_json_kind_of(const gyre_json_value *v);
/* Of an object or list, in the order of the text: the first, then the next, NULL at the end. */
const gyre_json_value *gyre_json_first(const gyre_json_value *v);
const gyre_json_value *gyre_json_next(const gyre_json_value *v);
const char *gyre_json_key(const gyre_json_value *v); /* in its object; NULL in a list */
/* The value of a key, NULL when `v` is no object or has none. */
const gyre_json_value *gyre_json_get(const gyre_json_value *v, const char *key);
const char *gyre_json_text(const gyre_json_value *v); /* NULL unless it is text */
double gyre_json_number(const gyre_json_value *v);    /* NaN unless it is a number */
bool gyre_json_is_true(const gyre_json_value *v);
/* The value as text, on one line or laid out in many. Numbers read back as the same doubles. free()
 * it; NULL if out of memory. */
char *gyre_json_print(const gyre_json_value *v, bool pretty);

#endif
