/* Reading the layout of a file that nobody vouches for, in a process of its own.
 *
 * A damaged HDF5 file can hang or crash the library. The child is this very program, started again
 * under the name below: it answers before main() and never gets there, so that every program with
 * this file in it (the tests too) can probe, and none can forget how. It is spawned, not forked: a
 * fork of a process whose pages a network card writes to can leave the card with the old copies,
 * and one of several threads may inherit locks that nobody will open. */
#include "layout.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char probe_name[] = "gyre-probe-dataset";

typedef struct {
    int32_t status;
    char text[GYRE_ERROR_MAX];
    gyre_layout layout;
} answer;

/* One write to a pipe, so that it arrives whole or not at all. */
_Static_assert(sizeof(answer) <= 4096, "an answer fits PIPE_BUF");

/* ---- the child */

/* glibc hands a program's arguments to its constructors. */
__attribute__((constructor)) static void answer_as_probe(int argc, char **argv) {
    if (argc != 3 || strcmp(argv[0], probe_name) != 0) return;
    static answer a;
    const struct rlimit none = {0, 0};
    setrlimit(RLIMIT_CORE, &none);
    alarm((unsigned)strtoul(argv[2], NULL, 10)); /* should the parent die before */
    a.status = (int32_t)gyre_layout_read(argv[1], &a.layout);
    snprintf(a.text, sizeof a.text, "%s", gyre_error_text());
    _exit(write(STDOUT_FILENO, &a, sizeof a) == (ssize_t)sizeof a ? 0 : 1);
}

/* ---- the parent */

static int set_up(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int words) {
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    int failed = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failed) failed = posix_spawn_file_actions_adddup2(actions, words, 1);
    if (!failed) failed = posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0);
    if (!failed) failed = posix_spawnattr_setsigmask(attributes, &none);
    if (!failed) failed = posix_spawnattr_setsigdefault(attributes, &all);
    if (!failed) {
        failed =
            posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    return failed;
}

static gyre_status spawn(const char *path, int seconds, int words, pid_t *child) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char name[sizeof probe_name], limit[16], *file = strdup(path);
    memcpy(name, probe_name, sizeof name);
    snprintf(limit, sizeof limit, "%d", seconds + 1);
    char *const arguments[] = {name, file, limit, NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int failed = file == NULL ? ENOMEM : set_up(&actions, &attributes, words);
    if (!failed) {
        failed = posix_spawn(child, "/proc/self/exe", &actions, &attributes, arguments, environ);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(file);
    if (!failed) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "cannot start a process to probe '%s': %s", path, strerror(failed));
}

static int64_t milliseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

typedef enum { ANSWERED, ENDED, LATE } outcome;

static outcome receive(int from, int64_t deadline, answer *out) {
    for (;;) {
        int64_t left = deadline - milliseconds();
        struct pollfd ready = {.fd = from, .events = POLLIN};
        int n = poll(&ready, 1, left > 0 ? (int)left : 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return LATE;
        ssize_t got = read(from, out, sizeof *out);
        if (got < 0 && errno == EINTR) continue;
        return got == (ssize_t)sizeof *out ? ANSWERED : ENDED;
    }
}

/* How the child ended; it has answered, has crashed, or is told to end now. */
static int reap(pid_t child) {
    int how = 0;
    kill(child, SIGKILL);
    while (waitpid(child, &how, 0) < 0) {
        if (errno != EINTR) return 0;
    }
    return how;
}

static gyre_status verdict(const char *path, int seconds, outcome o, int how) {
    if (o == ANSWERED) return GYRE_OK;
    if (o == LATE) {
        return gyre_fail(GYRE_EIO,
                         "'%s' is damaged, or its disk is very slow: HDF5 did not read its layout "
                         "within %d s",
                         path, seconds);
    }
    return gyre_fail(GYRE_EIO, "'%s' is damaged: HDF5 crashed on it (%s %d)", path,
                     WIFSIGNALED(how) ? "signal" : "exit",
                     WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
}

gyre_status gyre_layout_probe(const char *path, int seconds, gyre_layout *out) {
    answer a = {0};
    pid_t child = -1;
    int ends[2] = {-1, -1};
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return gyre_fail(GYRE_EIO, "cannot probe '%s': %s", path, strerror(errno));
    }
    gyre_status status = spawn(path, seconds, ends[1], &child);
    close(ends[1]);
    if (status == GYRE_OK) {
        outcome o = receive(ends[0], milliseconds() + 1000 * (int64_t)seconds, &a);
        status = verdict(path, seconds, o, reap(child));
    }
    close(ends[0]);
    GYRE_TRY(status);
    if (a.status != GYRE_OK) return gyre_fail((gyre_status)a.status, "%s", a.text);
    *out = a.layout;
    return GYRE_OK;
}
