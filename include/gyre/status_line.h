/* One line on a terminal that is rewritten: how long work shows how far it is. Elsewhere there is
 * none, and plain lines are for the caller to write. */
#ifndef GYRE_STATUS_LINE_H
#define GYRE_STATUS_LINE_H

#include <stdbool.h>

typedef struct {
    int terminal; /* file descriptor, to ask for its width; -1: there is none */
    bool shown;
} gyre_status_line;

/* The terminal that stderr ends on, through mpirun as well; `silent`: none is looked for.
 * gyre_status_line_close() it. */
gyre_status_line gyre_status_line_open(bool silent);
void gyre_status_line_close(gyre_status_line *l);

int gyre_status_line_width(
    const gyre_status_line *l); /* columns for text; 80 when it does not tell */

/* Writes `text`, cut to the width, in place of what was there. Only with a terminal. */
void gyre_status_line_show(gyre_status_line *l, const char *text);
/* Takes the line off the terminal, before something else is printed. */
void gyre_status_line_clear(gyre_status_line *l);

#endif
