/* A config with found bounds; see bounds.h. */
#include "bounds.h"

#include "epochs.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/schedule.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CHANGES_MAX = 6 };

/* ---- paths, which are relative to their config's folder */

static bool same_folder(const char *a, const char *b) {
    char *x = gyre_path_dir(a), *y = gyre_path_dir(b);
    char *real_x = x == NULL ? NULL : realpath(x, NULL);
    char *real_y = y == NULL ? NULL : realpath(y, NULL);
    bool same = real_x != NULL && real_y != NULL && strcmp(real_x, real_y) == 0;
    free(x);
    free(y);
    free(real_x);
    free(real_y);
    return same;
}

/* *path from the folder of `s` as one that is right anywhere. */
static gyre_status from_anywhere(const gyre_settings *s, char **path) {
    if (*path == NULL || **path == '/') return GYRE_OK;
    char *folder = realpath(s->dir, NULL);
    char *joined = folder == NULL ? NULL : gyre_path_join(folder, *path);
    free(folder);
    if (joined == NULL) return gyre_fail(GYRE_EIO, "cannot tell where '%s' is", s->dir);
    free(*path);
    *path = joined;
    return GYRE_OK;
}

/* ---- text */

static gyre_status edited(const char *config, const gyre_settings *s, int64_t found_stepsize,
                          bool moved, char **text) {
    char base[32], most[32], stepsize[64], *paths[3] = {0};
    const char *const keys[] = {"data.path", "model.init_from", "output.dir"};
    const char *const values[] = {s->data.path, s->model.init_from, s->output_dir};
    gyre_config_change changes[CHANGES_MAX];
    int count = 0;
    gyre_status status = GYRE_OK;
    snprintf(base, sizeof base, "%.3g", s->schedule.base_lr);
    snprintf(most, sizeof most, "%.3g", s->schedule.max_lr);
    if (found_stepsize > 0) {
        snprintf(stepsize, sizeof stepsize, "{\"steps\": %lld}", (long long)found_stepsize);
        changes[count++] = (gyre_config_change){"schedule.stepsize", stepsize};
    }
    changes[count++] = (gyre_config_change){"schedule.max_lr", most};
    changes[count++] = (gyre_config_change){"schedule.base_lr", base};
    for (int i = 0; moved && i < 3; i++) {
        if (values[i] == NULL) continue;
        paths[i] = gyre_json_quote(values[i]);
        if (paths[i] == NULL) GYRE_GOTO(gyre_no_memory("the config"));
        changes[count++] = (gyre_config_change){keys[i], paths[i]};
    }
    status = gyre_config_edit(config, changes, count, text);
out:
    for (int i = 0; i < 3; i++) free(paths[i]);
    return status;
}

/* A cyclic policy without a length of its cycles cannot be run: the found one is written. */
static bool lacks_stepsize(const gyre_schedule_settings *s) {
    bool cyclic = gyre_schedule_counts_cycles(s->policy);
    return cyclic && s->stage_count == 0 && s->cycles == 0 && s->stepsize.unit == GYRE_UNIT_NONE;
}

static void settle(gyre_settings *s, double base_lr, double max_lr, int64_t stepsize) {
    s->schedule.base_lr = base_lr;
    s->schedule.max_lr = max_lr;
    if (stepsize > 0) s->schedule.stepsize = (gyre_length){GYRE_UNIT_STEPS, (double)stepsize};
    for (int i = 0; i < s->schedule.stage_count; i++) {
        s->schedule.stages[i].schedule.base_lr = base_lr;
        s->schedule.stages[i].schedule.max_lr = max_lr;
    }
}

static bool has_no_length(const gyre_settings *s) {
    return s->length.unit == GYRE_UNIT_NONE && s->schedule.stage_count == 0;
}

static gyre_status open_schedule(const gyre_settings *s, int64_t per_epoch, gyre_schedule **out) {
    return gyre_schedule_open(&s->schedule, &s->length, gyre_config_momentum(&s->optimizer),
                              per_epoch, out);
}

/* ---- before the search */

static gyre_status check_stages(const gyre_schedule_settings *outer) {
    for (int i = 0; i < outer->stage_count; i++) {
        const gyre_schedule_settings *inner = &outer->stages[i].schedule;
        if (inner->base_lr == outer->base_lr && inner->max_lr == outer->max_lr) continue;
        return gyre_fail(GYRE_EUSAGE,
                         "--write: schedule.stages[%d] has rates of its own, which base_lr and "
                         "max_lr of the schedule would not change; leave --write out and set the "
                         "stages by hand",
                         i);
    }
    return GYRE_OK;
}

/* Edits the text for some bounds and reads it: a key that is spelled with escapes, say, is not
 * found as text. GYRE_EUSAGE when another config comes out than should. */
