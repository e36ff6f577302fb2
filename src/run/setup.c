/* Everything before the first step: plan, folder, device, then a fresh start or a resume. */
#include "resume.h"

#include "gyre/clock.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/overwrite.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- resume */

static gyre_status may_resume(const gyre_run *r, const char *machine) {
    const gyre_trainer *t = &r->trainer;
    if (r->options.allow_inexact) return GYRE_OK;
    if (strcmp(machine, t->machine) != 0) {
        return gyre_fail(
            GYRE_EUSAGE,
            "a resume here may differ in the last bits: the run was on \"%s\", this is "
            "\"%s\"; --allow-inexact goes on all the same",
            machine, t->machine);
    }
    if (t->settings.reduce == GYRE_REDUCE_FAST) {
        return gyre_fail(GYRE_EUSAGE, "a resume may differ in the last bits with reduce \"fast\"; "
                                      "--allow-inexact goes on all the same");
    }
    if (!t->settings.deterministic) {
        return gyre_fail(GYRE_EUSAGE, "a resume may differ in the last bits with deterministic "
                                      "false; --allow-inexact goes on all the same");
    }
    return GYRE_OK;
}

static gyre_status load(gyre_run *r, int64_t completed) {
    GYRE_TRY(gyre_run_read_checkpoint(r, completed, &r->trainer.snapshot));
    return may_resume(r, r->trainer.snapshot.machine);
}

/* ---- rank 0 opens what is written */

/* A damaged file leaves its name to a new one. */
static gyre_status put_aside(const char *path, const char *what) {
    char *aside = NULL;
    GYRE_TRY(gyre_overwrite_set_aside(path, "damaged", &aside));
    gyre_say("the damaged %s is '%s' now", what, aside);
    free(aside);
    return GYRE_OK;
}

/* The accuracy of what best.h5 holds, so that a worse one does not take its place, and a better one
 * does though it is not the best of all rows: writing that one may have failed. A best.h5 of a step
 * to come is from the launch before; its step comes again. */
static gyre_status find_best(gyre_run *r) {
    gyre_snapshot best;
    gyre_tables tables = {0};
    gyre_status status = GYRE_OK;
    r->best = -1;
    char *path = gyre_checkpoint_best_path(r->folder.path);
    if (path == NULL) return gyre_no_memory("reading best.h5");
    if (!gyre_file_exists(path)) goto out;
    status = gyre_checkpoint_scalars(path, &best);
    if (status == GYRE_EIO) {
        gyre_warn("%s; the next evaluation makes a new one", gyre_error_text());
        status = put_aside(path, "best.h5");
        goto out;
    }
    if (status == GYRE_OK) status = gyre_tables_read(r->folder.metrics, &tables);
    for (size_t i = 0; i < tables.validation_count; i++) {
        const gyre_validation_row *row = &tables.validation[i];
        bool here = row->step == best.completed;
        if (here || row->accuracy > r->best) r->best = row->accuracy;
        if (here) break;
    }
out:
    gyre_tables_free(&tables);
    free(path);
    return status;
}

/* Checkpoints behind the one that the run goes on from were damaged. In their place they would be
 * counted among those to keep, and one that a failing disk gives back later would lack its rows. */
static gyre_status set_aside(const gyre_run *r) {
    int64_t *list = NULL;
    size_t count = 0;
    GYRE_TRY(gyre_checkpoint_list(r->folder.path, &list, &count));
    gyre_status status = GYRE_OK;
    for (size_t i = 0; i < count && list[i] > r->trainer.completed && status == GYRE_OK; i++) {
        char *path = gyre_checkpoint_path(r->folder.path, list[i]);
        status = path == NULL ? gyre_no_memory("setting a checkpoint aside")
                              : put_aside(path, "checkpoint");
        free(path);
    }
    free(list);
    return status;
}

/* The tables are older than the checkpoint: a file that was put back. */
static void warn_of_hole(const gyre_run *r) {
    long long end = gyre_metrics_end(r->metrics), completed = r->trainer.completed;
    if (end >= completed) return;
    gyre_warn("'%s' is older than the checkpoint: its rows end at step %lld, the run goes on at "
              "%lld, and the rows between them are lost",
              r->folder.metrics, end, completed);
}

static gyre_status open_files(gyre_run *r, const finding *f) {
    gyre_trainer *t = &r->trainer;
    if (!f->holds_run) GYRE_TRY(gyre_run_folder_create(&r->folder, &t->settings));
    GYRE_TRY(gyre_run_keep_config(r, f));
    bool missing = t->completed > 0 && !gyre_file_exists(r->folder.metrics);
    if (missing) {
        gyre_warn("'%s' is missing; its rows up to step %lld are lost", r->folder.metrics,
                  (long long)t->completed);
    }
    GYRE_TRY(set_aside(r));
    GYRE_TRY(gyre_metrics_open(r->folder.metrics, t->completed, &r->metrics));
    if (!missing) warn_of_hole(r);
    gyre_metrics_guard(r->metrics, gyre_run_follow, r);
    GYRE_TRY(find_best(r));
    GYRE_TRY(gyre_events_open(r->folder.log, &r->events));
    if (r->options.opened != NULL) {
        GYRE_TRY(r->options.opened(r->options.opened_context, r->folder.path, r->events));
    }
    return gyre_writer_open(&r->writer);
}

