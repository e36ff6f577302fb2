/* What a run's folder holds, and whether this launch may resume it: the same settings, dataset
 * and beginning. */
#include "resume.h"

#include "extend.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *run_command(const run_state *r, char *out, size_t size) {
    char config[200], folder[200]; /* the whole must fit into a message */
    snprintf(out, size, "gyre train %s --out %s",
             gyre_text_word(r->files.folder.config, "CONFIG", config, sizeof config),
             gyre_text_word(r->files.folder.path, "RUN", folder, sizeof folder));
    return out;
}

/* Refuses with the differences, `why`, and puts the way behind them where only the length differs,
 * or where the run was extended since: then the run's own config is what is resumed. */
static gyre_status name_the_way(const run_state *r, const gyre_settings *old, char *why) {
    const gyre_settings *now = &r->resolved.settings;
    const gyre_status status = GYRE_EUSAGE;
    gyre_settings same = *now;
    char again[512];
    if (r->options.cell) {
        return gyre_fail(status, "%s; move the cell's folder '%s' away to train it anew",
                         gyre_text_shorten(why, 500), r->files.folder.path);
    }
    run_command(r, again, sizeof again);
    if (old->schedule.stage_count > now->schedule.stage_count - r->options.extended) {
        return gyre_fail(status,
                         "%s; the run was extended since: `%s%s` resumes with "
                         "all its stages",
                         gyre_text_shorten(why, 400), again,
                         r->options.extended ? " --extend STAGE" : "");
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
        "%s; to train on past its end, add a stage: %s --extend "
        "'{\"policy\": \"constant\", \"base_lr\": %.6g, \"length\": {\"steps\": %.0f}}'",
        gyre_text_shorten(why, 300), again, rate, more);
}

/* ---- the dataset */

static gyre_status other_data(const run_state *r) {
    return gyre_fail(GYRE_EUSAGE,
                     "data.path: '%s' has other images or labels than the dataset this run was "
                     "trained on",
                     r->resolved.settings.data.path);
}

/* Whether the run's newest checkpoint could be read; one that could not is told of later. */
static bool read_newest(const run_state *r, gyre_snapshot *s) {
    char *path = NULL;
    bool read = gyre_checkpoint_newest(r->files.folder.path, &path) == GYRE_OK && path != NULL &&
                gyre_checkpoint_scalars(path, s) == GYRE_OK;
    free(path);
    return read;
}

/* The checkpoint tells whether the run's config.json is still the one it was trained with. */
static gyre_status same_config(const run_state *r, const char *config, const gyre_settings *old,
                               const gyre_snapshot *s) {
    bool known = false;
    if (r->options.allow_inexact) return GYRE_OK;
    GYRE_TRY(run_extend_knows(old, s->config_hash, &known));
    if (known) return GYRE_OK;
    return gyre_fail(
        GYRE_EUSAGE,
        "'%s' has other settings than the run was trained with up to step %lld: it was "
        "edited, or written by another version of gyre; put it back, take a new --out, "
        "or resume all the same with --allow-inexact",
        config, (long long)s->completed);
}

/* Other settings than those of config.json may have another cause, which the checkpoint knows:
 * another number of images makes epochs of other lengths, and config.json may have been edited. */
static gyre_status other_cause(const run_state *r, const gyre_settings *old) {
    gyre_snapshot s;
    if (!read_newest(r, &s)) return GYRE_OK;
    if (s.data_hash != r->resolved.data_hash) return other_data(r);
    return same_config(r, r->files.folder.config, old, &s);
}

/* The settings of the run in the folder must be this launch's, or those before it was extended. */
static gyre_status same_run(run_state *r, const gyre_settings *old, run_found *f) {
    char why[GYRE_ERROR_MAX];
    bool extends = false;
    gyre_status status = r->options.extended
                             ? run_extend_compare(old, &r->resolved.settings, &extends)
                             : gyre_config_compare(old, &r->resolved.settings);
    f->extends = extends;
    if (status != GYRE_EUSAGE) return status;
    snprintf(why, sizeof why, "%s", gyre_error_text());
    GYRE_TRY(other_cause(r, old));
    return name_the_way(r, old, why);
}

static gyre_status read_checkpoint(const run_state *r, const char *folder, int64_t completed,
                                   gyre_snapshot *s) {
    char *path = gyre_checkpoint_path(folder, completed);
    if (path == NULL) return gyre_no_memory("reading a checkpoint");
    gyre_status status = gyre_checkpoint_load(path, r->resolved.model, s);
    free(path);
    return status;
}

static const char *folder_of(const run_state *r, const run_found *f) {
    return f->branches ? r->options.branch.folder : r->files.folder.path;
}

gyre_status run_read_checkpoint(const run_state *r, const run_found *f, gyre_snapshot *s) {
    return read_checkpoint(r, folder_of(r, f), f->completed, s);
}

