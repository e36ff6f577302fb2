/* Event files of a run; see gyre/tensorboard.h. The one idea: records are made in memory, and what
 * could not be written yet stays there, so that training never waits for a disk. */
#include "gyre/tensorboard.h"

#include "event.h"
#include "event_file.h"
#include "gyre/clock.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/version.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LARGEST = 1 << 30 }; /* bytes of an export that is replaced */

struct gyre_tensorboard {
    const gyre_metric *metric;
    char *dir;
    int fd;            /* -1: the file is not there yet */
    gyre_wire records; /* those that wait; the first `written` bytes of them do not */
    size_t written;
    double flushed; /* clock: of the last flush, or of the last try */
    double began;   /* wall time at second 0 of rows that were made before; -1: they are new */
};

/* When the row of so many seconds was made. */
static double wall_of(const gyre_tensorboard *t, double seconds) {
    struct timespec now;
    if (t->began >= 0) return t->began + seconds;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* ---- records */

static void add_train(gyre_tensorboard *t, const gyre_train_row *r) {
    const event_scalar scalars[] = {{"train/loss", r->loss},
                                    {"train/gradient_norm", r->grad_norm},
                                    {"train/samples_per_second", r->samples_per_s},
                                    {"schedule/lr", r->lr},
                                    {"schedule/momentum", r->momentum}};
    const int count = sizeof scalars / sizeof *scalars;
    event_record(&t->records, event_scalars(wall_of(t, r->seconds), r->step + 1, scalars, count));
}

static void add_score(gyre_tensorboard *t, const char *part, double wall, int64_t step, double loss,
                      double metric) {
    char tag[64], of_loss[64];
    snprintf(tag, sizeof tag, "%s/%s", part, t->metric->name);
    snprintf(of_loss, sizeof of_loss, "%s/loss", part);
    const event_scalar scalars[] = {{of_loss, loss}, {tag, metric}};
    event_record(&t->records, event_scalars(wall, step, scalars, 2));
}

static void add_validation(gyre_tensorboard *t, const gyre_validation_row *r) {
    add_score(t, "validation", wall_of(t, r->seconds), r->step, r->loss, r->metric);
}

static void add_test(gyre_tensorboard *t, const gyre_test_row *r, double wall) {
    add_score(t, "test", wall, r->step, r->loss, r->metric);
}

/* In the order of steps: TensorBoard drops what it has of later ones. */
static void add_tables(gyre_tensorboard *t, const gyre_tables *tables) {
    size_t v = 0;
    for (size_t i = 0; i < tables->train_count; i++) {
        for (; v < tables->validation_count && tables->validation[v].step <= tables->train[i].step;
             v++) {
            add_validation(t, &tables->validation[v]);
        }
        add_train(t, &tables->train[i]);
    }
    for (; v < tables->validation_count; v++) add_validation(t, &tables->validation[v]);
}

static gyre_status add_config(gyre_tensorboard *t, const gyre_settings *settings, int64_t step) {
    char *text = NULL;
    gyre_json_value *config = NULL;
    double wall = wall_of(t, 0);
    GYRE_TRY(gyre_config_print(settings, &text));
    gyre_status status = gyre_json_parse(text, "config", &config);
    if (status == GYRE_OK) {
        event_record(&t->records, event_session_begin(wall, config));
        event_record(&t->records, event_text(wall, step, "config", text));
    }
    gyre_json_close(config);
    free(text);
    return status;
}

static gyre_status no_memory(void) {
    return gyre_no_memory("an event file");
}

/* ---- a run under way */

gyre_status gyre_tensorboard_open(const char *dir, const gyre_settings *settings,
                                  const gyre_metric *metric, int64_t completed,
                                  const gyre_tables *before, gyre_tensorboard **out) {
    gyre_status status = GYRE_OK;
    event_files there;
    *out = NULL;
    gyre_tensorboard *t = calloc(1, sizeof *t);
    if (t == NULL) return no_memory();
    *t = (gyre_tensorboard){.metric = metric, .dir = strdup(dir), .fd = -1, .began = -1};
    if (t->dir == NULL) GYRE_GOTO(no_memory());
    GYRE_GOTO(event_files_find(dir, &there));
    const bool first = there.count == 0;
    event_record(&t->records, event_version(wall_of(t, 0)));
    event_record(&t->records, event_writer(wall_of(t, 0), "gyre " GYRE_VERSION));
    if (!first) event_record(&t->records, event_restart(wall_of(t, 0), completed + 1));
    GYRE_GOTO(add_config(t, settings, first ? 0 : completed));
    if (first && before != NULL && before->train_count > 0) {
        double now = wall_of(t, 0);
        t->began = now - before->train[before->train_count - 1].seconds;
        add_tables(t, before);
        t->began = -1;
    }
    if (t->records.failed) GYRE_GOTO(no_memory());
    *out = t;
    t = NULL;
out:
    if (t != NULL) {
        free(t->records.bytes);
        free(t->dir);
        free(t);
    }
    return status;
}

/* The file is made with its first records, so that it is not found empty. */
static gyre_status make_file(gyre_tensorboard *t) {
    char host[64] = "";
    event_files there;
    if (t->fd >= 0) return GYRE_OK;
    GYRE_TRY(event_files_find(t->dir, &there));
    long long now = (long long)time(NULL);
    bool named = gethostname(host, sizeof host - 1) == 0 && host[0] != '\0';
    char *path = event_file_path(t->dir, now > there.newest ? now : there.newest + 1,
                                 named && strchr(host, '/') == NULL ? host : "host");
    if (path == NULL) return no_memory();
    t->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    gyre_status status = GYRE_OK;
    if (t->fd < 0) status = gyre_fail(GYRE_EIO, "cannot create '%s': %s", path, strerror(errno));
    free(path);
    return status;
}

gyre_status gyre_tensorboard_flush(gyre_tensorboard *t) {
    if (t == NULL) return GYRE_OK;
    gyre_wire *r = &t->records;
    t->flushed = gyre_clock();
    GYRE_TRY(make_file(t));
    while (t->written < r->size) {
        ssize_t done = write(t->fd, r->bytes + t->written, r->size - t->written);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) {
            return gyre_fail(GYRE_EIO, "cannot write an event file in '%s': %s", t->dir,
                             strerror(errno));
        }
        t->written += (size_t)done;
    }
    t->written = r->size = 0;
    return GYRE_OK;
}

