/* A program as a child process: no shell, its output in our message. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static gyre_status missing(const report_program *p) {
    return gyre_fail(GYRE_EIO, "%s was not found; %s", p->name, p->missing);
}

static gyre_status spawn(const report_program *p, const char *dir, char *const *arguments,
                         int output, pid_t *child) {
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed) return gyre_fail(GYRE_EIO, "cannot start %s: %s", p->name, strerror(failed));
    failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, output, 2);
    if (!failed) failed = posix_spawn_file_actions_addchdir_np(&actions, dir);
    if (!failed) failed = posix_spawnp(child, p->name, &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed == ENOENT) return missing(p);
    if (failed) return gyre_fail(GYRE_EIO, "cannot start %s: %s", p->name, strerror(failed));
    return GYRE_OK;
}

/* Keeps the beginning of the output as one line, and drops the rest. */
static void read_output(int from, char *text, size_t room) {
    char rest[512] = "";
    size_t used = 0;
    for (;;) {
        bool full = used + 1 >= room;
        ssize_t got = read(from, full ? rest : text + used, full ? sizeof rest : room - 1 - used);
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) break;
        if (!full) used += (size_t)got;
    }
    text[used] = '\0';
    for (size_t i = 0; i < used; i++) {
        if ((unsigned char)text[i] < ' ') text[i] = ' ';
    }
}

static gyre_status check_end(const report_program *p, pid_t child, const char *dir,
                             const char *subject, const char *text) {
    int how = 0;
    while (waitpid(child, &how, 0) < 0) {
        if (errno != EINTR) return gyre_fail(GYRE_EIO, "lost %s: %s", p->name, strerror(errno));
    }
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0) return GYRE_OK;
    if (WIFEXITED(how) && WEXITSTATUS(how) == 127) return missing(p);
    if (WIFSIGNALED(how)) {
        return gyre_fail(GYRE_EIO, "%s was ended by signal %d on '%s/%s'", p->name, WTERMSIG(how),
                         dir, subject);
    }
    return gyre_fail(GYRE_EIO, "%s failed on '%s/%s': %.400s", p->name, dir, subject, text);
}

gyre_status report_program_run(const report_program *p, const char *dir, char *const *arguments,
                               const char *subject) {
    gyre_status status = GYRE_OK;
    char text[512] = "";
    int ends[2] = {-1, -1};
    pid_t child = -1;
    if (pipe2(ends, O_CLOEXEC) != 0) {
        return gyre_fail(GYRE_EIO, "cannot start %s: %s", p->name, strerror(errno));
    }
    GYRE_GOTO(spawn(p, dir, arguments, ends[1], &child));
    close(ends[1]);
    ends[1] = -1;
    read_output(ends[0], text, sizeof text);
    status = check_end(p, child, dir, subject, text);
out:
    close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
    return status;
}
