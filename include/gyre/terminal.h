/* The terminal that a person watches, and durations as text. */
#ifndef GYRE_TERMINAL_H
#define GYRE_TERMINAL_H

/* A file descriptor of the terminal that stderr ends on, -1: it ends elsewhere. For asking only;
 * what is shown goes through stderr. close() it. */
int gyre_terminal_open(void);

typedef struct {
    int columns, rows;
} gyre_terminal_extent;
gyre_terminal_extent gyre_terminal_size(int fd); /* 80 x 24 when it does not tell */

/* "1 h 02 min", "3 min 20 s", "12 s" */
void gyre_print_duration(double seconds, char *out, int size);

#endif
