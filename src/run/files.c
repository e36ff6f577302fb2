/* The open files of a run; see files.h. */
#include "files.h"

#include "gyre/clock.h"
#include "gyre/log.h"
#include <stdio.h>

run_files run_files_none(gyre_progress *progress) {
    return (run_files){.folder = {.lock = -1, .self = -1}, .progress = progress};
}

gyre_status run_files_follow(run_files *f) {
    bool moved = false;
    f->followed = gyre_clock();
    gyre_status status = gyre_run_folder_follow(&f->folder, &moved);
    if (status == GYRE_OK && moved) status = gyre_metrics_moved(f->metrics, f->folder.metrics);
    if (status == GYRE_OK && moved) status = gyre_tensorboard_moved(f->tensorboard, f->folder.path);
    if (status == GYRE_OK) return GYRE_OK;
    f->lost = true;
    snprintf(f->error, sizeof f->error, "%s", gyre_error_text());
    return status;
}

static gyre_status follow(void *files) {
    return run_files_follow(files);
}

gyre_status run_files_open(run_files *f, const gyre_model *model, const gyre_settings *s,
                           int64_t completed) {
    unsigned parts = 0;
    if (model->bands > 0) parts |= GYRE_METRICS_BANDS;
    if (gyre_average_count(&s->average) > 0) parts |= GYRE_METRICS_AVERAGES;
    GYRE_TRY(gyre_metrics_open(f->folder.metrics, model->metric, parts, completed, &f->metrics));
    gyre_metrics_guard(f->metrics, follow, f);
    return gyre_events_open(f->folder.log, &f->events);
}

gyre_status run_files_open_tensorboard(run_files *f, const gyre_settings *s,
                                       const gyre_metric *metric, int64_t completed) {
    gyre_tables before = {0};
    if (!s->tensorboard) return GYRE_OK;
    if (completed > 0) GYRE_TRY(gyre_tables_read(f->folder.metrics, &before));
    gyre_status status =
        gyre_tensorboard_open(f->folder.path, s, metric, completed, &before, &f->tensorboard);
    gyre_tables_free(&before);
    return status;
}

void run_files_close(run_files *f) {
    if (gyre_tensorboard_close(f->tensorboard) != GYRE_OK) gyre_warn("%s", gyre_error_text());
    if (gyre_metrics_close(f->metrics) != GYRE_OK) gyre_warn("%s", gyre_error_text());
    gyre_events_close(f->events);
    if (f->folder.path != NULL) gyre_run_folder_close(&f->folder);
    f->metrics = NULL;
    f->events = NULL;
    f->tensorboard = NULL;
}

void run_files_tolerate(run_files *f, gyre_status status) {
    if (status == GYRE_OK || f->rows_wait) return;
    f->rows_wait = true;
    gyre_progress_clear(f->progress);
    gyre_warn("%s; training continues, and rows wait in memory", gyre_error_text());
}

void run_files_log(run_files *f, gyre_json *line) {
    run_files_tolerate(f, gyre_event_end(f->events, line));
}
