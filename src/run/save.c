/* Writing checkpoints during a run, and which old ones may go. */
#include "run_state.h"

#include "gyre/file.h"
#include "gyre/log.h"
#include <stdlib.h>
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

static gyre_status save(gyre_run *r) {
    gyre_trainer *t = &r->trainer;
    double begun = gyre_run_clock();
    GYRE_TRY(gyre_metrics_flush(r->metrics));
    GYRE_TRY(gyre_trainer_save(t));
    GYRE_TRY(gyre_checkpoint_save(r->folder.path, t->model, &t->snapshot));
    GYRE_TRY(prune(r));
    gyre_json *line = gyre_event_begin(r->events, "checkpoint");
    gyre_json_line_integer(line, "step", t->completed);
    gyre_json_line_number(line, "seconds", gyre_run_clock() - begun);
    GYRE_TRY(gyre_event_end(r->events, line));
    r->saved_time = gyre_run_clock();
    r->row_time += r->saved_time - begun;
    return GYRE_OK;
}

gyre_status gyre_run_save(gyre_run *r, bool needed) {
    gyre_trainer *t = &r->trainer;
    gyre_status status = GYRE_OK;
    gyre_watchdog_phase(t->watchdog, "writing a checkpoint", t->completed);
    if (t->rank == 0) {
        status = save(r);
        if (status == GYRE_EIO && !needed && !t->settings.checkpoint.required) {
            gyre_progress_clear(&r->progress);
            gyre_warn("%s; training goes on without this checkpoint", gyre_error_text());
            r->saved_time = gyre_run_clock();
            status = GYRE_OK;
        }
    }
    return gyre_comm_agree(t->comm, status);
}

gyre_status gyre_run_save_best(gyre_run *r) {
    gyre_trainer *t = &r->trainer;
    char *dir = gyre_path_join(r->folder.path, "checkpoints");
    char *path = dir == NULL ? NULL : gyre_path_join(dir, "best.h5");
    gyre_status status = GYRE_OK;
    if (path == NULL) {
        status = gyre_fail(GYRE_EIO, "no memory to write a checkpoint");
        goto out;
    }
    GYRE_GOTO(gyre_dir_make(dir));
    GYRE_GOTO(gyre_trainer_save(t));
    status = gyre_checkpoint_write(path, t->model, &t->snapshot);
out:
    free(path);
    free(dir);
    return status;
}
