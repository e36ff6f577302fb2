/* Makes the disk fail: preloaded, it counts the calls on files whose path holds FAULT_PATH, and the
 * one numbered FAULT_AT ends as FAULT says: ENOSPC, EIO or EROFS (from then on for FAULT_COUNT
 * calls, default 1), "short" (half of a write is done), "slow" (after ten seconds), "hold" (after
 * somebody's SIGCONT), or not at all: "kill" ends the process before it, "tear" in the middle of
 * it. What it did goes to FAULT_LOG: "CALL NAME PROCESS". All are variables of the environment. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_int calls;

static void *real(const char *name) {
    return dlsym(RTLD_NEXT, name);
}

static int concerns(const char *path) {
    const char *wanted = getenv("FAULT_PATH");
    return wanted != NULL && strstr(path, wanted) != NULL;
}

static int concerns_fd(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n < 0) return 0;
    path[n] = '\0';
    return concerns(path);
}

static void note(const char *what, int call) {
    const char *log = getenv("FAULT_LOG");
    FILE *f = log == NULL ? NULL : fopen(log, "a");
    if (f == NULL) return;
    fprintf(f, "%d %s %d\n", call, what, (int)getpid());
    fclose(f);
}

/* The error that this call is to end with; -1: half a write; 0: none. */
static int fault(const char *what) {
    const char *kind = getenv("FAULT"), *at = getenv("FAULT_AT"), *count = getenv("FAULT_COUNT");
    int call = ++calls, first = at == NULL ? 0 : atoi(at);
    int last = first + (count == NULL ? 1 : atoi(count)) - 1;
    if (kind == NULL || call < first || call > last) return 0;
    note(what, call);
    if (strcmp(kind, "slow") == 0) {
        sleep(10);
        return 0;
    }
    if (strcmp(kind, "hold") == 0) {
        kill(getpid(), SIGSTOP); /* all threads */
        return 0;
    }
    if (strcmp(kind, "kill") == 0) raise(SIGKILL);
    if (strcmp(kind, "ENOSPC") == 0) return ENOSPC;
    if (strcmp(kind, "EROFS") == 0) return EROFS;
    return strcmp(kind, "EIO") == 0 ? EIO : -1;
}

#define FAIL_IF(touches, what)                                                                     \
    do {                                                                                           \
        int reason = (touches) ? fault(what) : 0;                                                  \
        if (reason > 0) {                                                                          \
            errno = reason;                                                                        \
            return -1;                                                                             \
        }                                                                                          \
    } while (0)

int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    int writes = (flags & (O_WRONLY | O_RDWR | O_CREAT)) != 0;
    FAIL_IF(writes && concerns(path), "open");
    return ((int (*)(const char *, int, ...))real("open"))(path, flags, mode);
}

/* Half a write was done: the end, or short for whoever asked. */
static ssize_t half(ssize_t done) {
    if (strcmp(getenv("FAULT"), "tear") == 0) raise(SIGKILL);
    return done;
}

ssize_t write(int fd, const void *data, size_t size) {
    ssize_t (*call)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))real("write");
    int reason = concerns_fd(fd) ? fault("write") : 0;
    if (reason > 0) {
        errno = reason;
        return -1;
    }
    return reason < 0 ? half(call(fd, data, size / 2)) : call(fd, data, size);
}

static ssize_t write_at(const char *name, int fd, const void *data, size_t size, off_t at) {
    ssize_t (*call)(int, const void *, size_t, off_t) =
        (ssize_t(*)(int, const void *, size_t, off_t))real(name);
    int reason = concerns_fd(fd) ? fault(name) : 0;
    if (reason > 0) {
        errno = reason;
        return -1;
    }
    return reason < 0 ? half(call(fd, data, size / 2, at)) : call(fd, data, size, at);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    return write_at("pwrite", fd, data, size, at);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at) {
    return write_at("pwrite64", fd, data, size, at);
}

int fsync(int fd) {
    FAIL_IF(concerns_fd(fd), "fsync");
    return ((int (*)(int))real("fsync"))(fd);
}

int close(int fd) {
    int touches = concerns_fd(fd);
    int done = ((int (*)(int))real("close"))(fd);
    FAIL_IF(touches, "close");
    return done;
}

int rename(const char *from, const char *to) {
    FAIL_IF(concerns(to), "rename");
    return ((int (*)(const char *, const char *))real("rename"))(from, to);
}
