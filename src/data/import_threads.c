/* Threads take one picture after the other, and each has its row from the start: what is written
 * does not depend on their number, nor on who is faster. The caller's thread shows how far they are
 * and waits for signals, which the others do not get. */
#include "import_threads.h"

#include "gyre/clock.h"
#include "gyre/cores.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/status_line.h"
#include "gyre/terminal.h"
#include "gyre/text.h"
#include "gyre/thread.h"
#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

enum { THREADS_MAX = 1024 };

typedef struct {
    const data_import_job *job;
    atomic_size_t next, done;
    atomic_int running;
    atomic_bool stop;
    pthread_mutex_t lock; /* of what follows: the failure of the first picture that has one */
    gyre_status status;
    size_t failed;
    char text[GYRE_ERROR_MAX];
} import_state;

/* ---- one thread */

/* "'cat/1.jpg' has ..." */
static gyre_status fail_of(gyre_status status, const char *path) {
    char name[GYRE_ERROR_MAX / 2], text[GYRE_ERROR_MAX];
    snprintf(text, sizeof text, "%s", gyre_error_text());
    gyre_text_visible(path, name, sizeof name);
    return gyre_fail(status, "'%s' %s", name, text);
}

/* Pictures are begun in their order, so the first of all failures is always among those seen. */
static void report(import_state *c, size_t file, gyre_status status) {
    pthread_mutex_lock(&c->lock);
    if (c->status == GYRE_OK || file < c->failed) {
        c->status = status;
        c->failed = file;
        snprintf(c->text, sizeof c->text, "%s", gyre_error_text());
    }
    pthread_mutex_unlock(&c->lock);
    atomic_store(&c->stop, true);
}

static gyre_status import_one(const data_import_job *job, data_listed *file, uint8_t *image) {
    if (file->problem != NULL) return GYRE_OK;
    char *path = gyre_path_join(job->dir, file->path);
    if (path == NULL) return gyre_no_memory("reading a picture");
    gyre_status status = data_picture_read(path, &job->form, image);
    free(path);
    if (status == GYRE_EIO) return data_listed_fail(file);
    if (status != GYRE_OK) return fail_of(status, file->path);
    const data_picture_form *form = &job->form;
    file->content = XXH3_64bits(image, (size_t)form->h * (size_t)form->w * (size_t)form->c);
    return data_rows_put(job->rows, file->part, file->row, 1, image);
}

static void *work(void *argument) {
    import_state *c = argument;
    const data_import_job *job = c->job;
    const data_picture_form *form = &job->form;
    uint8_t *image = malloc((size_t)form->h * (size_t)form->w * (size_t)form->c);
    if (image == NULL) report(c, 0, gyre_no_memory("an image"));
    while (!atomic_load(&c->stop)) {
        size_t i = atomic_fetch_add(&c->next, 1);
        if (i >= job->list->count) break;
        gyre_status status = import_one(job, &job->list->files[i], image);
        if (status != GYRE_OK) report(c, i, status);
        atomic_fetch_add(&c->done, 1);
    }
    free(image);
    atomic_fetch_sub(&c->running, 1);
    return NULL;
}

/* ---- how far it is */

typedef struct {
    gyre_status_line line;
    double begun, last;
    bool quiet;
} view;

static void show(view *v, size_t done, size_t count) {
    enum { BAR = 24 };
    static const char full[BAR + 1] = "========================";
    char text[160] = "", left[32];
    double t = gyre_clock(), passed = t - v->begun;
    bool terminal = v->line.terminal >= 0;
    if (v->quiet || count == 0 || t - v->last < (terminal ? 0.2 : 30)) return;
    v->last = t;
    double rate = (double)done / fmax(passed, 1e-9);
    gyre_print_duration((double)(count - done) / fmax(rate, 1e-9), left, sizeof left);
    int bar = (int)(done * BAR / count);
    if (terminal) gyre_text_add(text, sizeof text, "[%.*s%*s]  ", bar, full, BAR - bar, "");
    gyre_text_add(text, sizeof text, "picture %zu/%zu  %zu %%  %.0f/s  %s left", done, count,
                  done * 100 / count, rate, left);
    if (terminal)
        gyre_status_line_show(&v->line, text);
    else
        gyre_say("%s", text);
}

/* ---- all of them */

/* The signals that would end the process. Those that are ignored (nohup, a script's background)
 * stay ignored. */
static sigset_t ending_signals(void) {
    static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGXCPU};
    struct sigaction action;
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < sizeof ending / sizeof *ending; i++) {
        if (sigaction(ending[i], NULL, &action) == 0 && action.sa_handler != SIG_IGN) {
            sigaddset(&set, ending[i]);
        }
    }
    return set;
}

/* Until all threads have left; true when a signal came. */
static bool watch(import_state *c, const sigset_t *signals) {
    const struct timespec moment = {.tv_nsec = 10000000};
    const data_import_job *job = c->job;
    bool interrupted = false;
    double t = gyre_clock();
    view v = {
        .line = gyre_status_line_open(job->quiet), .begun = t, .last = t, .quiet = job->quiet};
    while (atomic_load(&c->running) > 0) {
        if (sigtimedwait(signals, NULL, &moment) > 0) interrupted = true;
        if (interrupted) atomic_store(&c->stop, true);
        show(&v, atomic_load(&c->done), job->list->count);
    }
    gyre_status_line_close(&v.line);
    return interrupted;
}

static int count_threads(const data_import_job *job) {
    char cores[4096];
    gyre_cores_text(cores, sizeof cores);
    int threads = job->threads > 0 ? job->threads : gyre_cores_count(cores);
    if (threads > THREADS_MAX) threads = THREADS_MAX;
    return (size_t)threads < job->list->count ? threads : (int)job->list->count;
}

static gyre_status run_threads(import_state *c, const sigset_t *signals) {
    pthread_t threads[THREADS_MAX];
    int wanted = count_threads(c->job), started = 0;
    while (started < wanted) {
        atomic_fetch_add(&c->running, 1);
        if (gyre_thread_start(&threads[started], work, c, "a thread") != GYRE_OK) {
            atomic_fetch_sub(&c->running, 1);
            break;
        }
        started++;
    }
    bool interrupted = watch(c, signals);
    for (int i = 0; i < started; i++) pthread_join(threads[i], NULL);
    if (interrupted) return gyre_fail(GYRE_EINTERRUPTED, "interrupted; nothing was written");
    if (started == 0) return gyre_fail(GYRE_EDEVICE, "cannot start a thread to read pictures");
    return c->status == GYRE_OK ? GYRE_OK : gyre_fail(c->status, "%s", c->text);
}

gyre_status data_import_pictures(const data_import_job *job) {
    import_state c = {.job = job, .status = GYRE_OK};
    sigset_t signals = ending_signals(), before;
    pthread_mutex_init(&c.lock, NULL);
    pthread_sigmask(SIG_BLOCK, &signals, &before);
    gyre_status status = run_threads(&c, &signals);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_mutex_destroy(&c.lock);
    return status;
}
