/* From settings to a plan of the run; see gyre/resolve.h. */
#include "gyre/resolve.h"

#include "class_weights.h"
#include "gyre/augment.h"
#include "gyre/checkpoint.h"
#include "gyre/config.h"
#include "gyre/defaults.h"
#include "gyre/denoiser.h"
#include "gyre/evaluator.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/size.h"
#include "shards_check.h"
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* A path of the config as an absolute one, so that the resolved config works from anywhere. */
static gyre_status absolute(const gyre_settings *s, const char *path, char **out) {
    char *joined = gyre_config_path(s, path);
    if (joined == NULL) return gyre_no_memory("the path '%s'", path);
    *out = realpath(joined, NULL);
    if (*out == NULL && errno != ENOMEM) {
        *out = joined; /* missing: opening it fails and shows the name as written */
        return GYRE_OK;
    }
    free(joined);
    return *out != NULL ? GYRE_OK : gyre_no_memory("the path '%s'", path);
}

/* diffusers' folder of a network stands for the file, or the index, of its weights. */
static gyre_status find_weights(char **path, bool *found) {
    static const char *const names[] = {"diffusion_pytorch_model.safetensors",
                                        "diffusion_pytorch_model.safetensors.index.json"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *file = gyre_path_join(*path, names[i]);
        if (file == NULL) return gyre_no_memory("the path '%s'", *path);
        if (!gyre_file_exists(file)) {
            free(file);
            continue;
        }
        free(*path);
        *path = file;
        *found = true;
        break;
    }
    return GYRE_OK;
}

/* A run's folder is likely for weights, but which of its checkpoints is meant is the user's. */
static gyre_status find_init(char **init) {
    struct stat st;
    const char *path = *init;
    char *newest = NULL;
    bool found = false;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode)) return GYRE_OK;
    GYRE_TRY(find_weights(init, &found));
    if (found) return GYRE_OK;
    if (gyre_checkpoint_newest(path, &newest) != GYRE_OK || newest == NULL) return GYRE_OK;
    gyre_status status = gyre_fail(GYRE_EUSAGE,
                                   "model.init_from: '%s' is a run's folder; a file was expected, "
                                   "as '%s', its newest checkpoint",
                                   path, newest);
    free(newest);
    return status;
}

/* The settings' own copy of what the plan rewrites. */
static gyre_status own(gyre_resolved *r, const gyre_settings *settings, bool scheduled) {
    r->settings = *settings;
    gyre_settings *s = &r->settings;
    size_t stages = (size_t)s->schedule.stage_count;
    if (stages > 0) {
        r->stages = malloc(stages * sizeof *r->stages);
        if (r->stages == NULL) return gyre_no_memory("the schedule's stages");
        memcpy(r->stages, s->schedule.stages, stages * sizeof *r->stages);
        s->schedule.stages = r->stages;
    }
    /* in the run's own config.json: its folder, wherever that is moved to */
    snprintf(r->output_dir, sizeof r->output_dir, ".");
    if (s->output_dir != NULL) s->output_dir = r->output_dir;
    if (!scheduled) s->length = (gyre_length){GYRE_UNIT_STEPS, 1}; /* not to be asked for */
    GYRE_TRY(gyre_config_require(s));
    GYRE_TRY(absolute(s, s->data.path, &r->data_path));
    s->data.path = r->data_path;
    if (s->model.init_from != NULL) {
        GYRE_TRY(absolute(s, s->model.init_from, &r->init_path));
        GYRE_TRY(find_init(&r->init_path));
        s->model.init_from = r->init_path;
    }
    return GYRE_OK;
}

gyre_status gyre_resolve_data(const gyre_settings *s, gyre_dataset **data, gyre_samples *samples,
                              gyre_epochs *epochs) {
    char *path = gyre_config_path(s, s->data.path);
    if (path == NULL) return gyre_no_memory("the path '%s'", s->data.path);
    gyre_status status = gyre_fail_in("data.path", gyre_dataset_open(path, data));
    free(path);
    GYRE_TRY(status);
    GYRE_TRY(gyre_samples_open(*data, &s->data, s->seed, samples));
    return gyre_epochs_make(samples->train.count, s->batch_size, s->data.last_batch, epochs);
}

