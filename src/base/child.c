/* Starting, limiting and ending a child that reads a file; see gyre/child.h. */
#include "gyre/child.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { CHILD_SOCKET = 0, SLACK = 1 /* seconds */, COMPUTING = 8 };

/* ---- the child */

static void limit(int resource, rlim_t most) {
    struct rlimit l;
    if (getrlimit(resource, &l) != 0) return;
    if (l.rlim_cur > most) l.rlim_cur = most;
    if (l.rlim_max > most + SLACK) l.rlim_max = most + SLACK;
    setrlimit(resource, &l);
}

/* Bytes of memory of the child's own, as they are now; 0: unknown. */
static rlim_t data_now(void) {
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");
    if (f == NULL) return 0;
    if (fscanf(f, "%*u %*u %*u %*u %*u %lu", &pages) != 1) pages = 0;
    fclose(f);
    return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* A number in a damaged file must not take the memory of the machine. */
static void limit_memory(const char *path) {
    const rlim_t room = (rlim_t)1 << 30;
    struct stat st;
    rlim_t now = data_now(), size = stat(path, &st) == 0 ? (rlim_t)st.st_size : 0;
    if (now > 0 && size < (RLIM_INFINITY - now - room) / 8) {
        limit(RLIMIT_DATA, now + room + 4 * size);
    }
}

static unsigned lifetime; /* seconds for one answer, should the parent die meanwhile */

void gyre_child_serve(int argc, char **argv, const gyre_child_task *task) {
    if (argc != 3 || strcmp(argv[0], task->name) != 0) return;
    int seconds = atoi(argv[2]);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, (rlim_t)(seconds / COMPUTING + SLACK));
    limit_memory(argv[1]);
    lifetime = (unsigned)(seconds + SLACK);
    alarm(lifetime);
    _exit(task->work(argv[1], CHILD_SOCKET));
}

