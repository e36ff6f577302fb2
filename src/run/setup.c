/* Everything before the first step: plan, folder, device, then a fresh start or a resume. */
#include "extend.h"
#include "run_state.h"

#include "gyre/clock.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/overwrite.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What rank 0 found in the folder; the same on all ranks after share(). */
typedef struct {
    int64_t completed; /* of the checkpoint to go on from; -1: none, start at 0 */
    int32_t holds_run; /* the folder holds a run */
    int32_t finished;  /* and that run is done */
    int32_t extends;   /* this launch adds a stage to it */
} finding;

/* ---- rank 0 looks */

gyre_status gyre_run_choose_folder(const gyre_run *r, const gyre_settings *settings, char **out) {
    const char *dir = settings->dir == NULL ? "." : settings->dir, *name = settings->output_dir;
    if (r->options.out == NULL && name == NULL) {
        return gyre_fail(GYRE_EUSAGE, "no run folder: give --out DIR, or output.dir in the config");
    }
    *out = r->options.out != NULL ? strdup(r->options.out) : gyre_path_join(dir, name);
    return *out != NULL ? GYRE_OK : gyre_fail(GYRE_EDEVICE, "no memory for the run folder's path");
}

/* Keeps the differences as error text, and puts the way behind them where only the length differs,
 * or where the run was extended since: then the run's own config is what goes on. */
static gyre_status name_the_way(const gyre_run *r, const gyre_settings *old, gyre_status status) {
    const gyre_settings *now = &r->trainer.settings;
    char why[GYRE_ERROR_MAX];
    gyre_settings same = *now;
    if (status != GYRE_EUSAGE) return status;
    snprintf(why, sizeof why, "%s", gyre_error_text());
    if (old->schedule.stage_count > now->schedule.stage_count - r->options.extended) {
        return gyre_fail(
            status,
            "%.600s; the run was extended since: `gyre train %s --out %s%s` goes on with "
            "all its stages",
            why, r->folder.config, r->folder.path, r->options.extended ? " --extend STAGE" : "");
    }
    if (r->options.extended) return gyre_fail(status, "%s", why);
    same.length = old->length;
    if (old->schedule.stage_count > 0 || now->schedule.stage_count > 0 ||
        gyre_config_compare(old, &same) != GYRE_OK) {
        return gyre_fail(status, "%s", why);
    }
    double more = now->length.value - old->length.value;
    if (!(more > 0)) return gyre_fail(status, "%s", why);
    double rate = old->schedule.base_lr > 0 ? old->schedule.base_lr : old->schedule.max_lr;
    return gyre_fail(
        status,
        "%.300s; to train on past its end, add a stage: gyre train %s --out %s --extend "
        "'{\"policy\": \"constant\", \"base_lr\": %.6g, \"length\": {\"steps\": %.0f}}'",
        why, r->folder.config, r->folder.path, rate, more);
}

/* ---- the dataset */

static gyre_status other_data(const gyre_trainer *t) {
    return gyre_fail(GYRE_EUSAGE,
                     "data.path: '%s' has other images or labels than the dataset this run was "
                     "trained on",
                     t->settings.data.path);
}

/* Does the run's newest checkpoint say that? One that cannot be read is told of later. */
static bool has_other_data(const gyre_run *r) {
    gyre_snapshot s;
    char *path = NULL;
    bool other = gyre_checkpoint_newest(r->folder.path, &path) == GYRE_OK && path != NULL &&
                 gyre_checkpoint_scalars(path, &s) == GYRE_OK &&
                 s.data_hash != r->trainer.data_hash;
    free(path);
    return other;
}

/* The settings of the run in the folder must be this launch's, or those before it was extended. */
static gyre_status same_run(gyre_run *r, const gyre_settings *old, finding *f) {
    bool extends = false;
    gyre_status status = r->options.extended
                             ? gyre_extend_compare(old, &r->trainer.settings, &extends)
                             : gyre_config_compare(old, &r->trainer.settings);
    f->extends = extends;
    /* Another number of images makes epochs of other lengths. */
    if (status == GYRE_EUSAGE && has_other_data(r)) return other_data(&r->trainer);
    return name_the_way(r, old, status);
}

/* Reads the run's checkpoint after `completed` updates. */
static gyre_status read_checkpoint(const gyre_run *r, int64_t completed, gyre_snapshot *s) {
    char *path = gyre_checkpoint_path(r->folder.path, completed);
    if (path == NULL) return gyre_fail(GYRE_EDEVICE, "no memory to read a checkpoint");
    gyre_status status = gyre_checkpoint_load(path, r->trainer.model, s);
    free(path);
    return status;
}

/* Without a checkpoint a run begins at step 0, as it must when it was killed before the first one.
 * One whose log tells of a checkpoint, or whose rows are there without its log, has lost it. */