static gyre_status resume_or_create(gyre_run *r, const finding *f) {
    gyre_trainer *t = &r->trainer;
    gyre_status status = GYRE_OK;
    gyre_watchdog_phase(t->watchdog, "reading the checkpoint", -1);
    if (f->completed >= 0) {
        if (t->rank == 0) status = load(r, f->completed);
        GYRE_TRY(gyre_comm_agree(t->comm, status));
        GYRE_TRY(gyre_trainer_load(t));
    }
    gyre_watchdog_phase(t->watchdog, "opening the run's files", -1);
    if (t->rank == 0) status = open_files(r, f);
    return gyre_comm_agree(t->comm, status);
}

static gyre_status open_evaluator(gyre_run *r) {
    gyre_trainer *t = &r->trainer;
    if (t->samples.validation.count == 0) return GYRE_OK;
    int64_t batch = t->settings.evaluate.batch, most = t->samples.validation.count;
    return gyre_evaluator_open(t->weights, (int)(batch < most ? batch : most), t->comm, t->watchdog,
                               &r->evaluator);
}

static void start_clocks(gyre_run *r) {
    r->begun = r->row_time = r->saved_time = gyre_clock();
    if (r->metrics != NULL) r->seconds_before = gyre_metrics_seconds(r->metrics);
    r->progress =
        gyre_progress_begin(r->trainer.rank != 0 || r->options.quiet, r->trainer.completed);
    r->scored_step = -1;
}

/* A cell trains on what its study was planned with: files may be replaced while it runs. */
static gyre_status check_files(const gyre_run *r, uint64_t expected, uint64_t found,
                               const char *key, const char *path) {
    if (r->trainer.rank != 0 || expected == 0 || found == 0 || found == expected) return GYRE_OK;
    return gyre_fail(
        GYRE_EIO,
        "%s: '%s' has another content than when the study began; put the file back, or "
        "begin a study anew",
        key, path);
}

static gyre_status nothing_to_do(gyre_run *r, const finding *f) {
    const gyre_trainer *t = &r->trainer;
    gyre_status status = GYRE_OK;
    if (t->rank == 0) status = gyre_run_keep_config(r, f);
    GYRE_TRY(gyre_comm_agree(t->comm, status));
    long long at = f->completed, all = t->steps;
    char again[512];
    bool done = f->finished && at == all; /* not a stage that was added since */
    if (done && r->options.extended)
        gyre_say("already done: %lld of %lld steps, with the stage that --extend names; to add it "
                 "once more: %s --extend STAGE",
                 at, all, gyre_run_command(r, again, sizeof again));
    else if (done)
        gyre_say("already done: %lld of %lld steps", at, all);
    else
        gyre_say("already at step %lld of %lld: --stop-after %lld ends the run here", at, all,
                 (long long)r->last);
    return GYRE_OK;
}

static gyre_status open_run(gyre_run *r, const gyre_settings *settings, gyre_comm *comm,
                            bool *finished);

/* The stage is there already: the run goes on as its own config has it. */
static gyre_status open_without_stage(gyre_run *r, const gyre_settings *settings, gyre_comm *comm,
                                      bool *finished) {
    gyre_settings s = *settings;
    s.schedule.stage_count--;
    s.length = (gyre_length){GYRE_UNIT_NONE, 0}; /* that of the stages */
    r->options.extended = false;
    gyre_run_folder_close(&r->folder);
    gyre_trainer_close(&r->trainer);
    return open_run(r, &s, comm, finished);
}

static gyre_status open_run(gyre_run *r, const gyre_settings *settings, gyre_comm *comm,
                            bool *finished) {
    gyre_trainer *t = &r->trainer;
    finding f = {0};
    gyre_status status = GYRE_OK;
    *finished = false;
    GYRE_TRY(gyre_trainer_plan(t, settings, comm));
    if (r->options.profile) t->profile = &r->profile;
    status = check_files(r, r->options.data_hash, t->data_hash, "data.path", t->settings.data.path);
    GYRE_TRY(gyre_comm_agree(comm, status));
    gyre_watchdog_phase(t->watchdog, "looking into the run folder", -1);
    if (t->rank == 0) status = gyre_run_look(r, settings, &f);
    GYRE_TRY(gyre_comm_agree(comm, status));
    GYRE_TRY(gyre_comm_broadcast(comm, &f, sizeof f, 0));
    if (f.repeats) return open_without_stage(r, settings, comm, finished);
    int64_t stop = r->options.stop_after;
    r->last = stop > 0 && stop < t->steps ? stop : t->steps;
    if (f.completed >= r->last) {
        *finished = true;
        return nothing_to_do(r, &f);
    }
    GYRE_TRY(gyre_trainer_open(t, f.completed < 0));
    status = check_files(r, r->options.init_hash, t->snapshot.init_hash, "model.init_from",
                         t->settings.model.init_from);
    GYRE_TRY(gyre_comm_agree(comm, status));
    GYRE_TRY(resume_or_create(r, &f));
    GYRE_TRY(gyre_comm_agree(comm, open_evaluator(r)));
    GYRE_TRY(gyre_run_summary(r));
    start_clocks(r);
    return gyre_trainer_start(t, r->last);
}

gyre_status gyre_run_open(gyre_run *r, const gyre_settings *settings, gyre_comm *comm,
                          bool *finished) {
    r->folder.lock = r->folder.self = -1;
    r->progress.line.terminal = -1;
    return open_run(r, settings, comm, finished);
}

void gyre_run_close(gyre_run *r) {
    gyre_progress_end(&r->progress);
    gyre_writer_close(r->writer);
    gyre_evaluator_close(r->evaluator);
    if (gyre_metrics_close(r->metrics) != GYRE_OK) gyre_warn("%s", gyre_error_text());
    gyre_events_close(r->events);
    if (r->folder.path != NULL) gyre_run_folder_close(&r->folder);
    gyre_trainer_close(&r->trainer);
}
