/* From settings to a plan of the run: what depends on the dataset is looked up, every length
 * becomes steps, and whatever does not fit is refused before anything is written. */
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/trainer.h"
#include "shards_check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A path of the config as an absolute one, so that the resolved config works from anywhere. */
static gyre_status absolute(const char *dir, const char *path, char **out) {
    char *joined = gyre_path_join(dir == NULL ? "." : dir, path);
    if (joined == NULL) return gyre_no_memory("the path '%s'", path);
    *out = realpath(joined, NULL);
    if (*out == NULL && errno != ENOMEM) {
        *out = joined; /* missing: whoever opens it says so, with the name as written */
        return GYRE_OK;
    }
    free(joined);
    return *out != NULL ? GYRE_OK : gyre_no_memory("the path '%s'", path);
}

/* A run's folder is likely for weights, but which of its checkpoints is meant is the user's. */
static gyre_status check_init(const char *path) {
    struct stat st;
    char *newest = NULL;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) return GYRE_OK;
    if (gyre_checkpoint_newest(path, &newest) != GYRE_OK || newest == NULL) return GYRE_OK;
    gyre_status status = gyre_fail(GYRE_EUSAGE,
                                   "model.init_from: '%s' is a run's folder; a file was expected, "
                                   "as '%s', its newest checkpoint",
                                   path, newest);
    free(newest);
    return status;
}

/* The settings' own copy of what the plan rewrites. */
static gyre_status own(gyre_trainer *t, const gyre_settings *settings) {
    t->settings = *settings;
    gyre_settings *s = &t->settings;
    size_t stages = (size_t)s->schedule.stage_count;
    if (stages > 0) {
        t->stages = malloc(stages * sizeof *t->stages);
        if (t->stages == NULL) return gyre_no_memory("the schedule's stages");
        memcpy(t->stages, s->schedule.stages, stages * sizeof *t->stages);
        s->schedule.stages = t->stages;
    }
    /* in the run's own config.json: its folder, wherever that is moved to */
    snprintf(t->output_dir, sizeof t->output_dir, ".");
    if (s->output_dir != NULL) s->output_dir = t->output_dir;
    GYRE_TRY(gyre_config_require(s));
    GYRE_TRY(absolute(s->dir, s->data.path, &t->data_path));
    s->data.path = t->data_path;
    if (s->model.init_from != NULL) {
        GYRE_TRY(absolute(s->dir, s->model.init_from, &t->init_path));
        s->model.init_from = t->init_path;
        GYRE_TRY(check_init(t->init_path));
    }
    return GYRE_OK;
}

static gyre_status plan_data(gyre_trainer *t) {
    gyre_settings *s = &t->settings;
    if (!gyre_file_exists(s->data.path)) {
        return gyre_fail(GYRE_EIO,
                         "data.path: '%s' does not exist; `gyre data import` makes datasets, and "
                         "`--set data.path=FILE` names one that was moved",
                         s->data.path);
    }
    GYRE_TRY(gyre_fail_in("data.path", gyre_dataset_open(s->data.path, &t->data)));
    t->data_hash = gyre_dataset_hash(t->data);
    gyre_dataset_warn_unread(t->data);
    GYRE_TRY(gyre_samples_open(t->data, &s->data, s->seed, &t->samples));
    return gyre_epochs_make(t->samples.train.count, s->batch_size, s->data.last_batch, &t->epochs);
}

static gyre_status plan_shards(gyre_trainer *t) {
    gyre_settings *s = &t->settings;
    if (s->shards == 0) s->shards = gyre_default_shards(s->batch_size);
    return gyre_shards_check(s->reduce, s->batch_size, s->shards, t->ranks);
}

static void in_steps(gyre_length *length, int64_t steps_per_epoch) {
    if (length->unit != GYRE_UNIT_EPOCHS) return;
    length->value = (double)gyre_steps_of_epochs(length->value, steps_per_epoch);
    length->unit = GYRE_UNIT_STEPS;
}

static gyre_status plan_schedule(gyre_trainer *t) {
    gyre_settings *s = &t->settings;
    int64_t spe = t->epochs.steps_per_epoch;
    double momentum = gyre_config_momentum(&s->optimizer);
    GYRE_TRY(gyre_schedule_open(&s->schedule, &s->length, momentum, spe, &t->schedule));
    t->steps = gyre_schedule_steps(t->schedule);
    GYRE_TRY(gyre_schedule_resolve(&s->schedule, &s->length, spe));
    if (s->evaluate.every.unit == GYRE_UNIT_NONE) {
        s->evaluate.every = (gyre_length){GYRE_UNIT_STEPS, (double)spe};
    }
    in_steps(&s->evaluate.every, spe);
    in_steps(&s->checkpoint.every, spe);
    return GYRE_OK;
}

static gyre_status plan_model(gyre_trainer *t) {
    gyre_settings *s = &t->settings;
    const gyre_images *images = gyre_dataset_train(t->data);
    int found = gyre_dataset_classes(t->data);
    if (s->model.classes == 0) s->model.classes = found;
    if (s->model.classes < found) {
        char gaps[GYRE_GAPS_TEXT];
        bool some = gyre_dataset_gaps(t->data, gaps, sizeof gaps);
        return gyre_fail(GYRE_EUSAGE, "model.classes is %d, but '%s' has %d classes%s%s",
                         s->model.classes, s->data.path, found, some ? ": " : "", some ? gaps : "");
    }
    gyre_dataset_warn_gaps(t->data);
    int size = t->samples.train.size;
    GYRE_TRY(gyre_model_open(&s->model, size > 0 ? size : images->h, size > 0 ? size : images->w,
                             images->c, s->model.classes, &t->model));
    return gyre_shards_check_norms(t->model, s->reduce, s->batch_size, s->shards);
}

static gyre_status plan(gyre_trainer *t, const gyre_settings *settings) {
    GYRE_TRY(own(t, settings));
    GYRE_TRY(plan_shards(t));
    GYRE_TRY(plan_data(t));
    GYRE_TRY(plan_schedule(t));
    GYRE_TRY(plan_model(t));
    GYRE_TRY(gyre_config_hash_shared(&t->settings, &t->shared_hash));
    return gyre_config_hash(&t->settings, &t->config_hash);
}

gyre_status gyre_trainer_plan(gyre_trainer *t, const gyre_settings *settings, gyre_comm *comm) {
    *t = (gyre_trainer){.comm = comm,
                        .rank = gyre_comm_rank(comm),
                        .ranks = gyre_comm_size(comm),
                        .watchdog = gyre_comm_watchdog(comm)};
    gyre_watchdog_limits(t->watchdog, settings->watchdog_seconds,
                         settings->watchdog_first_step_seconds);
    gyre_watchdog_phase(t->watchdog, "opening the dataset", -1);
    gyre_status status = plan(t, settings);
    if (status == GYRE_EUSAGE && settings->source != NULL) {
        status = gyre_fail_in(settings->source, status);
    }
    GYRE_TRY(gyre_comm_agree(comm, status));
    const char *why = "start all ranks from one installation, config and dataset";
    GYRE_TRY(gyre_comm_same(comm, t->shared_hash, "settings", why));
    return gyre_comm_same(comm, t->data_hash, "data", why);
}
