#include "gyre/log.h"

#include <stdarg.h>
#include <stdio.h>

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

bool gyre_log_mute(bool mute) {
    bool was = muted;
    muted = mute;
    return was;
}