/* Without a checkpoint a run begins at step 0, as it must when it was killed before the first one.
 * One whose log tells of a checkpoint, or whose rows are there without its log, has lost it. */
static gyre_status check_lost(const run_state *r) {
    int64_t completed = 0;
    bool found = false;
    gyre_tables tables = {0};
    GYRE_TRY(gyre_events_checkpoint(r->files.folder.log, &completed, &found));
    if (!found && gyre_file_exists(r->files.folder.metrics)) {
        GYRE_TRY(gyre_tables_read(r->files.folder.metrics, &tables));
        completed = (int64_t)tables.train_count;
        gyre_tables_free(&tables);
    }
    if (completed == 0) return GYRE_OK;
    return gyre_fail(
        GYRE_EIO,
        "'%s' was trained for %lld steps, but its checkpoints are gone (no "
        "checkpoints/step-*.h5); put them back to resume, or move the run away to start "
        "again",
        r->files.folder.path, (long long)completed);
}

static gyre_status check_name(const char *folder, int64_t name, int64_t completed) {
    if (name == completed) return GYRE_OK;
    char *path = gyre_checkpoint_path(folder, name);
    char *right = gyre_checkpoint_path(folder, completed);
    gyre_status status =
        path == NULL || right == NULL
            ? gyre_no_memory("reading a checkpoint")
            : gyre_fail(GYRE_EIO, "'%s' is the checkpoint of step %lld; its name is '%s'", path,
                        (long long)completed, right);
    free(path);
    free(right);
    return status;
}

/* The newest checkpoint that is whole; a damaged one is passed over with a warning. Leaves its
 * scalars in `s`. */
static gyre_status find_checkpoint(run_state *r, gyre_snapshot *s, run_found *f) {
    int64_t *list = NULL;
    size_t count = 0;
    GYRE_TRY(gyre_checkpoint_list(r->files.folder.path, &list, &count));
    gyre_status status = GYRE_OK;
    for (size_t i = 0; i < count && f->completed < 0; i++) {
        status = read_checkpoint(r, r->files.folder.path, list[i], s);
        if (status == GYRE_OK) status = check_name(r->files.folder.path, list[i], s->completed);
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
    if (count == 0) return r->options.branch.folder != NULL ? GYRE_OK : check_lost(r);
    return gyre_fail(GYRE_EIO,
                     "no checkpoint of '%s' can be read (of %zu that are there); move the run away "
                     "to start again",
                     r->files.folder.path, count);
}

/* The weights that the run began with are in its checkpoint; should their file still be there, it
 * must be the same. */
static gyre_status same_beginning(const run_state *r, const gyre_snapshot *s) {
    const char *from = r->resolved.settings.model.init_from;
    uint64_t hash = 0;
    if ((from != NULL) != (s->init_hash != 0)) {
        return gyre_fail(GYRE_EUSAGE, "model.init_from: the run began %s; put it back as it was",
                         from == NULL ? "from a file" : "without one");
    }
    if (from == NULL || !gyre_file_exists(from)) return GYRE_OK;
    GYRE_TRY(gyre_weights_hash(from, &hash));
    if (hash == s->init_hash) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "model.init_from: '%s' is not the file that the run began from (its content "
                     "is another)",
                     from);
}

/* A dataset that was moved is found from now on where this launch found it, by `gyre eval` too. */
static gyre_status keep_path(run_state *r) {
    const char *now = r->resolved.settings.data.path;
    gyre_settings *old = NULL;
    GYRE_TRY(gyre_config_open(r->files.folder.config, NULL, 0, &old));
    gyre_status status = GYRE_OK;
    char *copy = strdup(now);
    if (copy == NULL) GYRE_GOTO(gyre_no_memory("the path '%s'", now));
    free(old->data.path);
    old->data.path = copy;
    status = gyre_run_folder_rewrite(&r->files.folder, old);
out:
    gyre_config_close(old);
    return status;
}

gyre_status run_keep_config(run_state *r, const run_found *f) {
    if (f->extends) return gyre_run_folder_rewrite(&r->files.folder, &r->resolved.settings);
    return f->moved ? keep_path(r) : GYRE_OK;
}

/* A warning where the classes of the run's checkpoint are called otherwise now. */
static gyre_status warn_of_names(const char *checkpoint, const gyre_class_names *now) {
    char difference[512];
    gyre_class_names then;
    GYRE_TRY(gyre_checkpoint_class_names(checkpoint, &then));
    if (gyre_class_names_differ(checkpoint, &then, "the dataset", now, difference,
                                sizeof difference)) {
        gyre_warn(
            "the dataset's classes are called otherwise than when the run was trained so far: "
            "%s; the run resumes with the dataset's names",
            difference);
    }
    free(then.names);
    return GYRE_OK;
}

