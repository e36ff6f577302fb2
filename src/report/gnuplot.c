/* gnuplot as a child process: no shell, no start-up files of the user, its output in our message.
 */
#include "gnuplot.h"

#include "gyre/text.h"
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* In single quotes gnuplot runs no backquotes and reads no backslashes. */
void report_quote_path(FILE *gp, const char *path) {
    fputc('\'', gp);
    for (const char *c = path; *c != '\0'; c++) {
        if (*c == '\'') fputc('\'', gp);
        fputc(*c, gp);
    }
    fputc('\'', gp);
}

void report_quote(FILE *gp, const char *text) {
    char shown[REPORT_FIGURE_TEXT];
    gyre_text_visible(text, shown, sizeof shown);
    report_quote_path(gp, shown);
}

static gyre_status missing(void) {
    return gyre_fail(GYRE_EIO,
                     "gnuplot was not found; figures need it: apt-get install gnuplot-nox");
}

static gyre_status spawn(const char *dir, char *const *arguments, int output, pid_t *child) {
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed) return gyre_fail(GYRE_EIO, "cannot start gnuplot: %s", strerror(failed));
    failed = posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, output, 1);
    if (!failed) failed = posix_spawn_file_actions_adddup2(&actions, output, 2);
    if (!failed) failed = posix_spawn_file_actions_addchdir_np(&actions, dir);
    if (!failed) failed = posix_spawnp(child, "gnuplot", &actions, NULL, arguments, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed == ENOENT) return missing();
    if (failed) return gyre_fail(GYRE_EIO, "cannot start gnuplot: %s", strerror(failed));
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

static gyre_status verdict(pid_t child, const char *dir, const char *stem, const char *text) {
    int how = 0;
    while (waitpid(child, &how, 0) < 0) {
        if (errno != EINTR) return gyre_fail(GYRE_EIO, "lost gnuplot: %s", strerror(errno));
    }
    if (WIFEXITED(how) && WEXITSTATUS(how) == 0) return GYRE_OK;
    if (WIFEXITED(how) && WEXITSTATUS(how) == 127) return missing();
    if (WIFSIGNALED(how)) {
        return gyre_fail(GYRE_EIO, "gnuplot was ended by signal %d on '%s/%s.gp'", WTERMSIG(how),
                         dir, stem);
    }
    return gyre_fail(GYRE_EIO, "gnuplot failed on '%s/%s.gp': %.400s", dir, stem, text);
}

gyre_status report_gnuplot_run(const char *dir, const char *stem, const char *output) {
    gyre_status status = GYRE_OK;
    char *setting = NULL, *script = NULL, text[512] = "";
    size_t size = 0;
    int ends[2] = {-1, -1};
    pid_t child = -1;
    FILE *f = open_memstream(&setting, &size);
    if (f == NULL || asprintf(&script, "./%s.gp", stem) < 0) {
        status = gyre_no_memory("starting gnuplot");
        if (f != NULL) fclose(f);
        goto out;
    }
    fputs("output = ", f);
    report_quote_path(f, output);
    fclose(f);
    if (pipe2(ends, O_CLOEXEC) != 0) {
        status = gyre_fail(GYRE_EIO, "cannot start gnuplot: %s", strerror(errno));
        goto out;
    }
    char name[] = "gnuplot", defaults[] = "-d", run[] = "-e";
    char *const arguments[] = {name, defaults, run, setting, script, NULL};
    GYRE_GOTO(spawn(dir, arguments, ends[1], &child));
    close(ends[1]);
    ends[1] = -1;
    read_output(ends[0], text, sizeof text);
    status = verdict(child, dir, stem, text);
out:
    if (ends[0] >= 0) close(ends[0]);
    if (ends[1] >= 0) close(ends[1]);
    free(setting);
    free(script);
    return status;
}
