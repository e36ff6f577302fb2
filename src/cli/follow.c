/* gyre plot --follow. */
#include "follow.h"

#include "cli.h"
#include "gyre/clock.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/plot.h"
#include "gyre/run.h"
#include "gyre/run_folder.h"
#include "gyre/status_line.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

typedef struct {
    char *const *runs;
    int count;
    const char *output;
    int drawn; /* times */
    gyre_status_line line;
} follower;

static bool at_work(const follower *f) {
    for (int i = 0; i < f->count; i++) {
        if (gyre_run_folder_at_work(f->runs[i])) return true;
    }
    return false;
}

/* A number that is another one once a run has written rows. */
static uint64_t growth(const follower *f) {
    uint64_t sum = 0;
    for (int i = 0; i < f->count; i++) {
        struct stat st;
        char *path = gyre_path_join(f->runs[i], GYRE_METRICS_FILE);
        if (path != NULL && stat(path, &st) == 0) {
            sum = sum * 31 + (uint64_t)st.st_ino;
            sum =
                sum * 31 + (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec;
        }
        free(path);
    }
    return sum;
}

static gyre_status check_rows(const follower *f) {
    for (int i = 0; i < f->count; i++) {
        gyre_run_content content;
        gyre_status status = gyre_run_content_open(f->runs[i], &content);
        gyre_run_content_close(&content);
        GYRE_TRY(status);
    }
    return GYRE_OK;
}

static void show(follower *f) {
    char text[256], when[32];
    time_t now = time(NULL);
    struct tm local;
    if (f->line.terminal < 0) return;
    localtime_r(&now, &local);
    strftime(when, sizeof when, "%H:%M:%S", &local);
    if (f->drawn == 0)
        snprintf(text, sizeof text, "waiting for the first rows; Ctrl-C ends");
    else
        snprintf(text, sizeof text, "drawn %d time%s, last at %s; Ctrl-C ends", f->drawn,
                 f->drawn == 1 ? "" : "s", when);
    gyre_status_line_show(&f->line, text);
}

/* A run that has only begun has no rows yet: *waits. */
static gyre_status draw(follower *f, bool working, bool *waits) {
    *waits = false;
    gyre_status status = f->drawn > 0 ? GYRE_OK : check_rows(f);
    if (status == GYRE_EIO && working) {
        *waits = true;
        return GYRE_OK;
    }
    GYRE_TRY(status);
    GYRE_TRY(gyre_plot_runs(f->runs, f->count, f->output));
    if (f->drawn++ > 0) return GYRE_OK;
    gyre_status_line_clear(&f->line);
    cli_print_path(f->output);
    return cli_flush();
}

static void pause_for(double seconds) {
    const struct timespec slice = {0, 100000000};
    double end = gyre_clock() + seconds;
    while (gyre_clock() < end && !gyre_stop_wanted()) nanosleep(&slice, NULL);
}

static gyre_status follow(follower *f, int seconds) {
    uint64_t seen = 0;
    for (;;) {
        /* Asked first: rows that come after it are drawn the next time. */
        bool working = at_work(f), waits = false;
        uint64_t now = growth(f);
        gyre_status status = GYRE_OK;
        if (f->drawn == 0 || now != seen) status = draw(f, working, &waits);
        /* Ctrl-C also ends gnuplot, which is no error then. */
        if (gyre_stop_wanted()) return gyre_fail(GYRE_EINTERRUPTED, "interrupted");
        GYRE_TRY(status);
        if (!working) return GYRE_OK;
        seen = now;
        show(f);
        pause_for(waits ? 0.5 : seconds);
    }
}

/* The first of the runs that is not there yet: its folder, or in one that appeared meanwhile the
 * lock or the rows of a run; NULL: all are. */
static const char *missing(char *const *runs, int count, bool begun) {
    for (int i = 0; i < count; i++) {
        char *rows = gyre_path_join(runs[i], GYRE_METRICS_FILE);
        const bool there = rows != NULL && gyre_file_exists(rows);
        free(rows);
        if (!gyre_file_exists(runs[i])) return runs[i];
        if (begun && !there && !gyre_run_folder_at_work(runs[i])) return runs[i];
    }
    return NULL;
}

gyre_status cli_follow_await(char *const *runs, int count) {
    const char *run = missing(runs, count, false), *said = NULL;
    if (run == NULL) return GYRE_OK;
    gyre_stop_catch();
    for (; run != NULL && !gyre_stop_wanted(); run = missing(runs, count, true)) {
        if (run != said) gyre_say("waiting for the run '%s' to begin; Ctrl-C ends", run);
        said = run;
        pause_for(0.5);
    }
    const bool stopped = gyre_stop_wanted();
    gyre_stop_release(false);
    return stopped ? gyre_fail(GYRE_EINTERRUPTED, "interrupted") : GYRE_OK;
}

gyre_status cli_follow(char *const *runs, int count, const char *output, int seconds) {
    follower f = {.runs = runs, .count = count, .output = output};
    f.line = gyre_status_line_open(false);
    gyre_stop_catch();
    gyre_status status = follow(&f, seconds);
    gyre_stop_release(false);
    gyre_status_line_close(&f.line);
    return status;
}
