/* Arms at one budget: the base's length becomes steps once, and every arm of every size trains for
 * as many, is evaluated after the same ones, on the same split. */
#include "study_spec.h"

#include "gyre/checkpoint.h"
#include "gyre/config.h"
#include "gyre/dataset.h"
#include "gyre/file.h"
#include "gyre/sampler.h"
#include "gyre/schedule.h"
#include "gyre/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* `split` of the training part is held out; 0: the validation part is evaluated. */
static gyre_status check_known(const gyre_dataset *d, const study_data *k, double split) {
    char parts[GYRE_PARTS_TEXT];
    if (split > 0 && k->images < 2) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.path: '%s' has %lld training images; a study splits "
                         "them, which takes 2",
                         k->path, (long long)k->images);
    }
    if (split > 0 || k->validation > 0) return GYRE_OK;
    gyre_dataset_parts_text(d, parts);
    return gyre_fail(GYRE_EUSAGE,
                     "data.validation is \"validation\", but '%s' has no part /validation; it has "
                     "%s. validation_split in the study file sets training images aside",
                     k->path, parts);
}

/* Of the dataset of `s`; what is known of the last one that was asked for is kept. */
static gyre_status know(const gyre_settings *s, gyre_study *study, study_data *k) {
    char gaps[GYRE_GAPS_TEXT];
    gyre_status status = GYRE_OK;
    gyre_dataset *d = NULL;
    char *path = gyre_config_path(s, s->data.path);
    if (path == NULL) return gyre_no_memory("the study's arms");
    if (k->path != NULL && strcmp(k->path, path) == 0) goto out;
    GYRE_GOTO(gyre_fail_in("data.path", gyre_dataset_open(path, &d)));
    free(k->path);
    const gyre_images *train = gyre_dataset_train(d);
    *k = (study_data){.path = path,
                      .images = train->count,
                      .validation = gyre_dataset_validation(d)->count,
                      .hash = gyre_dataset_hash(d),
                      .has_test = gyre_dataset_test(d)->count > 0,
                      .h = train->h,
                      .w = train->w,
                      .c = train->c,
                      .classes = gyre_dataset_classes(d),
                      .target = train->target};
    path = NULL;
    GYRE_GOTO(check_known(d, k, study->validation_split));
    if (study->gaps == NULL && gyre_dataset_gaps(d, gaps, sizeof gaps)) study->gaps = strdup(gaps);
out:
    gyre_dataset_close(d);
    free(path);
    return status;
}

/* Samples that arms are compared on. */
static int64_t evaluated(const study_data *k, double split) {
    return split > 0 ? gyre_split_count(k->images, split) : k->validation;
}

/* Training samples after the split. */
static int64_t available(const study_data *k, double split) {
    return split > 0 ? k->images - gyre_split_count(k->images, split) : k->images;
}

static gyre_status open_schedule(const gyre_settings *s, const study_data *k, double split,
                                 gyre_schedule **out) {
    gyre_epochs epochs;
    int64_t n = s->data.subset > 0 ? s->data.subset : available(k, split);
    if (n > available(k, split)) {
        return gyre_fail(GYRE_EUSAGE,
                         "%lld training samples are asked (data.subset, which dataset_size sets), "
                         "but '%s' has %lld after the split; take fewer",
                         (long long)n, k->path, (long long)available(k, split));
    }
    GYRE_TRY(gyre_epochs_make(n, s->batch_size, s->data.last_batch, &epochs));
    return gyre_schedule_open(&s->schedule, &s->length, gyre_config_momentum(&s->optimizer),
                              epochs.steps_per_epoch, out);
}

/* N of the base: its length alone where that is possible, since its schedule may be none (a study
 * gives the cycles). */
static gyre_status find_budget(const study_spec *p, const study_data *k, gyre_study *out) {
    gyre_settings s = *p->settings;
    gyre_schedule *schedule = NULL;
    if (s.schedule.stage_count == 0 && s.length.unit != GYRE_UNIT_CYCLES) {
        s.schedule = (gyre_schedule_settings){.policy = GYRE_POLICY_CONSTANT, .base_lr = 1};
    }
    GYRE_TRY(gyre_fail_in(p->base_path, open_schedule(&s, k, out->validation_split, &schedule)));
    out->budget_steps = gyre_schedule_steps(schedule);
    gyre_schedule_close(schedule);
    return GYRE_OK;
}

