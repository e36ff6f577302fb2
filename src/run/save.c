/* Writing checkpoints during a run, and which old ones may go.
 *
 * The main thread makes the file's bytes, the writer's thread writes them, and a later step takes
 * the result. So a slow disk costs no step anything, and a failing one is noticed a step late. */
#include "save.h"

#include "gyre/clock.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Removes all but the newest `keep`; those at minima stay when checkpoint.minima says so. */
static gyre_status prune(const run_saver *s) {
    const gyre_checkpoint_settings *c = s->settings;
    const char *folder = s->files->folder.path;
    int64_t *list = NULL;
    size_t count = 0, kept = 0;
    if (c->keep <= 0) return GYRE_OK;
    GYRE_TRY(gyre_checkpoint_list(folder, &list, &count));
    for (size_t i = 0; i < count; i++) {
        if (c->minima && gyre_schedule_is_minimum(s->schedule, list[i])) continue;
        if (kept++ < (size_t)c->keep) continue;
        char *path = gyre_checkpoint_path(folder, list[i]);
        if (path == NULL || unlink(path) != 0) gyre_warn("cannot remove an old checkpoint");
        free(path);
    }
    free(list);
    return GYRE_OK;
}

/* A checkpoint that was not needed for the run's end could not be written. */
static void note_failure(run_saver *s, const char *error) {
    gyre_progress_clear(s->files->progress);
    if (s->settings->required) {
        s->failed = true;
        snprintf(s->error, sizeof s->error, "%s", error);
        return;
    }
    gyre_warn("%s; training continues without this checkpoint", error);
    gyre_json *line = gyre_event_begin(s->files->events, "warning");
    gyre_json_add_text(line, "text", error);
    run_files_log(s->files, line);
}

static gyre_status finish_job(const run_saver *s, const run_writer_result *result) {
    if (result->status != GYRE_OK) return gyre_fail(result->status, "%s", result->error);
    GYRE_TRY(prune(s));
    gyre_json *line = gyre_event_begin(s->files->events, "checkpoint");
    gyre_json_add_integer(line, "step", result->completed);
    if (!result->regular) gyre_json_add_flag(line, "best_only", true);
    gyre_json_add_number(line, "seconds", result->seconds);
    run_files_log(s->files, line);
    return GYRE_OK;
}

gyre_status run_saver_open(run_saver *s) {
    s->saved = gyre_clock();
    return run_writer_open(&s->writer);
}

void run_saver_close(run_saver *s) {
    run_writer_close(s->writer);
    s->writer = NULL;
}

void run_saver_collect(run_saver *s, bool wait) {
    run_writer_result result;
    if (s->writer == NULL || !run_writer_take(s->writer, wait, &result)) return;
    if (finish_job(s, &result) != GYRE_OK) note_failure(s, gyre_error_text());
}

gyre_status run_checkpoints_make(const char *run_dir) {
    char *dir = gyre_path_join(run_dir, GYRE_CHECKPOINTS);
    gyre_status status = GYRE_OK;
    if (dir == NULL) return gyre_no_memory("writing a checkpoint");
    if (mkdir(dir, 0777) != 0 && errno != EEXIST) {
        status = gyre_fail(GYRE_EIO, "cannot make folder '%s': %s", dir, strerror(errno));
    }
    free(dir);
    return status;
}

/* best.h5 first: a run that is killed between the two comes to this step again. */
static gyre_status name_paths(const char *run_dir, const run_kept *kept, run_writer_job *job) {
    size_t paths = 0;
    if (kept->best) job->paths[paths++] = gyre_checkpoint_best_path(run_dir);
    if (kept->regular) job->paths[paths++] = gyre_checkpoint_path(run_dir, job->completed);
    for (size_t i = 0; i < paths; i++) {
        if (job->paths[i] == NULL) return gyre_no_memory("writing a checkpoint");
    }
    return GYRE_OK;
}

static gyre_status start_job(run_saver *s, gyre_trainer *t, const run_kept *kept) {
    run_writer_job job = {.rows_fd = -1, .completed = t->completed, .regular = kept->regular};
    gyre_status status = GYRE_OK;
    run_files *f = s->files;
    GYRE_TRY(run_files_follow(f));
    GYRE_GOTO(name_paths(f->folder.path, kept, &job));
    GYRE_GOTO(run_checkpoints_make(f->folder.path));
    run_files_tolerate(f, gyre_tensorboard_flush(f->tensorboard));
    gyre_status rows = gyre_metrics_flush(f->metrics);
    if (!kept->needed) GYRE_GOTO(rows); /* a resume would miss them */
    run_files_tolerate(f, rows);
    GYRE_GOTO(gyre_trainer_save(t));
    GYRE_GOTO(gyre_trainer_check_saved(t)); /* of several ranks it is what was just compared */
    t->snapshot.finished = kept->finished;
    GYRE_GOTO(gyre_checkpoint_image(t->resolved->model, &t->snapshot, &job.image, &job.size));
    if (rows == GYRE_OK) GYRE_GOTO(gyre_metrics_descriptor(f->metrics, &job.rows_fd));
    run_writer_put(s->writer, &job);
out:
    if (status == GYRE_OK) return GYRE_OK;
    free(job.paths[0]);
    free(job.paths[1]);
    free(job.image);
    return status;
}

/* Rank 0's part. */
static gyre_status save(run_saver *s, gyre_trainer *t, const run_kept *kept) {
    double begun = gyre_clock();
    run_writer_result result;
    run_saver_collect(s, true);
    if (s->files->lost) return gyre_fail(GYRE_EIO, "%s", s->files->error);
    if (s->failed) return gyre_fail(GYRE_EIO, "%s", s->error);
    gyre_status status = start_job(s, t, kept);
    if (status == GYRE_OK && kept->needed && run_writer_take(s->writer, true, &result)) {
        status = finish_job(s, &result);
    }
    s->saved = gyre_clock();
    run_timing_pause(s->timing, begun);
    return status;
}

gyre_status run_saver_save(run_saver *s, gyre_trainer *t, const run_kept *kept) {
    gyre_status status = GYRE_OK;
    gyre_watchdog_phase(t->watchdog, "writing a checkpoint", t->completed);
    if (t->rank == 0) status = save(s, t, kept);
    if (kept->needed) return gyre_comm_agree(t->comm, status);
    if (status != GYRE_OK) note_failure(s, gyre_error_text());
    return GYRE_OK;
}
