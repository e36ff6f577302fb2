/* The board; see board.h. The first rank of a host makes memory without a name, which the others
 * open through /proc: nothing is left behind, whatever becomes of the ranks. */
#include "board.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

static void *map(int fd, int count) {
    size_t bytes = (size_t)count * sizeof(dist_board_line);
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, fd, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

gyre_status dist_board_open_alone(dist_board *out) {
    *out = (dist_board){.lines = map(-1, 1), .count = 1};
    if (out->lines == NULL) return gyre_no_memory("the watchdog");
    atomic_store(&out->lines[0].process, (int32_t)getpid());
    return GYRE_OK;
}

/* The first rank makes the file: its place is {process, descriptor}; -1: there is none. */
static int make(int count, int place[2]) {
    int fd = memfd_create("gyre-ranks", MFD_CLOEXEC);
    if (fd >= 0 && ftruncate(fd, (off_t)((size_t)count * sizeof(dist_board_line))) != 0) {
        close(fd);
        fd = -1;
    }
    place[0] = (int)getpid();
    place[1] = fd;
    return fd;
}

static int open_other(const int place[2]) {
    char path[64];
    if (place[1] < 0) return -1;
    snprintf(path, sizeof path, "/proc/%d/fd/%d", place[0], place[1]);
    return open(path, O_RDWR | O_CLOEXEC);
}

gyre_status dist_board_open(MPI_Comm local, dist_board *out) {
    int place[2] = {0, -1}, fd = -1, all = 0;
    dist_board b = {0};
    MPI_Comm_rank(local, &b.mine);
    MPI_Comm_size(local, &b.count);
    if (b.mine == 0) fd = make(b.count, place);
    MPI_Bcast(place, 2, MPI_INT, 0, local);
    if (b.mine > 0) fd = open_other(place);
    if (fd >= 0) b.lines = map(fd, b.count);
    int mine = b.lines != NULL;
    MPI_Allreduce(&mine, &all, 1, MPI_INT, MPI_MIN, local); /* and all have opened it */
    if (fd >= 0) close(fd);
    b.shared = all == 1;
    if (!b.shared) {
        dist_board_close(&b);
        return dist_board_open_alone(out);
    }
    dist_board_line *line = &b.lines[b.mine];
    atomic_store(&line->process, (int32_t)getpid());
    atomic_store(&line->seen, dist_board_time());
    *out = b;
    return GYRE_OK;
}

void dist_board_close(dist_board *b) {
    if (b->lines != NULL) munmap(b->lines, (size_t)b->count * sizeof *b->lines);
    *b = (dist_board){0};
}

int64_t dist_board_time(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void dist_board_phase(dist_board *b, const char *phase, int64_t step) {
    dist_board_line *line = &b->lines[b->mine];
    size_t length = strnlen(phase, DIST_PHASE_BYTES - 1);
    memcpy(line->phase, phase, length);
    line->phase[length] = '\0';
    atomic_store_explicit(&line->step, step, memory_order_relaxed);
}