static gyre_status check_lost(const gyre_run *r) {
    int64_t completed = 0;
    bool found = false;
    gyre_tables tables = {0};
    GYRE_TRY(gyre_events_checkpoint(r->folder.log, &completed, &found));
    if (!found && gyre_file_exists(r->folder.metrics)) {
        GYRE_TRY(gyre_tables_read(r->folder.metrics, &tables));
        completed = (int64_t)tables.train_count;
        gyre_tables_free(&tables);
    }
    if (completed == 0) return GYRE_OK;
    return gyre_fail(
        GYRE_EIO,
        "'%s' was trained for %lld steps, but its checkpoints are gone (no "
        "checkpoints/step-*.h5); put them back to go on, or move the run away to start "
        "again",
        r->folder.path, (long long)completed);
}

/* The newest checkpoint that is whole; a damaged one is passed over with a warning. Leaves its
 * scalars in `s`. */
static gyre_status find_checkpoint(gyre_run *r, gyre_snapshot *s, finding *f) {
    int64_t *list = NULL;
    size_t count = 0;
    GYRE_TRY(gyre_checkpoint_list(r->folder.path, &list, &count));
    gyre_status status = GYRE_OK;
    for (size_t i = 0; i < count && f->completed < 0; i++) {
        status = read_checkpoint(r, list[i], s);
        if (status == GYRE_OK) {
            f->completed = s->completed;
            f->finished = s->finished;
        }
        if (status != GYRE_EIO) break; /* taken; or it is not the file that is wrong */
        gyre_warn("%s; trying the checkpoint before it", gyre_error_text());
    }
    free(list);
    if (status != GYRE_OK && status != GYRE_EIO) return status;
    if (f->completed >= 0) return GYRE_OK;
    if (count == 0) return check_lost(r);
    return gyre_fail(GYRE_EIO,
                     "none of the %zu checkpoints of '%s' can be read; move the run away to start "
                     "again",
                     count, r->folder.path);
}

/* The checkpoint tells whether the run's config.json is still the one it was trained with. */
static gyre_status same_config(const gyre_run *r, const gyre_settings *old,
                               const gyre_snapshot *s) {
    bool known = false;
    if (r->options.allow_inexact) return GYRE_OK;
    GYRE_TRY(gyre_extend_knows(old, s->config_hash, &known));
    if (known) return GYRE_OK;
    return gyre_fail(
        GYRE_EUSAGE,
        "'%s' has other settings than the run was trained with up to step %lld: it was "
        "edited, or written by another version of gyre; put it back, take a new --out, "
        "or go on all the same with --allow-inexact",
        r->folder.config, (long long)s->completed);
}

/* The weights that the run began with are in its checkpoint; should their file still be there, it
 * must be the same. */
static gyre_status same_beginning(const gyre_trainer *t, const gyre_snapshot *s) {
    const char *from = t->settings.model.init_from;
    uint64_t hash = 0;
    if ((from != NULL) != (s->init_hash != 0)) {
        return gyre_fail(GYRE_EUSAGE, "model.init_from: the run began %s; put it back as it was",
                         from == NULL ? "from a file" : "without one");
    }
    if (from == NULL || !gyre_file_exists(from)) return GYRE_OK;
    GYRE_TRY(gyre_file_hash(from, &hash));
    if (hash == s->init_hash) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "model.init_from: '%s' is not the file that the run began from (its content "
                     "is another)",
                     from);
}

/* A dataset that was moved is found from now on where this launch found it, by `gyre eval` too. */
static gyre_status keep_path(gyre_run *r, gyre_settings *old) {
    const char *now = r->trainer.settings.data.path;
    if (old->data.path == NULL || strcmp(old->data.path, now) == 0) return GYRE_OK;
    char *copy = strdup(now);
    if (copy == NULL) return gyre_fail(GYRE_EDEVICE, "no memory for the path '%s'", now);
    free(old->data.path);
    old->data.path = copy;
    return gyre_folder_rewrite(&r->folder, old);
}

