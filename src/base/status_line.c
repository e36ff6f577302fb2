/* The rewritten line of a terminal; see status_line.h. */
#include "gyre/status_line.h"

#include "gyre/terminal.h"
#include "gyre/text.h"
#include <stdio.h>
#include <unistd.h>

gyre_status_line gyre_status_line_open(bool silent) {
    return (gyre_status_line){.terminal = silent ? -1 : gyre_terminal_open()};
}

void gyre_status_line_close(gyre_status_line *l) {
    gyre_status_line_clear(l);
    if (l->terminal >= 0) close(l->terminal);
    l->terminal = -1;
}

int gyre_status_line_width(const gyre_status_line *l) {
    return gyre_terminal_size(l->terminal).columns - 1;
}

void gyre_status_line_show(gyre_status_line *l, const char *text) {
    char shown[1024];
    gyre_text_visible(text, shown, sizeof shown);
    fprintf(stderr, "\r%.*s\033[K", gyre_status_line_width(l), shown);
    fflush(stderr);
    l->shown = true;
}

void gyre_status_line_clear(gyre_status_line *l) {
    if (!l->shown) return;
    fprintf(stderr, "\r\033[K");
    fflush(stderr);
    l->shown = false;
}