static void add_length(gyre_json *j, const char *key, int64_t steps) {
    gyre_json_enter_object(j, key);
    gyre_json_add_integer(j, "steps", steps);
    gyre_json_leave(j);
}

/* What all arms share, laid over the base first, so that an arm that would change it is seen. */
static gyre_status common_layer(const gyre_study *out, gyre_json_value **layer) {
    gyre_json *j = gyre_json_begin();
    add_length(j, "length", out->budget_steps);
    if (out->validation_split > 0) {
        gyre_json_enter_object(j, "data.validation");
        gyre_json_add_number(j, "split", out->validation_split);
        gyre_json_leave(j);
    } else {
        gyre_json_add_text(j, "data.validation", "validation");
    }
    add_length(j, "evaluate.every", out->evaluate_steps);
    gyre_json_add_flag(j, "evaluate.minima", true);
    gyre_json_add_integer(j, "checkpoint.keep", 1);
    gyre_json_add_null(j, "output.dir");
    *layer = gyre_json_end_value(j);
    return *layer != NULL ? GYRE_OK : gyre_no_memory("the study's arms");
}

static gyre_status check_common(const gyre_settings *base, const gyre_settings *s,
                                const char *where) {
    const char *changed = s->seed != base->seed                         ? "seed"
                          : s->data.validation != base->data.validation ? "data.validation"
                          : s->data.split != base->data.split           ? "data.validation"
                          : s->evaluate.every.unit != base->evaluate.every.unit ||
                                  s->evaluate.every.value != base->evaluate.every.value
                              ? "evaluate.every"
                          : s->evaluate.minima != base->evaluate.minima ? "evaluate.minima"
                          : s->output_dir != NULL                       ? "output.dir"
                                                                        : NULL;
    if (changed == NULL) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%s: %s is the study's own, the same for all arms; take it out of this arm",
                     where, changed);
}

static void hear(void *context, const char *text) {
    fprintf(context, "%s\n", text);
}

/* What a user should know about the arm's rates, a line each. */
static gyre_status judge(const gyre_schedule *schedule, gyre_study_arm *arm) {
    size_t size = 0;
    FILE *f = open_memstream(&arm->warnings, &size);
    if (f == NULL) return gyre_no_memory("the study's arms");
    gyre_schedule_rate_warnings(schedule, hear, f);
    return fclose(f) == 0 ? GYRE_OK : gyre_no_memory("the study's arms");
}

/* The dataset's size in this group; 0: the base's. */
static gyre_status subset_layer(int64_t size, gyre_json_value **layer) {
    gyre_json *j = gyre_json_begin();
    if (size > 0) gyre_json_add_integer(j, "data.subset", size);
    *layer = gyre_json_end_value(j);
    return *layer != NULL ? GYRE_OK : gyre_no_memory("the study's arms");
}

/* Settings of one arm at one size, and that it trains as long as the others. */
static gyre_status lay(const study_spec *p, const study_arm_spec *d, const gyre_json_value *common,
                       int64_t size, study_data *k, gyre_study *study, gyre_study_arm *arm) {
    gyre_status status = GYRE_OK;
    gyre_json_value *subset = NULL;
    gyre_settings *base = NULL;
    gyre_schedule *schedule = NULL;
    GYRE_GOTO(subset_layer(size, &subset));
    const gyre_config_layer layers[] = {{common, p->path}, {subset, p->path}, {d->layer, d->where}};
    GYRE_GOTO(gyre_config_build(p->base, p->base_path, layers, 2, &base));
    GYRE_GOTO(gyre_config_build(p->base, p->base_path, layers, 3, &arm->settings));
    GYRE_GOTO(check_common(base, arm->settings, d->where));
    GYRE_GOTO(study_check_rates(d->where, &arm->settings->schedule));
    GYRE_GOTO(gyre_fail_in(d->where, know(arm->settings, study, k)));
    arm->data_hash = k->hash;
    const char *from = arm->settings->model.init_from;
    if (from != NULL && gyre_file_exists(from)) GYRE_GOTO(gyre_weights_hash(from, &arm->init_hash));
    arm->has_test = k->has_test;
    GYRE_GOTO(gyre_fail_in(d->where, study_arm_network(study, k, arm)));
    GYRE_GOTO(gyre_fail_in(d->where,
                           open_schedule(arm->settings, k, study->validation_split, &schedule)));
    GYRE_GOTO(judge(schedule, arm));
    if (gyre_schedule_steps(schedule) != study->budget_steps) {
        status = gyre_fail(GYRE_EUSAGE,
                           "%s: trains for %lld steps, the others for %lld; arms are compared at "
                           "equal budget, so leave length out of the arm, or make its stages as "
                           "long",
                           d->where, (long long)gyre_schedule_steps(schedule),
                           (long long)study->budget_steps);
    }
out:
    if (schedule != NULL) gyre_schedule_close(schedule);
    gyre_config_close(base);
    gyre_json_close(subset);
    return status;
}

