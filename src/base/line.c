#include "gyre/line.h"

#include "gyre/terminal.h"
#include "gyre/text.h"
#include <stdio.h>
#include <unistd.h>

gyre_line gyre_line_open(bool silent) {
    return (gyre_line){.terminal = silent ? -1 : gyre_terminal_open()};
}

void gyre_line_close(gyre_line *l) {
    gyre_line_clear(l);
    if (l->terminal >= 0) close(l->terminal);
    l->terminal = -1;
}

int gyre_line_width(const gyre_line *l) {
    return gyre_terminal_size(l->terminal).columns - 1;
}

void gyre_line_show(gyre_line *l, const char *text) {
    char shown[1024];
    gyre_text_visible(text, shown, sizeof shown);
    fprintf(stderr, "\r%.*s\033[K", gyre_line_width(l), shown);
    fflush(stderr);
    l->shown = true;
}

void gyre_line_clear(gyre_line *l) {
    if (!l->shown) return;
    fprintf(stderr, "\r\033[K");
    fflush(stderr);
    l->shown = false;
}
