/* JSON values: built, read (with checks of comments, duplicate keys and depth) and printed. The
 * only users of cJSON are src/config's files; others see this. */
#ifndef GYRE_JSON_H
#define GYRE_JSON_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gyre_json gyre_json;             /* being written */
typedef struct gyre_json_value gyre_json_value; /* read, or written to its end */

/* An object, built value by value. The keys of values in a list are NULL. After a failure (out of
 * memory; also of gyre_json_begin, which then gives NULL) later calls do nothing, and gyre_json_end
 * gives NULL. */
gyre_json *gyre_json_begin(void);
void gyre_json_add_text(gyre_json *j, const char *key, const char *value); /* NULL: null */
void gyre_json_add_number(gyre_json *j, const char *key, double value);    /* not finite: null */
void gyre_json_add_integer(gyre_json *j, const char *key, int64_t value);
void gyre_json_add_flag(gyre_json *j, const char *key, bool value);
void gyre_json_add_null(gyre_json *j, const char *key);
void gyre_json_add_value(gyre_json *j, const char *key, const gyre_json_value *value); /* a copy */
/* What is added then goes into a new object or list, until gyre_json_leave. At most 7 deep. */
void gyre_json_enter_object(gyre_json *j, const char *key);
void gyre_json_enter_list(gyre_json *j, const char *key);
void gyre_json_leave(gyre_json *j);
/* Both free `j`. The text is one line without a newline; free() it. */
char *gyre_json_end(gyre_json *j);
gyre_json_value *gyre_json_end_value(gyre_json *j); /* gyre_json_close it */

typedef enum {
    GYRE_JSON_NULL,
    GYRE_JSON_FLAG,
    GYRE_JSON_NUMBER,
    GYRE_JSON_TEXT,
    GYRE_JSON_LIST,
    GYRE_JSON_OBJECT
} gyre_json_kind;

enum { GYRE_JSON_BYTES_MAX = 1 << 24 }; /* of a text that is read */

/* `where` (the file's name) begins a message. Errors: GYRE_EUSAGE with line and column, or the key
 * that is given twice. */
gyre_status gyre_json_parse(const char *text, const char *where, gyre_json_value **out);
/* The same from a file; GYRE_EIO when it cannot be read. */
gyre_status gyre_json_read(const char *path, gyre_json_value **out);
void gyre_json_close(gyre_json_value *v);                  /* with all that is in it */
gyre_json_value *gyre_json_copy(const gyre_json_value *v); /* NULL if out of memory */

gyre_json_kind gyre_json_kind_of(const gyre_json_value *v);
/* The members of an object or list in the order of the text: the first, then the next, NULL at the
 * end. */
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
/* The same with each member of `v`, an object, on a line, and each item of its lists on one. */
char *gyre_json_print_rows(const gyre_json_value *v);
char *gyre_json_quote(const char *text); /* text as JSON; free() it, NULL if out of memory */

#endif
