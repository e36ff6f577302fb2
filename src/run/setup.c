/* Everything before the first step: plan, folder, device, then a fresh start or a resume. */
#include "setup.h"

#include "branch.h"
#include "gyre/clock.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/overwrite.h"
#include "resume.h"
#include "summary.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- resume */

static gyre_status may_resume(const run_state *r, const char *machine) {
    const gyre_trainer *t = &r->trainer;
    if (r->options.allow_inexact) return GYRE_OK;
    if (strcmp(machine, t->machine) != 0) {
        return gyre_fail(
            GYRE_EUSAGE,
            "a resume here may differ in the last bits: the run was on \"%s\", this is "
            "\"%s\"; --allow-inexact resumes all the same",
            machine, t->machine);
    }
    if (r->resolved.settings.reduce == GYRE_REDUCE_FAST) {
        return gyre_fail(GYRE_EUSAGE, "a resume may differ in the last bits with reduce \"fast\"; "
                                      "--allow-inexact resumes all the same");
    }
    if (!r->resolved.settings.deterministic) {
        return gyre_fail(GYRE_EUSAGE, "a resume may differ in the last bits with deterministic "
                                      "false; --allow-inexact resumes all the same");
    }
    return GYRE_OK;
}

static gyre_status load(run_state *r, const run_found *f) {
    GYRE_TRY(run_read_checkpoint(r, f, &r->trainer.snapshot));
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

/* Finds the metric of best.h5 itself, since the best of all rows may not have been written: a later
 * score must beat what best.h5 holds. A best.h5 of a step beyond the checkpoint is from the launch
 * before and does not count, since its step comes again. */
static gyre_status find_best(run_state *r) {
    gyre_snapshot best;
    gyre_tables tables = {0};
    gyre_status status = GYRE_OK;
    const gyre_metric *metric = r->resolved.model->metric;
    r->validation.best = gyre_metric_worst(metric);
    char *path = gyre_checkpoint_best_path(r->files.folder.path);
    if (path == NULL) return gyre_no_memory("reading best.h5");
    if (!gyre_file_exists(path)) goto out;
    status = gyre_checkpoint_scalars(path, &best);
    if (status == GYRE_EIO) {
        gyre_warn("%s; the next evaluation makes a new one", gyre_error_text());
        status = put_aside(path, "best.h5");
        goto out;
    }
    if (status == GYRE_OK) status = gyre_tables_read(r->files.folder.metrics, &tables);
    for (size_t i = 0; i < tables.validation_count; i++) {
        const gyre_validation_row *row = &tables.validation[i];
        bool here = row->step == best.completed;
        if (here || gyre_metric_better(metric, row->metric, r->validation.best)) {
            r->validation.best = row->metric;
        }
        if (here) break;
    }
out:
    gyre_tables_free(&tables);
    free(path);
    return status;
}

/* Checkpoints behind the one that the run resumes from were damaged. In their place they would be
 * counted among those to keep, and one that a failing disk gives back later would lack its rows. */
static gyre_status set_aside(const run_state *r) {
    int64_t *list = NULL;
    size_t count = 0;
    GYRE_TRY(gyre_checkpoint_list(r->files.folder.path, &list, &count));
    gyre_status status = GYRE_OK;
    for (size_t i = 0; i < count && list[i] > r->trainer.completed && status == GYRE_OK; i++) {
        char *path = gyre_checkpoint_path(r->files.folder.path, list[i]);
        status = path == NULL ? gyre_no_memory("setting a checkpoint aside")
                              : put_aside(path, "checkpoint");
        free(path);
    }
    free(list);
    return status;
}

/* The tables are older than the checkpoint: a file that was put back. */
static void warn_of_hole(const run_state *r) {
    long long end = gyre_metrics_end(r->files.metrics), completed = r->trainer.completed;
    if (end >= completed) return;
    gyre_warn("'%s' is older than the checkpoint: its rows end at step %lld, the run resumes at "
              "%lld, and the rows between them are lost",
              r->files.folder.metrics, end, completed);
}

static gyre_status open_files(run_state *r, const run_found *f) {
    gyre_trainer *t = &r->trainer;
    if (!f->holds_run) GYRE_TRY(gyre_run_folder_create(&r->files.folder, &r->resolved.settings));
    GYRE_TRY(run_keep_config(r, f));
    if (f->branches) GYRE_TRY(run_branch_copy(&r->options.branch, &r->files.folder));
    bool missing = t->completed > 0 && !gyre_file_exists(r->files.folder.metrics);
    if (missing) {
        gyre_warn("'%s' is missing; its rows up to step %lld are lost", r->files.folder.metrics,
                  (long long)t->completed);
    }
    GYRE_TRY(set_aside(r));
    GYRE_TRY(run_files_open(&r->files, t->resolved->model, &r->resolved.settings, t->completed));
    GYRE_TRY(run_files_open_tensorboard(&r->files, &r->resolved.settings,
                                        t->resolved->model->metric, t->completed));
    if (!missing) warn_of_hole(r);
    GYRE_TRY(find_best(r));
    if (r->options.opened != NULL) {
        GYRE_TRY(
            r->options.opened(r->options.opened_context, r->files.folder.path, r->files.events));
    }
    return run_saver_open(&r->saver);
}

static gyre_status resume_or_create(run_state *r, const run_found *f) {
    gyre_trainer *t = &r->trainer;
    gyre_status status = GYRE_OK;
    gyre_watchdog_phase(t->watchdog, "reading the checkpoint", -1);
    if (f->completed >= 0) {
        if (t->rank == 0) status = load(r, f);
        GYRE_TRY(gyre_comm_agree(t->comm, status));
        GYRE_TRY(gyre_trainer_load(t));
    }
    gyre_watchdog_phase(t->watchdog, "opening the run's files", -1);
    if (t->rank == 0) status = open_files(r, f);
    GYRE_TRY(gyre_comm_agree(t->comm, status));
    return f->branches ? run_branch_begin(&r->options.branch, t, &r->files, &r->saver) : GYRE_OK;
}

/* Gives each part of the loop what it works on. */
static void connect(run_state *r) {
    const gyre_settings *s = &r->resolved.settings;
    r->files = run_files_none(&r->progress);
    r->saver = (run_saver){.settings = &s->checkpoint,
                           .schedule = r->schedule,
                           .files = &r->files,
                           .timing = &r->timing};
    r->rows = (run_rows){.files = &r->files,
                         .timing = &r->timing,
                         .progress = &r->progress,
                         .batch = s->batch_size,
                         .steps = r->steps,
                         .steps_per_epoch = r->resolved.epochs.steps_per_epoch,
                         .cycles = (int64_t)gyre_schedule_cycle_count(r->schedule)};
    r->validation = (run_validation){.quiet = r->options.quiet, .best = -1, .scored = -1};
    r->pictures = (run_pictures){.quiet = r->options.quiet};
}

static void start_clocks(run_state *r) {
    const gyre_metrics *m = r->files.metrics;
    r->timing = run_timing_begin(m == NULL ? 0 : gyre_metrics_seconds(m));
    r->progress =
        gyre_progress_begin(r->trainer.rank != 0 || r->options.quiet, r->trainer.completed);
}

/* A cell trains on what its study was planned with: files may be replaced while it runs. */
static gyre_status check_file(uint64_t expected, uint64_t found, const char *key,
                              const char *path) {
    if (expected == 0 || found == 0 || found == expected) return GYRE_OK;
    return gyre_fail(
        GYRE_EIO,
        "%s: '%s' has another content than when the study began; put the file back, or "
        "begin a study anew",
        key, path);
}

static gyre_status nothing_to_do(run_state *r, const run_found *f, gyre_comm *comm) {
    gyre_status status = GYRE_OK;
    if (gyre_comm_rank(comm) == 0) status = run_keep_config(r, f);
    GYRE_TRY(gyre_comm_agree(comm, status));
    long long at = f->completed, all = r->steps;
    char again[512];
    bool done = f->finished && at == all; /* not a stage that was added since */
    if (done && r->options.extended)
        gyre_say("already done: %lld of %lld steps, with the stage that --extend names; to add it "
                 "once more: %s --extend STAGE",
                 at, all, run_command(r, again, sizeof again));
    else if (done)
        gyre_say("already done: %lld of %lld steps", at, all);
    else
        gyre_say("already at step %lld of %lld: --stop-after %lld ends the run here", at, all,
                 (long long)r->last);
    return GYRE_OK;
}

/* Settings resolved, and what the folder holds. */
static gyre_status look(run_state *r, const gyre_settings *settings, gyre_comm *comm,
                        run_found *f) {
    bool first = gyre_comm_rank(comm) == 0;
    gyre_status status = GYRE_OK;
    GYRE_TRY(gyre_resolve(settings, comm, &r->schedule, &r->resolved));
    r->steps = gyre_schedule_steps(r->schedule);
    connect(r);
    if (first) {
        status = check_file(r->options.data_hash, r->resolved.data_hash, "data.path",
                            r->resolved.settings.data.path);
    }
    GYRE_TRY(gyre_comm_agree(comm, status));
    GYRE_TRY(gyre_comm_agree(comm, run_pictures_plan(&r->pictures, &r->resolved)));
    gyre_watchdog_phase(gyre_comm_watchdog(comm), "looking into the run folder", -1);
    if (first) status = run_look(r, settings, f);
    GYRE_TRY(gyre_comm_agree(comm, status));
    return gyre_comm_broadcast(comm, f, sizeof *f, 0);
}

static void close_resolved(run_state *r) {
    run_pictures_close(&r->pictures);
    if (r->schedule != NULL) gyre_schedule_close(r->schedule);
    r->schedule = NULL;
    gyre_resolved_close(&r->resolved);
}

/* The stage is there already: the run continues as its own config has it. */
static gyre_status look_without_stage(run_state *r, const gyre_settings *settings, gyre_comm *comm,
                                      run_found *f) {
    gyre_settings s = *settings;
    s.schedule.stage_count--;
    s.length = (gyre_length){GYRE_UNIT_NONE, 0}; /* that of the stages */
    r->options.extended = false;
    gyre_run_folder_close(&r->files.folder);
    close_resolved(r);
    *f = (run_found){0};
    return look(r, &s, comm, f);
}

gyre_status run_open(run_state *r, const gyre_settings *settings, gyre_comm *comm, bool *finished) {
    gyre_trainer *t = &r->trainer;
    run_found f = {0};
    gyre_status status = GYRE_OK;
    *finished = false;
    r->files = run_files_none(&r->progress);
    r->progress.line.terminal = -1;
    GYRE_TRY(look(r, settings, comm, &f));
    if (f.repeats) GYRE_TRY(look_without_stage(r, settings, comm, &f));
    int64_t stop = r->options.stop_after;
    r->last = stop > 0 && stop < r->steps ? stop : r->steps;
    if (f.completed >= r->last) {
        *finished = true;
        return nothing_to_do(r, &f, comm);
    }
    gyre_profile *profile = r->options.profile ? &r->profile : NULL;
    GYRE_TRY(gyre_trainer_open(t, &r->resolved, comm, profile, f.completed < 0));
    if (t->rank == 0) {
        status = check_file(r->options.init_hash, t->snapshot.init_hash, "model.init_from",
                            r->resolved.settings.model.init_from);
    }
    GYRE_TRY(gyre_comm_agree(comm, status));
    GYRE_TRY(resume_or_create(r, &f));
    if (f.branches && t->rank == 0 && !r->options.quiet)
        gyre_say("branches from '%s' after step %lld", r->options.branch.folder,
                 (long long)f.completed);
    GYRE_TRY(gyre_comm_agree(comm, run_validation_open(&r->validation, t)));
    GYRE_TRY(gyre_comm_agree(comm, run_pictures_open(&r->pictures, t)));
    GYRE_TRY(run_summary(r));
    start_clocks(r);
    return gyre_trainer_start(t, r->resolved.settings.seed, r->last);
}

void run_close(run_state *r) {
    gyre_progress_end(&r->progress);
    run_saver_close(&r->saver);
    run_validation_close(&r->validation);
    run_pictures_close(&r->pictures);
    run_files_close(&r->files);
    gyre_trainer_close(&r->trainer);
    close_resolved(r);
}
