/* Starting, limiting and ending a child that reads a file; see gyre/child.h. */
#include "gyre/child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
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

/* What the parent says of a file; its path follows. */
typedef struct {
    int32_t seconds;
    uint32_t length; /* of the path */
} errand;

static void limit(int resource, rlim_t most) {
    struct rlimit l;
    if (getrlimit(resource, &l) != 0) return;
    l.rlim_cur = most < l.rlim_max ? most : l.rlim_max;
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

static void limit_computing(int seconds) {
    struct rusage used;
    getrusage(RUSAGE_SELF, &used);
    limit(RLIMIT_CPU,
          (rlim_t)(used.ru_utime.tv_sec + used.ru_stime.tv_sec + seconds / COMPUTING + SLACK));
}

static unsigned lifetime; /* seconds for one answer, should the parent die meanwhile */

void gyre_child_serve(int argc, char **argv, const gyre_child_task *task) {
    static char path[PATH_MAX];
    errand e;
    if (argc != 1 || strcmp(argv[0], task->name) != 0) return;
    limit(RLIMIT_CORE, 0);
    while (gyre_child_get(CHILD_SOCKET, &e, sizeof e)) {
        if (e.length >= sizeof path || !gyre_child_get(CHILD_SOCKET, path, e.length)) break;
        path[e.length] = '\0';
        limit_memory(path);
        limit_computing(e.seconds);
        lifetime = (unsigned)(e.seconds + SLACK);
        alarm(lifetime);
        if (!task->work(path, CHILD_SOCKET)) break;
    }
    _exit(0);
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

static int spawn(const gyre_child_task *task, int socket, pid_t *child) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *name = strdup(task->name);
    char *const arguments[] = {name, NULL};
    posix_spawn_file_actions_init(&actions);
    posix_spawnattr_init(&attributes);
    int failed = name == NULL ? ENOMEM : set_up(&actions, &attributes, socket);
    if (!failed) {
        failed = posix_spawn(child, "/proc/self/exe", &actions, &attributes, arguments, environ);
    }
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    free(name);
    return failed;
}

static gyre_status start(gyre_child *c) {
    int ends[2];
    int failed = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0 ? errno : 0;
    if (!failed) {
        failed = spawn(c->task, ends[1], &c->process);
        close(ends[1]);
        c->socket = ends[0];
    }
    if (!failed) return GYRE_OK;
    gyre_status status =
        gyre_fail(failed == ENOMEM ? GYRE_EDEVICE : GYRE_EIO,
                  "cannot start a process to read '%s': %s", c->path, strerror(failed));
    c->process = 0;
    gyre_child_end(c);
    return status;
}

static gyre_status send_errand(gyre_child *c) {
    const errand e = {.seconds = c->seconds, .length = (uint32_t)strlen(c->path)};
    GYRE_TRY(gyre_child_send(c, &e, sizeof e));
    return gyre_child_send(c, c->path, e.length);
}

/* ---- children at rest */

enum { RESTING_MAX = 4 };
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static gyre_child resting[RESTING_MAX]; /* task NULL: a free place; guarded by the lock */

static bool wake(gyre_child *c) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < RESTING_MAX && !c->used; i++) {
        if (resting[i].task != c->task) continue;
        c->process = resting[i].process;
        c->socket = resting[i].socket;
        c->used = true;
        resting[i] = (gyre_child){0};
    }
    pthread_mutex_unlock(&lock);
    return c->used;
}

void gyre_child_rest(gyre_child *c) {
    int place = -1;
    pthread_mutex_lock(&lock);
    for (int i = 0; i < RESTING_MAX; i++) {
        if (resting[i].task == NULL && place < 0) place = i;
        if (resting[i].task == c->task) place = RESTING_MAX; /* one is enough */
    }
    if (c->task != NULL && place >= 0 && place < RESTING_MAX) {
        resting[place] = *c;
        *c = (gyre_child){0};
    }
    pthread_mutex_unlock(&lock);
    gyre_child_end(c);
}

void gyre_child_end_resting(void) {
    pthread_mutex_lock(&lock);
    for (int i = 0; i < RESTING_MAX; i++) gyre_child_end(&resting[i]);
    pthread_mutex_unlock(&lock);
}

gyre_status gyre_child_start(const gyre_child_task *task, const char *path, int seconds, bool fresh,
                             gyre_child *out) {
    if (strlen(path) >= PATH_MAX) {
        return gyre_fail(GYRE_EIO, "cannot read '%.64s...': %s", path, strerror(ENAMETOOLONG));
    }
    gyre_child child = {.task = task,
                        .path = path,
                        .socket = -1,
                        .seconds = seconds,
                        .left = 1000 * (int64_t)seconds};
    *out = child;
    if (!fresh && wake(out) && send_errand(out) == GYRE_OK) return GYRE_OK;
    *out = child;
    GYRE_TRY(start(out));
    return send_errand(out);
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
    c->used = gone.used && !late && code != SIGXCPU;
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
