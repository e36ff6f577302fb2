/* Writing checkpoints during a run, and which old ones may go.
 *
 * The main thread makes the file's bytes, the writer's thread writes them, and a later step takes
 * the result. So a slow disk costs no step anything, and a failing one is noticed a step late. */
#include "run_state.h"

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
static gyre_status prune(gyre_run *r) {
    const gyre_trainer *t = &r->trainer;
    const gyre_checkpoint_settings *c = &t->settings.checkpoint;
    int64_t *list = NULL;
    size_t count = 0;
    if (c->keep <= 0) return GYRE_OK;
    GYRE_TRY(gyre_checkpoint_list(r->folder.path, &list, &count));
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (c->minima && gyre_schedule_is_minimum(t->schedule, list[i])) continue;
        if (kept++ < (size_t)c->keep) continue;
        char *path = gyre_checkpoint_path(r->folder.path, list[i]);
        if (path == NULL || unlink(path) != 0) gyre_warn("cannot remove an old checkpoint");
        free(path);
    }
    free(list);
    return GYRE_OK;
}

/* A checkpoint that was not needed for the run's end could not be written. */
static void note_failure(gyre_run *r, const char *error) {
    gyre_progress_clear(&r->progress);
    if (r->trainer.settings.checkpoint.required) {
        r->save_failed = true;
        snprintf(r->save_error, sizeof r->save_error, "%s", error);
        return;
    }
    gyre_warn("%s; training goes on without this checkpoint", error);
    gyre_json *line = gyre_event_begin(r->events, "warning");
    gyre_json_add_text(line, "text", error);
    gyre_run_tolerate(r, gyre_event_end(r->events, line));
}

static gyre_status finish_job(gyre_run *r, const gyre_writer_result *result) {
    if (result->status != GYRE_OK) return gyre_fail(result->status, "%s", result->error);
    GYRE_TRY(prune(r));
    gyre_json *line = gyre_event_begin(r->events, "checkpoint");
    gyre_json_add_integer(line, "step", result->completed);
    if (!result->regular) gyre_json_add_flag(line, "best_only", true);
    gyre_json_add_number(line, "seconds", result->seconds);
    gyre_run_tolerate(r, gyre_event_end(r->events, line));
    return GYRE_OK;
}

void gyre_run_collect(gyre_run *r, bool wait) {
    gyre_writer_result result;
    if (r->writer == NULL || !gyre_writer_take(r->writer, wait, &result)) return;
    if (finish_job(r, &result) != GYRE_OK) note_failure(r, gyre_error_text());
}

gyre_status gyre_run_follow(void *run) {
    gyre_run *r = run;
    bool moved = false;
    r->followed_time = gyre_clock();
    gyre_status status = gyre_run_folder_follow(&r->folder, &moved);
    if (status == GYRE_OK && moved) status = gyre_metrics_moved(r->metrics, r->folder.metrics);
    if (status == GYRE_OK) return GYRE_OK;
    r->save_failed = true; /* a run whose folder is gone computes for nobody */
    snprintf(r->save_error, sizeof r->save_error, "%s", gyre_error_text());
    return status;
}

/* Not the folders above it: where they are missing the run folder was moved. */
static gyre_status make_folder(const char *dir) {
    if (mkdir(dir, 0777) == 0 || errno == EEXIST) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "cannot make folder '%s': %s", dir, strerror(errno));
}

static gyre_status start_job(gyre_run *r, bool regular, bool needed) {
    gyre_trainer *t = &r->trainer;
    gyre_writer_job job = {.rows_fd = -1, .completed = t->completed, .regular = regular};
    gyre_status status = GYRE_OK;
    size_t paths = 0;
    GYRE_TRY(gyre_run_follow(r));
    char *dir = gyre_path_join(r->folder.path, "checkpoints");
    /* best.h5 first: a run that is killed between the two comes to this step again */
    if (r->new_best) job.paths[paths++] = gyre_checkpoint_best_path(r->folder.path);
    if (regular) job.paths[paths++] = gyre_checkpoint_path(r->folder.path, t->completed);
    if (dir == NULL || job.paths[paths - 1] == NULL || job.paths[0] == NULL) {
        status = gyre_no_memory("writing a checkpoint");
        goto out;
    }
    GYRE_GOTO(make_folder(dir));
    gyre_status rows = gyre_metrics_flush(r->metrics);
    if (!needed) GYRE_GOTO(rows); /* a resume would miss them */
    if (rows != GYRE_OK) gyre_run_tolerate(r, rows);
    /* of several ranks the snapshot is the one that was just compared */
    if (t->ranks == 1) GYRE_GOTO(gyre_trainer_save(t));
    GYRE_GOTO(gyre_checkpoint_image(t->model, &t->snapshot, &job.image, &job.size));
    if (rows == GYRE_OK) status = gyre_metrics_descriptor(r->metrics, &job.rows_fd);
    if (status != GYRE_OK) goto out;
    gyre_writer_put(r->writer, &job);
out:
    free(dir);
    if (status == GYRE_OK) return GYRE_OK;
    for (size_t i = 0; i < paths; i++) free(job.paths[i]);
    free(job.image);
    return status;
}

/* Rank 0's part. With `needed` the file is on the disk when this returns. */
static gyre_status save(gyre_run *r, bool regular, bool needed) {
    double begun = gyre_clock();
    gyre_writer_result result;
    gyre_run_collect(r, true);
    if (r->save_failed) return gyre_fail(GYRE_EIO, "%s", r->save_error);
    gyre_status status = start_job(r, regular, needed);
    if (status == GYRE_OK && needed && gyre_writer_take(r->writer, true, &result)) {
        status = finish_job(r, &result);
    }
    r->saved_time = gyre_clock();
    r->row_time += r->saved_time - begun;
    return status;
}

gyre_status gyre_run_save(gyre_run *r, bool regular, bool needed) {
    gyre_trainer *t = &r->trainer;
    gyre_status status = GYRE_OK;
    gyre_watchdog_phase(t->watchdog, "writing a checkpoint", t->completed);
    if (t->rank == 0) {
        status = save(r, regular, needed);
        r->new_best = false;
    }
    if (needed) return gyre_comm_agree(t->comm, status);
    if (status != GYRE_OK) note_failure(r, gyre_error_text());
    return GYRE_OK;
}