static gyre_status added(gyre_tensorboard *t) {
    if (t->records.failed) {
        t->records.failed = false;
        return no_memory();
    }
    return gyre_clock() - t->flushed < 1 ? GYRE_OK : gyre_tensorboard_flush(t);
}

gyre_status gyre_tensorboard_train(gyre_tensorboard *t, const gyre_train_row *row) {
    if (t == NULL) return GYRE_OK;
    add_train(t, row);
    return added(t);
}

gyre_status gyre_tensorboard_validation(gyre_tensorboard *t, const gyre_validation_row *row) {
    if (t == NULL) return GYRE_OK;
    add_validation(t, row);
    return added(t);
}

gyre_status gyre_tensorboard_test(gyre_tensorboard *t, const gyre_test_row *row) {
    if (t == NULL) return GYRE_OK;
    add_test(t, row, wall_of(t, 0));
    return added(t);
}

gyre_status gyre_tensorboard_picture(gyre_tensorboard *t, int64_t step, const char *tag,
                                     const char *png, size_t size) {
    if (t == NULL) return GYRE_OK;
    event_record(&t->records, event_picture(wall_of(t, 0), step, tag, png, size));
    return added(t);
}

gyre_status gyre_tensorboard_moved(gyre_tensorboard *t, const char *dir) {
    if (t == NULL) return GYRE_OK;
    char *copy = strdup(dir);
    if (copy == NULL) return no_memory();
    free(t->dir);
    t->dir = copy;
    return GYRE_OK;
}

void gyre_tensorboard_end(gyre_tensorboard *t, bool success) {
    if (t != NULL) event_record(&t->records, event_session_end(wall_of(t, 0), success));
}

gyre_status gyre_tensorboard_close(gyre_tensorboard *t) {
    if (t == NULL) return GYRE_OK;
    gyre_status status = gyre_tensorboard_flush(t);
    if (status == GYRE_OK && t->records.failed) status = no_memory();
    if (t->fd >= 0) close(t->fd);
    free(t->records.bytes);
    free(t->dir);
    free(t);
    return status;
}

/* ---- a run that is over */

/* An earlier export of the same run may be replaced; the file of a run under way, or of another
 * program, would be shown beside the new one. */
static gyre_status check_place(const char *dir, const char *path, const gyre_wire *writer) {
    event_files files;
    char *there = NULL;
    size_t size = 0;
    bool own = false;
    GYRE_TRY(event_files_find(dir, &files));
    if (files.count == 1 && gyre_file_exists(path)) {
        GYRE_TRY(gyre_file_read(path, LARGEST, &there, &size));
        own = event_file_has(there, size, writer);
        free(there);
    }
    if (files.count == 0 || own) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' holds event files already, and TensorBoard would show both; a run with "
                     "output.tensorboard needs no export; for another one give -o DIR",
                     dir);
}

/* The second record of an export, by which it is known again. */
static gyre_status name_writer(const gyre_run_content *run, double began, gyre_wire *record) {
    char program[64];
    uint64_t hash = 0;
    GYRE_TRY(gyre_config_hash(run->settings, &hash));
    snprintf(program, sizeof program, "gyre export, config %016" PRIx64, hash);
    event_record(record, event_writer(began, program));
    return record->failed ? no_memory() : GYRE_OK;
}

gyre_status gyre_tensorboard_export(const gyre_run_content *run, const char *log, const char *dir,
                                    char **path) {
    gyre_status status = GYRE_OK;
    gyre_tensorboard t = {.metric = run->tables.metric, .fd = -1};
    gyre_wire writer = {0};
    gyre_test_row *tests = NULL;
    size_t test_count = 0;
    double began = 0;
    *path = NULL;
    GYRE_GOTO(gyre_events_began(log, &began));
    GYRE_GOTO(gyre_events_tests(log, t.metric, &tests, &test_count));
    t.began = began;
    *path = event_file_path(dir, (long long)began, "export");
    if (*path == NULL) GYRE_GOTO(no_memory());
    GYRE_GOTO(name_writer(run, began, &writer));
    GYRE_GOTO(check_place(dir, *path, &writer));
    event_record(&t.records, event_version(began));
    gyre_wire_raw(&t.records, writer.bytes, writer.size);
    GYRE_GOTO(add_config(&t, run->settings, 0));
    add_tables(&t, &run->tables);
    for (size_t i = 0; i < test_count; i++) add_test(&t, &tests[i], tests[i].time);
    if (t.records.failed) GYRE_GOTO(no_memory());
    status = gyre_file_write_atomic(*path, t.records.bytes, t.records.size);
out:
    if (status != GYRE_OK) {
        free(*path);
        *path = NULL;
    }
    free(tests);
    free(writer.bytes);
    free(t.records.bytes);
    return status;
}
