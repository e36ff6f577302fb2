/* Reads what a study's cells left behind. A cell that cannot be read is one that failed, with the
 * reason: the others still get their report. */
#include "gyre/results.h"

#include "bands.h"
#include "cell_log.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/run_folder.h"
#include "gyre/text.h"
#include "results_run.h"
#include "summary.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Being out of memory is no property of the cell. */
static gyre_status damaged(gyre_results_cell *c, gyre_status status) {
    if (status != GYRE_EIO && status != GYRE_EUSAGE) return status;
    gyre_tables_free(&c->tables);
    c->tables = (gyre_tables){0};
    c->result = (gyre_cell_result){.state = GYRE_CELL_FAILED};
    c->result.loss = c->result.metric = c->result.best_metric = NAN;
    gyre_cell_has_no_averages(&c->result);
    c->result.test_loss = c->result.test_metric = c->result.seconds = NAN;
    snprintf(c->result.message, sizeof c->result.message, "%s", gyre_error_text());
    return GYRE_OK;
}

/* A cell that somebody has extended is compared as far as the others go. */
static void cut_tables(gyre_tables *t, int64_t steps) {
    while (t->train_count > 0 && t->train[t->train_count - 1].step >= steps) t->train_count--;
    while (t->validation_count > 0 && t->validation[t->validation_count - 1].step > steps) {
        t->validation_count--;
    }
    while (t->bands_count > 0 && t->bands[t->bands_count - 1].step > steps) t->bands_count--;
    while (t->averages_count > 0 && t->averages[t->averages_count - 1].step > steps) {
        t->averages_count--;
    }
    while (t->cycle_count > 0 && t->cycles[t->cycle_count - 1].end_step > steps) t->cycle_count--;
}

static gyre_status read_tables(const char *folder, int64_t steps, gyre_tables *out) {
    char *metrics = gyre_path_join(folder, GYRE_METRICS_FILE);
    if (metrics == NULL) return gyre_no_memory("reading '%s'", folder);
    gyre_status status = gyre_file_exists(metrics) ? gyre_tables_read(metrics, out) : GYRE_OK;
    free(metrics);
    if (status == GYRE_OK) cut_tables(out, steps);
    return status;
}

/* One cell's config tells of the arm what its sentence does not: batch, model, cycles. */
static gyre_status read_config(const char *folder, gyre_results_arm *a) {
    gyre_status status = GYRE_OK;
    char *config = gyre_path_join(folder, GYRE_CONFIG_FILE);
    if (config == NULL) return gyre_no_memory("reading '%s'", folder);
    if (a->settings == NULL && gyre_file_exists(config)) {
        GYRE_GOTO(gyre_config_open(config, NULL, 0, &a->settings));
        status = gyre_schedule_open(&a->settings->schedule, &a->settings->length,
                                    gyre_config_momentum(&a->settings->optimizer), 0, &a->schedule);
    }
out:
    free(config);
    return status;
}

static gyre_status read_cell(gyre_results *e, int arm, int seed) {
    gyre_status status = GYRE_OK;
    gyre_results_cell *c = &e->cells[arm * e->study->seed_count + seed];
    char *folder = gyre_study_cell_folder(e->study, arm, seed);
    if (folder == NULL) return gyre_no_memory("reading a cell");
    GYRE_GOTO(gyre_study_result(e->study, arm, seed, &c->result));
    if (c->result.state == GYRE_CELL_MISSING) goto out;
    GYRE_GOTO(read_tables(folder, e->study->budget_steps, &c->tables));
    const gyre_metric *metric = c->tables.metric != NULL ? c->tables.metric : c->result.of;
    study_cell_log_read(folder, metric, &c->log);
    status = read_config(folder, &e->arms[arm]);
out:
    free(folder);
    return damaged(c, status);
}

static gyre_status read_study(const char *folder, gyre_results *e) {
    GYRE_TRY(gyre_study_read(folder, &e->study));
    const gyre_study *s = e->study;
    e->cells = calloc((size_t)s->arm_count * (size_t)s->seed_count + 1, sizeof *e->cells);
    e->arms = calloc((size_t)s->arm_count + 1, sizeof *e->arms);
    if (e->cells == NULL || e->arms == NULL) {
        return gyre_no_memory("reading %d arms", s->arm_count);
    }
    for (int arm = 0; arm < s->arm_count; arm++) {
        for (int seed = 0; seed < s->seed_count; seed++) GYRE_TRY(read_cell(e, arm, seed));
    }
    return study_find_metric(e);
}

static gyre_status holds(const char *folder, const char *name, bool *out) {
    char *path = gyre_path_join(folder, name);
    if (path == NULL) return gyre_no_memory("reading '%s'", folder);
    *out = gyre_file_exists(path);
    free(path);
    return GYRE_OK;
}

/* In the unit of people; a share has an end on both sides. */
static gyre_status check_target(const gyre_metric *m, double target) {
    if (isnan(target) || !m->is_share) return GYRE_OK;
    if (!(target >= 0 && target <= m->factor)) {
        return gyre_fail(GYRE_EUSAGE, "--target: expected %s %s of 0 to %g %s, found '%g'",
                         gyre_text_article(gyre_metric_prose(m).text), gyre_metric_prose(m).text,
                         m->factor, m->unit, target);
    }
    if (target > 0 && target <= 1 && m->factor > 1) {
        gyre_warn("--target %g is %g %s; %g %s is --target %g", target, target, m->unit,
                  m->factor * target, m->unit, m->factor * target);
    }
    return GYRE_OK;
}

gyre_status gyre_results_open(const char *folder, double target, gyre_results *out) {
    bool study = false, run = false;
    *out = (gyre_results){0};
    GYRE_TRY(holds(folder, GYRE_STUDY_FILE, &study));
    GYRE_TRY(holds(folder, GYRE_METRICS_FILE, &run));
    if (!study && !run) {
        return gyre_fail(GYRE_EIO,
                         "'%s' holds neither a study (study.json) nor a run (metrics.h5); give a "
                         "folder that `gyre study` or `gyre train` wrote",
                         folder);
    }
    GYRE_TRY(study ? read_study(folder, out) : study_results_of_run(folder, out));
    GYRE_TRY(check_target(out->metric, target));
    GYRE_TRY(study_summarise(out, target));
    return study_draw_bands(out);
}

static void close_arm(gyre_results_arm *a) {
    if (a->settings != NULL) gyre_config_close(a->settings);
    if (a->schedule != NULL) gyre_schedule_close(a->schedule);
    free(a->train.points);
    free(a->loss.points);
    free(a->metric.points);
    free(a->minima_loss.points);
    free(a->minima_metric.points);
}

void gyre_results_close(gyre_results *e) {
    int arms = e->study == NULL ? 0 : e->study->arm_count;
    int seeds = e->study == NULL ? 0 : e->study->seed_count;
    for (int i = 0; e->cells != NULL && i < arms * seeds; i++) {
        gyre_tables_free(&e->cells[i].tables);
        study_cell_log_close(&e->cells[i].log);
    }
    for (int i = 0; e->arms != NULL && i < arms; i++) close_arm(&e->arms[i]);
    free(e->cells);
    free(e->arms);
    free(e->comparisons);
    free(e->main_control);
    free(e->target);
    free(e->rankings);
    if (e->single) {
        study_results_run_close(e->study);
    } else if (e->study != NULL) {
        gyre_study_close(e->study);
    }
    *e = (gyre_results){0};
}