static void in_steps(gyre_length *length, int64_t steps_per_epoch) {
    if (length->unit != GYRE_UNIT_EPOCHS) return;
    length->value = (double)gyre_steps_of_epochs(length->value, steps_per_epoch);
    length->unit = GYRE_UNIT_STEPS;
}

/* The settings' own copy of the groups, whose ends become steps. */
static gyre_status plan_groups(gyre_resolved *r) {
    gyre_model_settings *m = &r->settings.model;
    const size_t count = (size_t)m->group_count;
    if (count == 0) return GYRE_OK;
    r->groups = malloc(count * sizeof *r->groups);
    if (r->groups == NULL) return gyre_no_memory("the groups of parameters");
    memcpy(r->groups, m->groups, count * sizeof *r->groups);
    m->groups = r->groups;
    for (size_t i = 0; i < count; i++) in_steps(&m->groups[i].until, r->epochs.steps_per_epoch);
    return GYRE_OK;
}

static gyre_status plan_data(gyre_resolved *r) {
    gyre_settings *s = &r->settings;
    if (!gyre_file_exists(s->data.path)) {
        return gyre_fail(GYRE_EIO,
                         "data.path: '%s' does not exist; `gyre data import` makes datasets, and "
                         "`--set data.path=FILE` names one that was moved",
                         s->data.path);
    }
    gyre_status status = gyre_resolve_data(s, &r->data, &r->samples, &r->epochs);
    /* also where a part is missing: one that is not read may be why */
    if (r->data != NULL) gyre_dataset_warn_unread(r->data);
    if (status == GYRE_OK) r->data_hash = gyre_dataset_hash(r->data);
    return status;
}

static gyre_status plan_shards(gyre_resolved *r, int ranks) {
    gyre_settings *s = &r->settings;
    if (s->shards == 0) { /* the config left it to the network */
        bool norms = r->model->statistic_count > 0;
        s->shards = norms ? 1 : gyre_default_small_shards(s->batch_size);
    }
    GYRE_TRY(run_shards_check_norms(r->model, s->reduce, s->batch_size, s->shards));
    return run_shards_check(s->reduce, s->batch_size, s->shards, ranks);
}

static gyre_status plan_schedule(gyre_resolved *r, gyre_schedule **schedule) {
    gyre_settings *s = &r->settings;
    int64_t spe = r->epochs.steps_per_epoch;
    double momentum = gyre_config_momentum(&s->optimizer);
    GYRE_TRY(gyre_schedule_open(&s->schedule, &s->length, momentum, spe, schedule));
    GYRE_TRY(gyre_schedule_resolve(&s->schedule, &s->length, spe));
    if (s->evaluate.every.unit == GYRE_UNIT_NONE) {
        s->evaluate.every = (gyre_length){GYRE_UNIT_STEPS, (double)spe};
    }
    in_steps(&s->evaluate.every, spe);
    in_steps(&s->sample.every, spe);
    in_steps(&s->checkpoint.every, spe);
    return GYRE_OK;
}

/* The warm-up of the run, or of its first stage; where Lookahead ends, which a run that is extended
 * keeps. */
static void plan_optimizer(gyre_resolved *r, const gyre_schedule *schedule) {
    gyre_settings *s = &r->settings;
    const gyre_schedule_settings *first =
        s->schedule.stage_count > 0 ? &s->schedule.stages[0].schedule : &s->schedule;
    gyre_length warmup = gyre_schedule_warmup(first, gyre_schedule_steps(schedule));
    in_steps(&warmup, r->epochs.steps_per_epoch);
    s->optimizer.warmup = (int64_t)warmup.value;
    gyre_lookahead_settings *l = &s->optimizer.lookahead;
    in_steps(&l->until, r->epochs.steps_per_epoch);
    if (l->every > 0 && l->until.unit == GYRE_UNIT_NONE)
        l->until = (gyre_length){GYRE_UNIT_STEPS, (double)gyre_schedule_steps(schedule)};
}