static gyre_status try_edit(const char *config) {
    gyre_status status = GYRE_OK;
    gyre_settings *s = NULL, *again = NULL;
    gyre_json_value *tree = NULL;
    char *text = NULL;
    GYRE_GOTO(gyre_config_open(config, NULL, 0, &s));
    int64_t stepsize = lacks_stepsize(&s->schedule) ? 7 : 0;
    settle(s, 0.0123, 0.456, stepsize);
    GYRE_GOTO(edited(config, s, stepsize, false, &text));
    GYRE_GOTO(gyre_json_parse(text, config, &tree));
    GYRE_GOTO(gyre_config_build(tree, config, NULL, 0, &again));
    status = gyre_config_compare(s, again);
out:
    free(text);
    gyre_json_close(tree);
    gyre_config_close(s);
    gyre_config_close(again);
    return status;
}

/* What is wrong with the schedule besides its rates would be wrong with the new config too. Without
 * a length nothing can be said yet. */
static gyre_status check_schedule(const gyre_settings *s) {
    gyre_settings with = *s; /* the stages stay those of *s */
    gyre_schedule *schedule = NULL;
    int64_t per_epoch = 0;
    if (has_no_length(s)) return GYRE_OK;
    if (gyre_schedule_needs_epochs(&s->schedule, &s->length)) {
        GYRE_TRY(cli_steps_per_epoch(s, &per_epoch));
    }
    settle(&with, 0.0123, 0.456, lacks_stepsize(&s->schedule) ? 7 : 0);
    gyre_status status = open_schedule(&with, per_epoch, &schedule);
    settle(&with, s->schedule.base_lr, s->schedule.max_lr, 0);
    gyre_schedule_close(schedule);
    return gyre_fail_in("--write", status);
}

static void warn_of_single_rate(const gyre_settings *s) {
    const char *single = gyre_schedule_single_rate(&s->schedule, false);
    if (single == NULL) return;
    gyre_warn(
        "--write: %s has one rate, schedule.base_lr, which gets the lower bound of a cycle and "
        "is too low alone; set it by hand, up to max_lr",
        single);
}

static void warn_of_length(const gyre_settings *s, const char *path) {
    if (!has_no_length(s)) return;
    gyre_warn("--write: the config has no length, so '%s' needs one before it can be trained, as "
              "\"length\": {\"cycles\": 3}",
              path);
}

gyre_status cli_bounds_check(const char *config, const cli_sets *sets, const gyre_settings *s,
                             const char *path, bool *anew) {
    if (gyre_file_taken(path)) {
        return gyre_fail(GYRE_EIO, "--write: '%s' exists; choose another name, it is left alone",
                         path);
    }
    GYRE_TRY(gyre_fail_in("--write", gyre_file_try(path)));
    GYRE_TRY(check_stages(&s->schedule));
    GYRE_TRY(check_schedule(s));
    *anew = sets->count > 0;
    warn_of_length(s, path);
    warn_of_single_rate(s);
    if (*anew) return GYRE_OK;
    gyre_status status = try_edit(config);
    if (status != GYRE_EUSAGE) return status;
    *anew = true;
    gyre_warn("--write: the text of '%s' cannot be edited in place, so '%s' will have every field "
              "written out, without comments",
              config, path);
    return GYRE_OK;
}

/* ---- after it */

static void warn(void *context, const char *text) {
    (void)context;
    gyre_warn("--write: %s", text);
}

/* The rates of the new config are looked at as `gyre schedule` would. */
static gyre_status check_rates(const gyre_settings *s, int64_t per_epoch) {
    gyre_schedule *schedule = NULL;
    if (has_no_length(s)) return GYRE_OK;
    GYRE_TRY(gyre_fail_in("--write", open_schedule(s, per_epoch, &schedule)));
    gyre_schedule_rate_warnings(schedule, warn, NULL);
    gyre_schedule_close(schedule);
    return GYRE_OK;
}

gyre_status cli_bounds_write(const char *config, bool anew, gyre_settings *s, const gyre_find *f,
                             const char *path) {
    const gyre_find_answer a = gyre_find_answer_of(f);
    gyre_status status = GYRE_OK;
    char *text = NULL;
    bool moved = !same_folder(config, path), created = false;
    int64_t stepsize = lacks_stepsize(&s->schedule) ? a.stepsize : 0;
    if (moved) {
        GYRE_TRY(from_anywhere(s, &s->data.path));
        GYRE_TRY(from_anywhere(s, &s->model.init_from));
        GYRE_TRY(from_anywhere(s, &s->output_dir));
    }
    settle(s, a.base_lr, a.max_lr, stepsize);
    GYRE_GOTO(anew ? gyre_config_print(s, &text) : edited(config, s, stepsize, moved, &text));
    GYRE_GOTO(gyre_file_create_atomic(path, text, strlen(text), &created));
    if (!created) {
        status =
            gyre_fail(GYRE_EIO, "--write: '%s' was made during the search; it is left alone", path);
    }
    if (status == GYRE_OK) status = check_rates(s, f->steps_per_epoch);
out:
    free(text);
    return status;
}
