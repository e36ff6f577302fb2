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

#endif