bool gyre_child_put(int socket, const void *data, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = send(socket, (const char *)data + done, size - done, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    return true;
}

bool gyre_child_get(int socket, void *out, size_t size) {
    alarm(0); /* the parent may think as long as it likes: its end ends the waiting */
    for (size_t done = 0; done < size;) {
        ssize_t n = recv(socket, (char *)out + done, size - done, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return false;
        done += (size_t)n;
    }
    alarm(lifetime);
    return true;
}

/* ---- the parent */

int gyre_child_seconds(uint64_t bytes) {
    const uint64_t least = 60, rate = 1 << 20, most = 100000;
    uint64_t seconds = least + bytes / rate;
    return (int)(seconds < most ? seconds : most);
}

/* Signals that ask a process to stop are the parent's to answer; they reach the child, too, when
 * they come from a terminal. */
static void signals_of_parent(sigset_t *out) {
    static const int ours[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGPIPE};
    sigemptyset(out);
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) sigaddset(out, ours[i]);
}

static int set_up(posix_spawn_file_actions_t *actions, posix_spawnattr_t *attributes, int socket) {
    sigset_t blocked, all;
    signals_of_parent(&blocked);
    sigfillset(&all);
    int failed = posix_spawn_file_actions_adddup2(actions, socket, CHILD_SOCKET);
    if (!failed) failed = posix_spawn_file_actions_addopen(actions, 1, "/dev/null", O_WRONLY, 0);
    if (!failed) failed = posix_spawn_file_actions_addopen(actions, 2, "/dev/null", O_WRONLY, 0);
    if (!failed) failed = posix_spawnattr_setsigmask(attributes, &blocked);
    if (!failed) failed = posix_spawnattr_setsigdefault(attributes, &all);
    if (!failed) {
        failed =
            posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    return failed;
}

static int spawn(const gyre_child *c, int socket, pid_t *child) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char seconds[16], *name = strdup(c->task->name), *file = strdup(c->path);
    snprintf(seconds, sizeof seconds, "%d", c->seconds);
    char *const arguments[] = {name, file, seconds, NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int failed = name == NULL || file == NULL ? ENOMEM : set_up(&actions, &attributes, socket);
    if (!failed) {
        failed = posix_spawn(child, "/proc/self/exe", &actions, &attributes, arguments, environ);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(name);
    free(file);
    return failed;
}

gyre_status gyre_child_start(const gyre_child_task *task, const char *path, int seconds,
                             gyre_child *out) {
    int ends[2];
    *out = (gyre_child){.task = task,
                        .path = path,
                        .socket = -1,
                        .seconds = seconds,
                        .left = 1000 * (int64_t)seconds};
    int failed = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 ? errno : 0;
    if (!failed) {
        failed = spawn(out, ends[1], &out->process);
        close(ends[1]);
        out->socket = ends[0];
    }
    if (!failed) return GYRE_OK;
    out->process = 0;
    gyre_child_end(out);
    return gyre_fail(failed == ENOMEM ? GYRE_EDEVICE : GYRE_EIO,
                     "cannot start a process to read '%s': %s", path, strerror(failed));
}

/* How the child ended; it has done its work, has crashed, or is told to end now. */
static int reap(gyre_child *c) {
    int how = 0;
    if (c->process <= 0) return 0;
    kill(c->process, SIGKILL);
    while (waitpid(c->process, &how, 0) < 0) {
        if (errno != EINTR) break;
    }
    c->process = 0;
    return how;
}

void gyre_child_end(gyre_child *c) {
    if (c->task == NULL) return;
    reap(c);
    if (c->socket >= 0) close(c->socket);
    *c = (gyre_child){0};
}

/* The child is given up. `late`: its time is over; else its end of the socket is closed. */
static gyre_status give_up(gyre_child *c, bool late) {
    gyre_child gone = *c;
    int how = reap(&gone), code = WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how);
    *c = gone;
    gyre_child_end(c);
    if (late) {
        return gyre_fail(GYRE_EIO,
                         "'%s' is damaged, or its disk is very slow: %s did not read it within %d "
                         "s",
                         gone.path, gone.task->library, gone.seconds);
    }
    if (WIFSIGNALED(how) && code == SIGXCPU) {
        return gyre_fail(GYRE_EIO, "'%s' is damaged: %s computed for %d s without an end",
                         gone.path, gone.task->library, gone.seconds / COMPUTING + SLACK);
    }
    return gyre_fail(GYRE_EIO, "'%s' is damaged: %s crashed on it (%s %d)", gone.path,
                     gone.task->library, WIFSIGNALED(how) ? "signal" : "exit", code);
}

static int64_t milliseconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits until the socket can be used; false: the time is over. */
static bool wait_for(gyre_child *c, short event) {
    for (;;) {
        int64_t begun = milliseconds(), left = c->left > 0 ? c->left : 0;
        struct pollfd ready = {.fd = c->socket, .events = event};
        int n = poll(&ready, 1, left < 1000000 ? (int)left : 1000000);
        c->left -= milliseconds() - begun;
        if (n > 0) return true;
        if (c->left <= 0) return false;
        if (n < 0 && errno != EINTR) return false;
    }
}

gyre_status gyre_child_send(gyre_child *c, const void *data, size_t size) {
    if (c->task == NULL) return gyre_fail(GYRE_EIO, "the process that read a file has ended");
    for (size_t done = 0; done < size;) {
        if (!wait_for(c, POLLOUT)) return give_up(c, true);
        ssize_t n =
            send(c->socket, (const char *)data + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n <= 0) return give_up(c, false);
        done += (size_t)n;
    }
    return GYRE_OK;
}

gyre_status gyre_child_receive(gyre_child *c, void *out, size_t size) {
    if (c->task == NULL) return gyre_fail(GYRE_EIO, "the process that read a file has ended");
    for (size_t done = 0; done < size;) {
        if (!wait_for(c, POLLIN)) return give_up(c, true);
        ssize_t n = recv(c->socket, (char *)out + done, size - done, MSG_DONTWAIT);
        if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
        if (n <= 0) return give_up(c, false);
        done += (size_t)n;
    }
    return GYRE_OK;
}
