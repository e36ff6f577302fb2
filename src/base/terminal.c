/* The terminal behind stderr, its size, and durations as text. */
#include "gyre/terminal.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Under mpirun stderr is a pipe to the launcher, this process's parent on the launcher's own host,
 * which copies it to its own stderr. */
int gyre_terminal_open(void) {
    char launcher[64];
    if (isatty(STDERR_FILENO) == 1) return dup(STDERR_FILENO);
    if (getenv("OMPI_COMM_WORLD_SIZE") == NULL) return -1;
    snprintf(launcher, sizeof launcher, "/proc/%ld/fd/2", (long)getppid());
    int fd = open(launcher, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || isatty(fd) == 1) return fd;
    close(fd);
    return -1;
}

gyre_terminal_extent gyre_terminal_size(int fd) {
    struct winsize size;
    if (ioctl(fd, TIOCGWINSZ, &size) != 0) return (gyre_terminal_extent){80, 24};
    return (gyre_terminal_extent){size.ws_col > 10 ? size.ws_col : 80,
                                  size.ws_row > 2 ? size.ws_row : 24};
}

void gyre_print_duration(double seconds, char *out, int size) {
    long s = seconds > 0 && seconds < 1e9 ? lround(seconds) : 0;
    if (s >= 3600) {
        snprintf(out, (size_t)size, "%ld h %02ld min", s / 3600, s / 60 % 60);
    } else if (s >= 60) {
        snprintf(out, (size_t)size, "%ld min %02ld s", s / 60, s % 60);
    } else {
        snprintf(out, (size_t)size, "%ld s", s);
    }
}