/* The first minimum in the second half of the run, from 1. */
static int late_minimum(const gyre_schedule *schedule) {
    int early = 0;
    for (size_t i = 0; i < gyre_schedule_cycle_count(schedule); i++) {
        const int64_t completed = gyre_schedule_cycle(schedule, i).last + 1;
        if (gyre_schedule_is_minimum(schedule, completed))
            early += 2 * completed < gyre_schedule_steps(schedule);
    }
    return early + 1;
}

/* What members depend on is the run's from now on, also where it was not given, so that a longer
 * run is known for another one. */
static gyre_status plan_averages(gyre_resolved *r, const gyre_schedule *schedule) {
    gyre_average_settings *s = &r->settings.average;
    const int64_t spe = r->epochs.steps_per_epoch, steps = gyre_schedule_steps(schedule);
    if (gyre_average_is_kept(s, GYRE_AVERAGE_SWA)) {
        in_steps(&s->start, spe);
        in_steps(&s->every, spe);
        if (s->every.unit == GYRE_UNIT_NONE) s->every = (gyre_length){GYRE_UNIT_STEPS, (double)spe};
        if (s->start.unit == GYRE_UNIT_NONE) {
            const double part = (1 - GYRE_DEFAULT_AVERAGE_START) * (double)steps;
            const double behind = floor(part / s->every.value) * s->every.value;
            s->start = (gyre_length){GYRE_UNIT_STEPS, (double)steps - behind};
        }
    }
    if (gyre_average_is_kept(s, GYRE_AVERAGE_MINIMA) && s->first_minimum == 0)
        s->first_minimum = late_minimum(schedule);
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) {
        if (!gyre_average_is_kept(s, (gyre_average_kind)kind)) continue;
        GYRE_TRY(
            gyre_average_find_members(s, (gyre_average_kind)kind, schedule, &r->members[kind]));
    }
    return GYRE_OK;
}

static gyre_status plan_class_weights(gyre_resolved *r) {
    gyre_model_settings *m = &r->settings.model;
    if (!m->class_weights_balanced) return GYRE_OK;
    r->class_weights = malloc(gyre_size_of((size_t)m->classes, sizeof *r->class_weights));
    if (r->class_weights == NULL) return gyre_no_memory("the weights of %d classes", m->classes);
    GYRE_TRY(run_balance_classes(&r->samples.train, m->classes, r->class_weights));
    m->class_weights = r->class_weights;
    m->class_weight_count = m->classes;
    m->class_weights_balanced = false;
    return GYRE_OK;
}

/* Equal networks are equal settings, however they are written. */
static gyre_status own_network(gyre_resolved *r) {
    gyre_model_settings *m = &r->settings.model;
    if (m->name != NULL && gyre_denoise_is_usual(&m->denoise)) return GYRE_OK;
    GYRE_TRY(gyre_model_print(r->model, &r->layers));
    if (m->layers != NULL) m->layers = r->layers;
    if (m->unet == NULL) return GYRE_OK;
    GYRE_TRY(gyre_model_unet(r->model, &r->unet));
    if (r->unet != NULL) m->unet = r->unet;
    return GYRE_OK;
}

/* Does it matter to the network which classes have samples? */
static bool takes_classes(const gyre_model *m) {
    gyre_denoiser d;
    return gyre_model_tells_label(m) || (gyre_denoiser_of(m, &d) && d.classes > 0);
}