/* Sizes above what the split leaves mean all that it leaves, but not more than the file has. */
static gyre_status fit_sizes(study_spec *p, const study_data *k, double split) {
    int64_t most = available(k, split);
    for (int i = 0; i < p->size_count; i++) {
        if (p->sizes[i] > k->images) {
            return gyre_fail(GYRE_EUSAGE,
                             "%s: dataset_size: %lld images asked, '%s' has %lld; take it out",
                             p->path, (long long)p->sizes[i], k->path, (long long)k->images);
        }
        if (p->sizes[i] > most) p->sizes[i] = most;
        for (int j = 0; j < i; j++) {
            if (p->sizes[j] != p->sizes[i]) continue;
            return gyre_fail(GYRE_EUSAGE,
                             "%s: dataset_size: two sizes are %lld images (the split leaves "
                             "%lld); take one out",
                             p->path, (long long)p->sizes[i], (long long)most);
        }
    }
    return GYRE_OK;
}

static gyre_status name_groups(const study_spec *p, gyre_study *out) {
    out->groups = calloc((size_t)p->size_count + 1, sizeof *out->groups);
    if (out->groups == NULL) return gyre_no_memory("the study's arms");
    out->group_count = p->size_count;
    for (int i = 0; i < p->size_count; i++) {
        int n = p->size_count == 1
                    ? asprintf(&out->groups[i], "%s", "")
                    : asprintf(&out->groups[i], "%lld images", (long long)p->sizes[i]);
        if (n >= 0) continue;
        out->groups[i] = NULL;
        return gyre_no_memory("the study's arms");
    }
    return GYRE_OK;
}

static gyre_status name_arm(const study_spec *p, const study_arm_spec *d, int group,
                            gyre_study_arm *arm) {
    long long size = p->sizes[group];
    *arm = (gyre_study_arm){.control = d->control, .group = group};
    int n = p->size_count == 1 ? asprintf(&arm->name, "%s", d->name)
                               : asprintf(&arm->name, "%s-%lld-images", d->name, size);
    if (n < 0) arm->name = NULL;
    n = size == 0 ? asprintf(&arm->sentence, "%s", d->sentence)
                  : asprintf(&arm->sentence, "%s, data.subset %lld", d->sentence, size);
    if (n < 0) arm->sentence = NULL;
    return arm->name != NULL && arm->sentence != NULL ? GYRE_OK
                                                      : gyre_no_memory("the study's arms");
}

static gyre_status unknown_arm(const study_spec *p, const gyre_study *s, const char *unknown) {
    enum { MOST = 500 };
    char names[GYRE_ERROR_MAX] = "";
    for (int i = 0; i < s->arm_count; i++) {
        gyre_text_add(names, sizeof names, "%s%s", i == 0 ? "" : ", ", s->arms[i].name);
    }
    return gyre_fail(GYRE_EUSAGE, "%s: planned: no arm is called '%.100s'; the arms are %s",
                     p->path, unknown, gyre_text_shorten(names, MOST));
}

