/* Messages on stderr, muted on all ranks but 0; see log.h. */
#include "gyre/log.h"

#include "gyre/status.h"
#include "gyre/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool muted; /* set while there is no other thread */

static void print_line(const char *prefix, const char *format, va_list args) {
    char text[2048], line[2 * sizeof text];
    int length = vsnprintf(text, sizeof text, format, args);
    if (length >= (int)sizeof text) gyre_text_cut(text);
    size_t used = (size_t)snprintf(line, sizeof line, "%s", prefix);
    gyre_text_visible(text, line + used, sizeof line - used);
    fprintf(stderr, "%s\n", line); /* one write, so that lines of several ranks never mix */
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

static char printed[GYRE_ERROR_MAX];

bool gyre_error_printed(void) {
    return strcmp(printed, gyre_error_text()) == 0;
}

void gyre_error_set_printed(void) {
    snprintf(printed, sizeof printed, "%s", gyre_error_text());
}

void gyre_error_print(const char *place) {
    if (gyre_error_printed()) return;
    gyre_error_set_printed();
    fprintf(stderr, "gyre: error%s: %s\n", place, printed);
    fflush(stderr);
}

bool gyre_log_mute(bool mute) {
    bool was = muted;
    muted = mute;
    return was;
}
