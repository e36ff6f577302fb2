/* Temporary files: removed at a signal, named when they were left behind. */
#include "gyre/leftover.h"

#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/status.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- signals */

enum { SLOTS = 2 };
static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGXCPU};
enum { ENDING = sizeof ending / sizeof *ending };

/* Signal handlers have no argument of ours: the one place that needs variables of the process. */
static char guarded[SLOTS][PATH_MAX];
static volatile sig_atomic_t taken[SLOTS];
static bool caught[ENDING];

static void on_signal(int number) {
    static const char text[] = "gyre: error: interrupted; nothing was written\n";
    (void)number;
    for (int i = 0; i < SLOTS; i++) {
        if (taken[i]) unlink(guarded[i]);
    }
    if (write(STDERR_FILENO, text, sizeof text - 1) < 0) _exit(GYRE_EINTERRUPTED);
    _exit(GYRE_EINTERRUPTED);
}

static void catch_signals(void) {
    struct sigaction action = {.sa_handler = on_signal}, now;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < ENDING; i++) {
        caught[i] = sigaction(ending[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL;
        if (caught[i]) sigaction(ending[i], &action, NULL);
    }
}

static void release_signals(void) {
    for (int i = 0; i < ENDING; i++) {
        if (caught[i]) signal(ending[i], SIG_DFL);
        caught[i] = false;
    }
}

void gyre_leftover_guard(const char *path) {
    int slot = 0;
    while (slot < SLOTS && taken[slot]) slot++;
    if (slot == SLOTS || strlen(path) >= PATH_MAX) return;
    snprintf(guarded[slot], PATH_MAX, "%s", path);
    taken[slot] = 1;
    if (!taken[1 - slot]) catch_signals();
}

void gyre_leftover_release(const char *path) {
    for (int i = 0; i < SLOTS; i++) {
        if (!taken[i] || strcmp(guarded[i], path) != 0) continue;
        taken[i] = 0;
        if (!taken[1 - i]) release_signals();
    }
}

/* ---- killed processes */

/* The number of the process in "NAME.tmp.NUMBER" or "NAME.tmp2.NUMBER", else NULL. */
static const char *number_of(const char *entry, const char *name) {
    size_t length = strlen(name);
    if (strncmp(entry, name, length) != 0) return NULL;
    const char *rest = entry + length;
    rest += strncmp(rest, ".tmp.", 5) == 0 ? 5 : strncmp(rest, ".tmp2.", 6) == 0 ? 6 : 0;
    if (rest == entry + length || *rest < '1' || *rest > '9') return NULL;
    return rest[strspn(rest, "0123456789")] == '\0' ? rest : NULL;
}

bool gyre_leftover_is_of(const char *entry, const char *name) {
    return number_of(entry, name) != NULL;
}

/* And no such process is here. */
static bool is_left(const char *entry, const char *name) {
    const char *number = number_of(entry, name);
    if (number == NULL) return false;
    long pid = strtol(number, NULL, 10);
    return pid > INT_MAX || (kill((pid_t)pid, 0) != 0 && errno == ESRCH);
}

void gyre_leftover_tell(const char *path) {
    const char *slash = strrchr(path, '/'), *name = slash == NULL ? path : slash + 1;
    char *dir = gyre_path_dir(path);
    DIR *d = dir == NULL ? NULL : opendir(dir);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        struct stat st;
        if (!is_left(e->d_name, name) || fstatat(dirfd(d), e->d_name, &st, 0) != 0) continue;
        gyre_say(
            "'%.*s%s' (%.1f MB) is left of a process that was killed; remove it, unless another "
            "machine is writing it",
            (int)(name - path), path, e->d_name, (double)st.st_blocks * 512 / 1e6);
    }
    if (d != NULL) closedir(d);
    free(dir);
}
