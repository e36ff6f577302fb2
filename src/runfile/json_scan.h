/* Reads the JSON of a safetensors file piece by piece, without making a tree: the header of a large
 * network has thousands of objects, all alike. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_JSON_SCAN_H
#define GYRE_RUNFILE_JSON_SCAN_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *path; /* of the file, for messages */
    const char *begin, *at, *end;
    int depth; /* of the value that is skipped */
} json_scan;

/* GYRE_EIO with the byte where `what` was expected. */
gyre_status json_scan_expected(const json_scan *s, const char *what);
/* Behind white space: takes `c` when it is the next character. */
bool json_scan_take(json_scan *s, char c);
gyre_status json_scan_need(json_scan *s, char c);
/* A string of at most size - 1 bytes as UTF-8; it holds no zero. */
gyre_status json_scan_string(json_scan *s, char *out, size_t size);
/* A whole number of at most 64 bits, without sign, fraction and exponent. */
gyre_status json_scan_whole(json_scan *s, uint64_t *out);
/* A value of any kind, nested at most 32 deep. */
gyre_status json_scan_skip(json_scan *s);
/* Nothing but white space is left. */
gyre_status json_scan_end(json_scan *s);
/* Before each member of an object, and each item of a list, whose opening character was taken: is
 * there one more? `first` is true before the first. Takes the comma, and the closing character. */
gyre_status json_scan_more(json_scan *s, char close, bool *first, bool *more);

#endif