static gyre_status find_planned(const study_spec *p, gyre_study *out) {
    static const char expected[] = "{\"arm\": \"...\", \"control\": \"...\"}, two arms of one size";
    const gyre_json_value *v = gyre_json_get(p->tree, "planned");
    out->planned_arm = out->planned_control = -1;
    if (v == NULL) return GYRE_OK;
    if (gyre_json_kind_of(v) != GYRE_JSON_OBJECT) return study_expected(p, "planned", expected, v);
    for (const gyre_json_value *k = gyre_json_first(v); k != NULL; k = gyre_json_next(k)) {
        const char *key = gyre_json_key(k);
        if (strcmp(key, "arm") == 0 || strcmp(key, "control") == 0) continue;
        return gyre_fail(GYRE_EUSAGE,
                         "%s: planned: unknown key %.100s; its keys are arm and control", p->path,
                         key);
    }
    const gyre_json_value *arm = gyre_json_get(v, "arm"), *control = gyre_json_get(v, "control");
    const char *a = arm == NULL ? NULL : gyre_json_text(arm);
    const char *c = control == NULL ? NULL : gyre_json_text(control);
    for (int i = 0; a != NULL && c != NULL && i < out->arm_count; i++) {
        if (strcmp(out->arms[i].name, a) == 0) out->planned_arm = i;
        if (strcmp(out->arms[i].name, c) == 0) out->planned_control = i;
    }
    const char *unknown = a != NULL && out->planned_arm < 0       ? a
                          : c != NULL && out->planned_control < 0 ? c
                                                                  : NULL;
    if (a != NULL && c != NULL && unknown != NULL) {
        return unknown_arm(p, out, unknown);
    }
    bool found = out->planned_arm >= 0 && out->planned_control >= 0;
    if (!found || out->planned_arm == out->planned_control ||
        out->arms[out->planned_arm].group != out->arms[out->planned_control].group) {
        return study_expected(p, "planned", expected, v);
    }
    return GYRE_OK;
}

static gyre_status check_count(const study_spec *p, const gyre_study *out) {
    int64_t most = 0, cells = (int64_t)out->seed_count * p->arm_count * p->size_count;
    GYRE_TRY(study_whole(p, "max_cells", 1, 1000000, 200, &most));
    if (cells <= most) return GYRE_OK;
    return gyre_fail(
        GYRE_EUSAGE,
        "%s: %d arms x %d sizes x %d seeds are %lld cells, more than max_cells (%lld); "
        "take some out, or raise max_cells",
        p->path, p->arm_count, p->size_count, out->seed_count, (long long)cells, (long long)most);
}

/* Arms are compared by one metric. */
static gyre_status check_metric(const gyre_study *s, const gyre_study_arm *arm, const char *where) {
    const gyre_study_arm *first = &s->arms[0];
    if (gyre_metric_same(first->metric, arm->metric)) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%s: arm %s would be judged by its %s, but arm %s by its %s; arms are "
                     "compared by one metric, so give all the same loss",
                     where, arm->name, gyre_metric_prose(arm->metric).text, first->name,
                     gyre_metric_prose(first->metric).text);
}

static gyre_status lay_all(study_spec *p, study_data *k, gyre_study *out) {
    gyre_json_value *common = NULL;
    gyre_status status = GYRE_OK;
    out->arms = calloc((size_t)p->arm_count * (size_t)p->size_count, sizeof *out->arms);
    if (out->arms == NULL) return gyre_no_memory("the study's arms");
    GYRE_GOTO(common_layer(out, &common));
    for (int group = 0; group < p->size_count; group++) {
        for (int i = 0; i < p->arm_count; i++) {
            gyre_study_arm *arm = &out->arms[out->arm_count++];
            GYRE_GOTO(name_arm(p, &p->arms[i], group, arm));
            GYRE_GOTO(lay(p, &p->arms[i], common, p->sizes[group], k, out, arm));
            GYRE_GOTO(check_metric(out, arm, p->arms[i].where));
            int64_t held_out = evaluated(k, out->validation_split);
            bool fewer = out->arm_count == 1 || held_out < out->validation_images;
            if (fewer) out->validation_images = held_out;
        }
    }
out:
    gyre_json_close(common);
    return status;
}

gyre_status study_spec_resolve(study_spec *p, gyre_study *out) {
    study_data k = {0};
    int64_t evaluations = 0;
    gyre_status status = GYRE_OK;
    GYRE_GOTO(study_whole(p, "evaluations", 1, 1000000, 20, &evaluations));
    GYRE_GOTO(gyre_fail_in(p->base_path, know(p->settings, out, &k)));
    GYRE_GOTO(find_budget(p, &k, out));
    GYRE_GOTO(study_spec_add_arms(p, out->budget_steps));
    GYRE_GOTO(check_count(p, out));
    out->evaluate_steps = (out->budget_steps + evaluations - 1) / evaluations;
    GYRE_GOTO(fit_sizes(p, &k, out->validation_split));
    GYRE_GOTO(name_groups(p, out));
    GYRE_GOTO(lay_all(p, &k, out));
    status = find_planned(p, out);
out:
    free(k.path);
    return status;
}
