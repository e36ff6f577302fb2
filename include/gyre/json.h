/* JSON values: the reader for configs (with comments, duplicate and depth checks) and the writer
 * for log lines. The only users of cJSON are src/config's files; others see this. */
#ifndef GYRE_JSON_H
#define GYRE_JSON_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gyre_json gyre_json; /* one line of JSON being written */

/* A JSON object on one line, built field by field; after a failure (no memory) later calls do
 * nothing and gyre_json_line_end gives NULL. */
gyre_json *gyre_json_line_begin(void);
void gyre_json_line_text(gyre_json *j, const char *key, const char *value);
void gyre_json_line_number(gyre_json *j, const char *key, double value);
void gyre_json_line_integer(gyre_json *j, const char *key, int64_t value);
/* The text without a newline; free() it. Frees `j`. */
char *gyre_json_line_end(gyre_json *j);

/* What was read. Values belong to the one that was read; that one is given back. */
typedef struct gyre_json_value gyre_json_value;

/* Errors: GYRE_EUSAGE with line and column, or the key that is given twice; GYRE_EIO when the file
 * cannot be read. */
gyre_status gyre_json_read(const char *path, gyre_json_value **out);
void gyre_json_close(gyre_json_value *v);

/* Of an object or list, in the order of the text: the first, then the next, NULL at the end. */
const gyre_json_value *gyre_json_first(const gyre_json_value *v);
const gyre_json_value *gyre_json_next(const gyre_json_value *v);
/* The value of a key, NULL when `v` is no object or has none. */
const gyre_json_value *gyre_json_get(const gyre_json_value *v, const char *key);
const char *gyre_json_text(const gyre_json_value *v); /* NULL unless it is text */
double gyre_json_number(const gyre_json_value *v);    /* NaN unless it is a number */

#endif
