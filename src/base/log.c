#include "gyre/log.h"

#include "gyre/status.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool muted; /* set while there is no other thread */

static void print_line(const char *prefix, const char *format, va_list args) {
    char text[2048]; /* one write for a line, so that lines of several ranks never mix */
    int used = snprintf(text, sizeof text, "%s", prefix);
    vsnprintf(text + used, sizeof text - (size_t)used - 1, format, args);
    fprintf(stderr, "%s\n", text);
}

void gyre_warn(const char *format, ...) {
    if (muted) return;
    va_list args;
    va_start(args, format);
    print_line("gyre: warning: ", format, args);
    va_end(args);
}

void gyre_say(const char *format, ...) {
    if (muted) return;
    va_list args;
    va_start(args, format);
    print_line("", format, args);
    va_end(args);
}

void gyre_error_print(const char *place) {
    static char printed[GYRE_ERROR_MAX];
    if (strcmp(printed, gyre_error_text()) == 0) return;
    snprintf(printed, sizeof printed, "%s", gyre_error_text());
    fprintf(stderr, "gyre: error%s: %s\n", place, printed);
    fflush(stderr);
}

bool gyre_log_mute(bool mute) {
    bool was = muted;
    muted = mute;
    return was;
}