static gyre_status plan_model(gyre_resolved *r) {
    gyre_settings *s = &r->settings;
    const gyre_images *images = gyre_dataset_train(r->data);
    int found = gyre_dataset_classes(r->data);
    if (s->model.classes == 0) s->model.classes = found;
    s->model.target = images->target;
    s->model.latents = images->latents;
    s->model.contexts = gyre_dataset_contexts(r->data);
    if (s->model.classes < found) {
        char gaps[GYRE_GAPS_TEXT];
        bool some = gyre_dataset_gaps(r->data, gaps, sizeof gaps);
        return gyre_fail(GYRE_EUSAGE, "model.classes is %d, but '%s' has %d classes%s%s",
                         s->model.classes, s->data.path, found, some ? ": " : "", some ? gaps : "");
    }
    GYRE_TRY(plan_class_weights(r));
    int size = r->samples.train.size;
    GYRE_TRY(gyre_model_open(&s->model, size > 0 ? size : images->h, size > 0 ? size : images->w,
                             images->c, s->model.classes, &r->model));
    GYRE_TRY(gyre_model_check_contexts(r->model));
    if (gyre_mix_is_on(&s->data) && !r->model->mixes_labels) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.%s gives samples a share of each of two classes, which the "
                         "loss %s cannot take; leave it out, or set model.loss to "
                         "\"cross_entropy\"",
                         s->data.mixup > 0 ? "mixup" : "cutmix", r->model->loss);
    }
    GYRE_TRY(gyre_fail_in("evaluate.views", gyre_views_check(r->model, s->evaluate.views)));
    if (takes_classes(r->model)) gyre_dataset_warn_gaps(r->data);
    if (gyre_loss_yes_or_no(s->model.loss)) {
        GYRE_TRY(gyre_dataset_yes_or_no(r->data, s->data.path, s->model.loss));
    }
    return own_network(r);
}

static gyre_status plan(gyre_resolved *r, const gyre_settings *settings, int ranks,
                        gyre_schedule **schedule) {
    GYRE_TRY(own(r, settings, schedule != NULL));
    GYRE_TRY(plan_data(r));
    GYRE_TRY(plan_groups(r));
    if (schedule != NULL) GYRE_TRY(plan_schedule(r, schedule));
    if (schedule != NULL) {
        plan_optimizer(r, *schedule);
        GYRE_TRY(plan_averages(r, *schedule));
    }
    GYRE_TRY(plan_model(r));
    GYRE_TRY(plan_shards(r, ranks));
    GYRE_TRY(gyre_config_hash_shared(&r->settings, &r->shared_hash));
    return gyre_config_hash(&r->settings, &r->config_hash);
}

gyre_status gyre_resolve(const gyre_settings *settings, gyre_comm *comm, gyre_schedule **schedule,
                         gyre_resolved *out) {
    gyre_watchdog *watchdog = gyre_comm_watchdog(comm);
    *out = (gyre_resolved){0};
    gyre_watchdog_limits(watchdog, settings->watchdog_seconds,
                         settings->watchdog_first_step_seconds);
    gyre_watchdog_phase(watchdog, "opening the dataset", -1);
    gyre_status status = plan(out, settings, gyre_comm_size(comm), schedule);
    if (status == GYRE_EUSAGE && settings->source != NULL) {
        status = gyre_fail_in(settings->source, status);
    }
    GYRE_TRY(gyre_comm_agree(comm, status));
    const char *why = "start all ranks from one installation, config and dataset";
    GYRE_TRY(gyre_comm_same(comm, out->shared_hash, "settings", why));
    return gyre_comm_same(comm, out->data_hash, "data", why);
}

void gyre_resolved_close(gyre_resolved *r) {
    if (r->model != NULL) gyre_model_close(r->model);
    gyre_samples_close(&r->samples);
    if (r->data != NULL) gyre_dataset_close(r->data);
    free(r->stages);
    free(r->groups);
    free(r->data_path);
    free(r->init_path);
    free(r->layers);
    free(r->unet);
    free(r->class_weights);
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) free(r->members[kind].steps);
    *r = (gyre_resolved){0};
}