static gyre_status same_names(const run_state *r, const run_found *f) {
    gyre_class_names names = gyre_dataset_class_names(r->resolved.data);
    char *path = gyre_checkpoint_path(folder_of(r, f), f->completed);
    if (path == NULL) return gyre_no_memory("reading a checkpoint");
    gyre_status status = f->finished ? GYRE_OK : warn_of_names(path, &names);
    free(path);
    return status;
}

/* The command that added a stage, given again with the run's own config after an interruption. */
static gyre_status find_repeat(const run_state *r, run_found *f) {
    bool repeats = false;
    int64_t start = 0;
    GYRE_TRY(run_extend_repeats(&r->resolved.settings, &repeats, &start));
    f->repeats = repeats && f->completed < start;
    return GYRE_OK;
}

/* ---- a branch */

static gyre_status no_checkpoint(const gyre_branch *b) {
    char have[256] = "";
    int64_t *list = NULL;
    size_t count = 0;
    GYRE_TRY(gyre_checkpoint_list(b->folder, &list, &count));
    for (size_t i = count; i > 0; i--) {
        gyre_text_add(have, sizeof have, "%s%lld", i == count ? "" : ", ", (long long)list[i - 1]);
    }
    free(list);
    return gyre_fail(GYRE_EUSAGE,
                     "--from-step: '%s' has no checkpoint after step %lld, but after %s; "
                     "checkpoint.every and checkpoint.minima keep them",
                     b->folder, (long long)b->completed,
                     have[0] == '\0' ? "none" : gyre_text_shorten(have, 200));
}

/* Where this run begins: as the steps of the other one made it. */
static gyre_status look_at_branch(const run_state *r, gyre_snapshot *s, run_found *f) {
    const gyre_branch *b = &r->options.branch;
    gyre_settings *run = NULL;
    gyre_status status = GYRE_OK;
    char *path = gyre_checkpoint_path(b->folder, b->completed);
    char *config = gyre_path_join(b->folder, GYRE_CONFIG_FILE);
    if (path == NULL || config == NULL) GYRE_GOTO(gyre_no_memory("reading '%s'", b->folder));
    if (!gyre_file_exists(path)) GYRE_GOTO(no_checkpoint(b));
    GYRE_GOTO(gyre_checkpoint_load(path, r->resolved.model, s));
    GYRE_GOTO(check_name(b->folder, b->completed, s->completed));
    GYRE_GOTO(gyre_config_open(config, NULL, 0, &run));
    GYRE_GOTO(same_config(r, config, run, s));
    f->completed = b->completed;
    f->branches = true;
out:
    gyre_config_close(run);
    free(path);
    free(config);
    return status;
}

/* What is found in the folder of a run. */
static gyre_status look_at_run(run_state *r, const gyre_settings *old, gyre_snapshot *s,
                               run_found *f) {
    GYRE_TRY(same_run(r, old, f));
    GYRE_TRY(find_checkpoint(r, s, f));
    if (f->completed >= 0) GYRE_TRY(same_config(r, r->files.folder.config, old, s));
    if (f->extends) GYRE_TRY(find_repeat(r, f));
    if (f->extends && !f->repeats)
        GYRE_TRY(run_extend_check(old, &r->resolved.settings, f->completed));
    return GYRE_OK;
}

gyre_status run_look(run_state *r, const gyre_settings *settings, run_found *f) {
    gyre_snapshot s = {0};
    gyre_settings *old = NULL;
    char *path = NULL;
    gyre_status status = GYRE_OK;
    *f = (run_found){.completed = -1};
    GYRE_GOTO(gyre_run_folder_choose(r->options.out, settings, &path));
    GYRE_GOTO(gyre_run_folder_open(path, &r->files.folder));
    f->holds_run = r->files.folder.holds_run;
    if (!f->holds_run && r->options.branch.folder == NULL) goto out;
    GYRE_GOTO(gyre_snapshot_open(r->resolved.model, 0, &s));
    if (f->holds_run) {
        GYRE_GOTO(gyre_config_open(r->files.folder.config, NULL, 0, &old));
        GYRE_GOTO(look_at_run(r, old, &s, f));
    }
    if (f->repeats) goto out;
    if (f->completed < 0 && r->options.branch.folder != NULL) GYRE_GOTO(look_at_branch(r, &s, f));
    if (f->completed < 0) goto out;
    GYRE_GOTO(same_beginning(r, &s));
    if (s.data_hash != r->resolved.data_hash) GYRE_GOTO(other_data(r));
    f->moved = old != NULL && old->data.path != NULL &&
               strcmp(old->data.path, r->resolved.settings.data.path) != 0;
    status = same_names(r, f);
out:
    gyre_config_close(old);
    gyre_snapshot_close(&s);
    free(path);
    return status;
}
