/* Title, subtitle, legend and axis label of a figure: what identifies the runs it shows. */
#include "captions.h"

#include "gyre/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *report_caption_part(const report_run *runs, int count) {
    gyre_validation first = runs[0].content.settings->data.validation;
    for (int i = 1; i < count; i++) {
        if (runs[i].content.settings->data.validation != first) return "evaluation";
    }
    return first == GYRE_VALIDATION_TEST ? "test" : "validation";
}

/* "triangular, then constant rate"; a run that was extended has its first schedule as stage 1. */
static void add_policies(const gyre_schedule_settings *s, char *out, size_t room) {
    enum { NAMED = 3 };
    int count = s->stage_count > 0 ? s->stage_count : 1;
    for (int i = 0; i < count && i < NAMED; i++) {
        gyre_policy policy = s->stage_count > 0 ? s->stages[i].schedule.policy : s->policy;
        gyre_text_add(out, room, "%s%s", i == 0 ? ", " : ", then ",
                      gyre_schedule_policy_title(policy));
    }
    if (count > NAMED) gyre_text_add(out, room, " and %d more stages", count - NAMED);
}

void report_caption_describe(const char *name, const gyre_settings *s,
                             const gyre_schedule *schedule, char *out, size_t room) {
    const char *path = s->data.path == NULL ? "?" : s->data.path;
    const char *file = strrchr(path, '/') == NULL ? path : strrchr(path, '/') + 1;
    const char *unnamed = s->model.unet != NULL     ? "unet"
                          : s->model.layers == NULL ? "?"
                                                    : "network";
    const char *model = s->model.name == NULL ? unnamed : s->model.name;
    size_t cycles = gyre_schedule_cycle_count(schedule);
    snprintf(out, room, "%.200s: %.60s on %.200s", name, model, file);
    add_policies(&s->schedule, out, room);
    if (cycles > 0) gyre_text_add(out, room, ", %zu cycle%s", cycles, cycles == 1 ? "" : "s");
}

void report_caption_title(const report_run *runs, int count, char *out, size_t room) {
    const gyre_run_content *c = &runs[0].content;
    if (count > 1) {
        snprintf(out, room, "%d runs", count);
        return;
    }
    report_caption_describe(runs[0].name, c->settings, c->schedule, out, room);
}

static int64_t not_finite(const gyre_tables *t) {
    for (size_t i = 0; i < t->train_count; i++) {
        if (!isfinite(t->train[i].loss)) return t->train[i].step;
    }
    return -1;
}

static bool share_dataset(const report_run *runs, int count) {
    const char *first = runs[0].content.settings->data.path;
    for (int i = 1; i < count; i++) {
        const char *path = runs[i].content.settings->data.path;
        if (first == NULL || path == NULL || strcmp(first, path) != 0) return false;
    }
    return true;
}

static bool share_loss(const report_run *runs, int count) {
    report_losses losses = {.count = 0};
    for (int i = 0; i < count; i++) {
        report_losses_add(&losses, runs[i].content.settings->model.loss);
    }
    return losses.count == 1;
}

void report_caption_subtitle(const report_run *runs, int count, char *out, size_t room) {
    const gyre_tables *t = &runs[0].content.tables;
    char value[REPORT_UNIT_MAX];
    *out = '\0';
    if (count > 1 && !share_dataset(runs, count)) {
        snprintf(out, room,
                 "the runs have several datasets, whose losses and %s cannot be compared",
                 t->metric->plural);
    }
    if (count > 1 && *out == '\0' && !share_loss(runs, count)) {
        snprintf(out, room, "the runs have several losses, whose values cannot be compared");
    }
    if (count > 1) return;
    long long done = (long long)t->train[t->train_count - 1].step + 1;
    long long all = (long long)gyre_schedule_steps(runs[0].content.schedule);
    if (t->validation_count > 0) {
        const gyre_validation_row *last = &t->validation[t->validation_count - 1];
        gyre_text_add(out, room, "%s %s %s after %lld steps", report_caption_part(runs, count),
                      gyre_metric_prose(t->metric).text,
                      gyre_metric_text(t->metric, last->metric, value, sizeof value),
                      (long long)last->step);
    } else {
        gyre_text_add(out, room, "%lld steps, no evaluation", done);
    }
    if (done < all) {
        gyre_text_add(out, room, "; %lld of %lld steps done", done, all);
    }
    if (not_finite(t) >= 0) {
        gyre_text_add(out, room, "; loss not finite from step %lld on", (long long)not_finite(t));
    }
}

void report_caption_x_label(const report_run *runs, int count, char *out, size_t room) {
    int64_t shared = 0;
    snprintf(out, room, "step (updates of the weights)");
    for (int i = 0; i < count; i++) {
        const gyre_tables *t = &runs[i].content.tables;
        int64_t epoch = 0;
        for (size_t row = 0; row < t->train_count && epoch == 0; row++) {
            if (t->train[row].epoch == 1) epoch = t->train[row].step;
        }
        if (epoch == 0 || (shared != 0 && epoch != shared)) return;
        shared = epoch;
    }
    snprintf(out, room, "step (updates of the weights; an epoch has %lld)", (long long)shared);
}

void report_caption_legend(const report_run *r, char *out, size_t room) {
    const gyre_tables *t = &r->content.tables;
    char value[REPORT_UNIT_MAX];
    snprintf(out, room, "%.80s", r->name);
    if (t->validation_count > 0) {
        double last = t->validation[t->validation_count - 1].metric;
        gyre_text_add(out, room, " (%s)", gyre_metric_text(t->metric, last, value, sizeof value));
    }
}
