/* One run as the smallest study, so that it gets the same page: an arm, a seed, no control. */
#include "results_run.h"

#include "cell_log.h"
#include "gyre/checkpoint.h"
#include "gyre/run_folder.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

void study_results_run_close(gyre_study *s) {
    if (s == NULL) return;
    if (s->arms != NULL) {
        free(s->arms[0].name);
        free(s->arms[0].sentence);
    }
    if (s->groups != NULL) free(s->groups[0]);
    free(s->arms);
    free(s->groups);
    free(s->seeds);
    free(s->name);
    free(s->folder);
    free(s);
}

/* The last part of the folder's real path, so that "." has a name too. */
static char *name_of(const char *folder) {
    char *whole = realpath(folder, NULL);
    const char *text = whole == NULL ? folder : whole, *slash = strrchr(text, '/');
    char *name = strdup(slash != NULL && slash[1] != '\0' ? slash + 1 : text);
    free(whole);
    return name;
}

static gyre_status make_study(const char *folder, const gyre_run_content *run, gyre_study **out) {
    gyre_study *s = *out = calloc(1, sizeof *s);
    if (s == NULL) goto fail;
    s->name = name_of(folder);
    s->folder = strdup(folder);
    s->arms = calloc(1, sizeof *s->arms);
    s->groups = calloc(1, sizeof *s->groups);
    s->seeds = calloc(1, sizeof *s->seeds);
    if (s->arms == NULL || s->groups == NULL || s->seeds == NULL) goto fail;
    s->arm_count = s->group_count = s->seed_count = 1;
    s->arms[0] = (gyre_study_arm){.name = name_of(folder), .sentence = strdup("")};
    s->groups[0] = strdup("");
    s->seeds[0] = run->settings->seed;
    s->budget_steps = gyre_schedule_steps(run->schedule);
    s->planned_arm = s->planned_control = -1;
    if (s->name != NULL && s->folder != NULL && s->arms[0].name != NULL &&
        s->arms[0].sentence != NULL && s->groups[0] != NULL) {
        return GYRE_OK;
    }
fail:
    return gyre_no_memory("reporting '%s'", folder);
}

static gyre_cell_result result_of(const gyre_run_content *run) {
    const gyre_tables *t = &run->tables;
    const gyre_train_row *last = &t->train[t->train_count - 1];
    gyre_cell_result r = {.state = GYRE_CELL_INTERRUPTED, .steps = last->step + 1, .of = t->metric};
    r.loss = r.metric = r.best_metric = r.test_loss = r.test_metric = NAN;
    gyre_cell_has_no_averages(&r);
    r.seconds = last->seconds;
    if (r.steps >= gyre_schedule_steps(run->schedule)) r.state = GYRE_CELL_DONE;
    if (!isfinite(last->loss)) r.state = GYRE_CELL_DIVERGED;
    for (size_t i = 0; i < t->validation_count; i++) {
        const gyre_validation_row *row = &t->validation[i];
        if (row->step == r.steps && r.state == GYRE_CELL_DONE) {
            r.loss = row->loss;
            r.metric = row->metric;
        }
        r.best_metric = gyre_metric_best(t->metric, r.best_metric, row->metric);
    }
    return r;
}

/* What a study's cell has in its result.json. */
static void take_end(const char *folder, gyre_results_cell *c) {
    gyre_cell_result *r = &c->result;
    if (r->state != GYRE_CELL_DONE) return;
    if (gyre_newest_hash(folder, &r->hash) != GYRE_OK) r->hash = 0; /* without checkpoints */
    if (c->log.test_step != r->steps) return;
    r->test_loss = c->log.test_loss;
    r->test_metric = c->log.test_metric;
}

gyre_status study_results_of_run(const char *folder, gyre_results *out) {
    gyre_run_content run = {0};
    gyre_status status = gyre_run_content_open(folder, &run);
    if (status != GYRE_OK) goto out;
    out->single = true;
    GYRE_GOTO(make_study(folder, &run, &out->study));
    out->cells = calloc(1, sizeof *out->cells);
    out->arms = calloc(1, sizeof *out->arms);
    if (out->cells == NULL || out->arms == NULL) {
        status = gyre_no_memory("reporting '%s'", folder);
        goto out;
    }
    out->cells[0].result = result_of(&run);
    out->cells[0].tables = run.tables;
    out->metric = run.tables.metric;
    study_cell_log_read(folder, out->metric, &out->cells[0].log);
    take_end(folder, &out->cells[0]);
    out->arms[0].settings = run.settings;
    out->arms[0].schedule = run.schedule;
    run.tables = (gyre_tables){0};
    run.settings = NULL;
    run.schedule = NULL;
out:
    gyre_run_content_close(&run);
    return status;
}
