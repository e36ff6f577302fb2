#include "gyre/line.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Under mpirun stderr is a pipe to the launcher, this process's parent on the launcher's own host,
 * which copies it to its own stderr. */
static int find_terminal(void) {
    char launcher[64];
    if (isatty(STDERR_FILENO) == 1) return dup(STDERR_FILENO);
    if (getenv("OMPI_COMM_WORLD_SIZE") == NULL) return -1;
    snprintf(launcher, sizeof launcher, "/proc/%ld/fd/2", (long)getppid());
    int fd = open(launcher, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || isatty(fd) == 1) return fd;
    close(fd);
    return -1;
}

gyre_line gyre_line_open(void) {
    return (gyre_line){.terminal = find_terminal()};
}

void gyre_line_close(gyre_line *l) {
    gyre_line_clear(l);
    if (l->terminal >= 0) close(l->terminal);
    l->terminal = -1;
}

int gyre_line_width(const gyre_line *l) {
    struct winsize size;
    bool told = ioctl(l->terminal, TIOCGWINSZ, &size) == 0 && size.ws_col > 10;
    return (told ? size.ws_col : 80) - 1;
}

void gyre_line_show(gyre_line *l, const char *text) {
    fprintf(stderr, "\r%.*s\033[K", gyre_line_width(l), text);
    fflush(stderr);
    l->shown = true;
}

void gyre_line_clear(gyre_line *l) {
    if (!l->shown) return;
    fprintf(stderr, "\r\033[K");
    fflush(stderr);
    l->shown = false;
}
