/* Status texts and the calling thread's last error message. The thread-local buffer is the one
 * piece of mutable state outside an object: it is what errno would be, with words. */
#include "gyre/status.h"

#include "gyre/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#undef gyre_fail /* the analyzer's */
#undef gyre_no_memory

static const char cut_mark[] = "...";
static _Thread_local char last_error[GYRE_ERROR_MAX];

/* The arguments may point into last_error. */
static void record(const char *prefix, const char *format, va_list args) {
    char text[GYRE_ERROR_MAX];
    size_t start = (size_t)snprintf(text, sizeof text, "%s", prefix);
    size_t length = start + (size_t)vsnprintf(text + start, sizeof text - start, format, args);
    if (length >= sizeof text) gyre_text_cut(text);
    size_t room = sizeof last_error - strlen(cut_mark);
    if (gyre_text_visible(text, last_error, room) >= room || length >= sizeof text) {
        memcpy(last_error + strlen(last_error), cut_mark, sizeof cut_mark);
    }
}

gyre_status gyre_fail(gyre_status code, const char *format, ...) {
    va_list args;
    va_start(args, format);
    record("", format, args);
    va_end(args);
    return code;
}

gyre_status gyre_no_memory(const char *what, ...) {
    va_list args;
    va_start(args, what);
    record("out of memory: ", what, args);
    va_end(args);
    return GYRE_EDEVICE;
}

gyre_status gyre_fail_in(const char *prefix, gyre_status status) {
    return status == GYRE_OK ? GYRE_OK : gyre_fail(status, "%s: %s", prefix, last_error);
}

const char *gyre_error_text(void) {
    return last_error;
}

const char *gyre_status_text(gyre_status code) {
    switch (code) {
#define STATUS_CASE(name, number, text)                                                            \
    case GYRE_##name: return text;
        GYRE_STATUS_MAP(STATUS_CASE)
#undef STATUS_CASE
    }
    return "unknown status";
}