static gyre_status look(gyre_run *r, const gyre_settings *settings, finding *f) {
    gyre_trainer *t = &r->trainer;
    gyre_snapshot s = {0};
    gyre_settings *old = NULL;
    char *path = NULL;
    gyre_status status = GYRE_OK;
    *f = (finding){.completed = -1};
    GYRE_GOTO(gyre_run_choose_folder(r, settings, &path));
    GYRE_GOTO(gyre_folder_open(path, &r->folder));
    f->holds_run = r->folder.holds_run;
    if (!f->holds_run) goto out;
    GYRE_GOTO(gyre_config_open(r->folder.config, NULL, 0, &old));
    GYRE_GOTO(same_run(r, old, f));
    GYRE_GOTO(gyre_snapshot_open(t->model, 0, &s));
    GYRE_GOTO(find_checkpoint(r, &s, f));
    if (f->completed >= 0) GYRE_GOTO(same_config(r, old, &s));
    if (f->extends) GYRE_GOTO(gyre_extend_check(old, &t->settings, f->completed));
    if (f->completed >= 0) GYRE_GOTO(same_beginning(t, &s));
    if (f->completed >= 0 && s.data_hash != t->data_hash) {
        GYRE_GOTO(other_data(t));
    }
    if (f->completed >= 0) status = keep_path(r, old);
out:
    gyre_config_close(old);
    gyre_snapshot_close(&s);
    free(path);
    return status;
}

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
    GYRE_TRY(read_checkpoint(r, completed, &r->trainer.snapshot));
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
    if (path == NULL) return gyre_fail(GYRE_EDEVICE, "no memory to read best.h5");
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
        status = path == NULL ? gyre_fail(GYRE_EDEVICE, "no memory to set a checkpoint aside")
                              : put_aside(path, "checkpoint");
        free(path);
    }
    free(list);
    return status;
}

static gyre_status open_files(gyre_run *r, const finding *f) {
    gyre_trainer *t = &r->trainer;
    if (!f->holds_run) GYRE_TRY(gyre_folder_create(&r->folder, &t->settings));
    if (f->extends) GYRE_TRY(gyre_folder_rewrite(&r->folder, &t->settings));
    if (t->completed > 0 && !gyre_file_exists(r->folder.metrics)) {
        gyre_warn("'%s' is missing; its rows up to step %lld are lost", r->folder.metrics,
                  (long long)t->completed);
    }
    GYRE_TRY(set_aside(r));
    GYRE_TRY(gyre_metrics_open(r->folder.metrics, t->completed, &r->metrics));
    gyre_metrics_guard(r->metrics, gyre_run_follow, r);
    GYRE_TRY(find_best(r));
    GYRE_TRY(gyre_events_open(r->folder.log, &r->events));
    GYRE_TRY(gyre_rates_record(r));
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

/* A stage that was to be added is kept for the launch that comes to it. */
static gyre_status nothing_to_do(gyre_run *r, const finding *f) {
    const gyre_trainer *t = &r->trainer;
    gyre_status status = GYRE_OK;
    if (t->rank == 0 && f->extends) status = gyre_folder_rewrite(&r->folder, &t->settings);
    GYRE_TRY(gyre_comm_agree(t->comm, status));
    long long at = f->completed, all = t->steps;
    if (f->finished && !f->extends && r->options.extended)
        gyre_say("already done: %lld of %lld steps, with the stage that --extend names; to add it "
                 "once more: gyre train %s --out %s --extend STAGE",
                 at, all, r->folder.config, r->folder.path);
    else if (f->finished && !f->extends)
        gyre_say("already done: %lld of %lld steps", at, all);
    else
        gyre_say("already at step %lld of %lld: --stop-after %lld ends the run here", at, all,
                 (long long)r->last);
    return GYRE_OK;
}

static gyre_status open_run(gyre_run *r, const gyre_settings *settings, gyre_comm *comm,
                            bool *finished) {
    gyre_trainer *t = &r->trainer;
    finding f = {0};
    gyre_status status = GYRE_OK;
    *finished = false;
    GYRE_TRY(gyre_trainer_plan(t, settings, comm));
    t->profiled = r->options.profile;
    status = check_files(r, r->options.data_hash, t->data_hash, "data.path", t->settings.data.path);
    GYRE_TRY(gyre_comm_agree(comm, status));
    gyre_watchdog_phase(t->watchdog, "looking into the run folder", -1);
    if (t->rank == 0) status = look(r, settings, &f);
    GYRE_TRY(gyre_comm_agree(comm, status));
    GYRE_TRY(gyre_comm_broadcast(comm, &f, sizeof f, 0));
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
    gyre_settings s = *settings;
    gyre_stage_settings *stages = NULL;
    gyre_status status = GYRE_OK;
    r->folder.lock = r->folder.self = -1;
    r->progress.line.terminal = -1;
    if (gyre_rates_open(settings)) status = gyre_rates_settle(r, &s, &stages, comm);
    if (status == GYRE_OK) status = open_run(r, &s, comm, finished);
    free(stages);
    return status;
}

void gyre_run_close(gyre_run *r) {
    gyre_progress_end(&r->progress);
    gyre_writer_close(r->writer);
    gyre_evaluator_close(r->evaluator);
    if (gyre_metrics_close(r->metrics) != GYRE_OK) gyre_warn("%s", gyre_error_text());
    gyre_events_close(r->events);
    gyre_find_close(&r->found);
    if (r->folder.path != NULL) gyre_folder_close(&r->folder);
    gyre_trainer_close(&r->trainer);
}
