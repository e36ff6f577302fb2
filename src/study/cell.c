/* One cell: a run like any other, of which a result is kept when it has ended.
 *
 * The test part is always evaluated from the last checkpoint, so that a cell that was killed
 * between its last step and its result ends with the same bits as one that was not. */
#include "cell.h"

#include "cell_result.h"
#include "gyre/checkpoint.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/metrics.h"
#include "gyre/overwrite.h"
#include "gyre/run_folder.h"
#include "study_json.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- whose it is */

enum { MINE, FINISHED, ELSEWHERE };

/* The lock lies beside the run folder, which must be empty when the run begins. */
static gyre_status take_lock(const char *folder, int *lock, bool *held_elsewhere) {
    gyre_status status = GYRE_OK;
    gyre_lock_state state = GYRE_LOCK_NONE;
    char *path = NULL, *dir = gyre_path_dir(folder);
    if (dir == NULL || asprintf(&path, "%s.lock", folder) < 0) {
        path = NULL;
        status = gyre_no_memory("a cell");
        goto out;
    }
    GYRE_GOTO(gyre_dir_make(dir));
    GYRE_GOTO(gyre_lock_take(path, 1, lock, &state));
    *held_elsewhere = state == GYRE_LOCK_HELD;
    static bool warned; /* of the first cell */
    if (state == GYRE_LOCK_NONE && !warned) {
        warned = true;
        gyre_warn("cannot lock '%s' (%s); see to it that no second job runs this study", path,
                  strerror(errno));
    }
out:
    free(path);
    free(dir);
    return status;
}

/* A failed cell, or one whose result is damaged, begins anew: without its result, and in an empty
 * folder where no run had begun. What gyre did not write is kept. */
static gyre_status forget(const char *folder, bool damaged) {
    char *kept = NULL;
    char *path = gyre_path_join(folder, GYRE_RESULT_FILE);
    if (path == NULL) return gyre_no_memory("a cell");
    gyre_status status = GYRE_OK;
    if (damaged) {
        status = gyre_overwrite_set_aside(path, "damaged", &kept);
        if (status == GYRE_OK) gyre_say("the damaged result is '%s' now", kept);
    } else if (unlink(path) != 0) {
        status = gyre_fail(GYRE_EIO, "cannot remove '%s': %s", path, strerror(errno));
    }
    free(kept);
    free(path);
    return status;
}

/* A study folder that was moved away while its cells run must not be begun again in its old place.
 */
static gyre_status check_study(const gyre_study *s) {
    char *path = study_file_path(s->folder);
    if (path == NULL) return gyre_no_memory("a cell");
    bool there = gyre_file_exists(path);
    free(path);
    if (there) return GYRE_OK;
    return gyre_fail(
        GYRE_EIO,
        "the study folder '%s' was moved or removed while its cells were running; give "
        "the --out where it is now",
        s->folder);
}

static gyre_status begin(const gyre_study *s, gyre_study_cell c, const char *folder, int *lock,
                         uint64_t *whose, gyre_cell_result *result) {
    bool elsewhere = false, damaged = false;
    *whose = MINE;
    if (folder == NULL) return gyre_no_memory("a cell");
    GYRE_TRY(check_study(s));
    GYRE_TRY(take_lock(folder, lock, &elsewhere));
    if (elsewhere) *whose = ELSEWHERE;
    if (elsewhere) return GYRE_OK;
    /* under the lock: it may be new */
    GYRE_TRY(study_result_look(s, c.arm, c.seed, result, &damaged));
    if (result->state == GYRE_CELL_DONE || result->state == GYRE_CELL_DIVERGED) *whose = FINISHED;
    return damaged || result->state == GYRE_CELL_FAILED ? forget(folder, damaged) : GYRE_OK;
}

/* ---- what became of it */

/* From the run's tables. Of a run that was not finished there is no last evaluation. */
static gyre_status read_tables(const char *folder, int64_t steps, gyre_cell_result *r) {
    gyre_tables t;
    char *path = gyre_path_join(folder, GYRE_METRICS_FILE);
    if (path == NULL) return gyre_no_memory("a cell");
    gyre_status status = gyre_tables_read(path, &t);
    free(path);
    GYRE_TRY(status);
    r->of = t.metric;
    for (size_t i = 0; i < t.validation_count; i++) {
        const gyre_validation_row *row = &t.validation[i];
        r->best_metric = gyre_metric_best(t.metric, r->best_metric, row->metric);
        if (row->step != steps) continue;
        r->loss = row->loss;
        r->metric = row->metric;
    }
    for (size_t i = 0; i < t.averages_count; i++) {
        if (t.averages[i].step == steps)
            memcpy(r->averages, t.averages[i].metric, sizeof r->averages);
    }
    if (t.train_count > 0) {
        r->seconds = t.train[t.train_count - 1].seconds;
        r->steps = t.train[t.train_count - 1].step; /* the update that was not applied */
    }
    gyre_tables_free(&t);
    return GYRE_OK;
}

static gyre_status read_run(const gyre_study *s, const char *folder, gyre_status ran,
                            gyre_cell_result *r) {
    GYRE_TRY(read_tables(folder, s->budget_steps, r));
    if (ran == GYRE_EDIVERGED) return GYRE_OK;
    r->steps = s->budget_steps;
    GYRE_TRY(gyre_newest_hash(folder, &r->hash));
    if (isfinite(r->metric)) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s/metrics.h5' has no evaluation after step %lld", folder,
                     (long long)s->budget_steps);
}

/* What was made lies beside the pictures of the run, which report and user may look at. */
static gyre_status keep_samples(const char *folder, const gyre_generated *g) {
    const char *name = g->pictures ? GYRE_SAMPLES_PICTURES : GYRE_SAMPLES_LATENTS;
    char *dir = gyre_path_join(folder, GYRE_SAMPLES);
    char *made = dir == NULL ? NULL : gyre_path_join(dir, name);
    char *nearest = dir == NULL ? NULL : gyre_path_join(dir, GYRE_SAMPLES_NEAREST);
    gyre_status status = GYRE_OK;
    if (made == NULL || nearest == NULL) status = gyre_no_memory("the samples of a cell");
    if (status == GYRE_OK) status = gyre_dir_make(dir);
    if (status == GYRE_OK) status = gyre_latents_write(made, &g->samples);
    if (status == GYRE_OK) status = gyre_latents_write(nearest, &g->nearest);
    free(made);
    free(nearest);
    free(dir);
    return status;
}

static gyre_status take_samples(const char *folder, const gyre_generated *g, gyre_comm *comm,
                                gyre_cell_result *r) {
    if (g->made == 0) return GYRE_OK;
    r->samples = g->made;
    r->copying = g->copying.nearer;
    r->copying_p = g->copying.p;
    if (g->features[0] != '\0') {
        r->kernel_distance = g->kernel.value;
        r->kernel_error = g->kernel.error;
        snprintf(r->features, sizeof r->features, "%s", g->features);
    }
    const bool first = gyre_comm_rank(comm) == 0;
    return gyre_comm_agree(comm, first ? keep_samples(folder, g) : GYRE_OK);
}

static gyre_status test(const gyre_study *s, const char *folder, gyre_comm *comm,
                        gyre_cell_result *r) {
    gyre_evaluation e;
    const gyre_evaluated what = {
        .file = folder, .part = "test", .samples = s->samples, .features = s->features};
    GYRE_TRY(gyre_evaluate(&what, NULL, comm, &e));
    if (e.bad.found) {
        gyre_warn("'%s': sample %lld of the test part holds %g at value %zu, so it has no score",
                  folder, (long long)e.bad.row, (double)e.bad.value, e.bad.at);
    }
    r->test_loss = e.score.loss;
    r->test_metric = e.score.metric;
    gyre_status status = take_samples(folder, &e.generated, comm, r);
    gyre_evaluation_close(&e);
    return status;
}

/* Turns the end of a run into a result. A failure here is one of the cell. */
static gyre_status conclude(const gyre_study *s, gyre_study_cell c, const char *folder,
                            gyre_status ran, gyre_comm *comm, gyre_cell_result *r) {
    gyre_status status = ran;
    *r = (gyre_cell_result){.state = GYRE_CELL_DONE,
                            .of = s->arms[c.arm].metric,
                            .loss = (double)NAN,
                            .metric = (double)NAN,
                            .best_metric = (double)NAN,
                            .test_loss = (double)NAN,
                            .test_metric = (double)NAN,
                            .copying = (double)NAN,
                            .copying_p = (double)NAN,
                            .kernel_distance = (double)NAN,
                            .kernel_error = (double)NAN,
                            .seconds = (double)NAN};
    gyre_cell_has_no_averages(r);
    if (ran != GYRE_OK) snprintf(r->message, sizeof r->message, "%s", gyre_error_text());
    if (ran == GYRE_EDIVERGED) r->state = GYRE_CELL_DIVERGED;
    if (ran == GYRE_OK || ran == GYRE_EDIVERGED) {
        bool first = gyre_comm_rank(comm) == 0;
        status = gyre_comm_agree(comm, first ? read_run(s, folder, ran, r) : GYRE_OK);
        if (ran == GYRE_OK && status == GYRE_OK && s->arms[c.arm].has_test) {
            status = test(s, folder, comm, r);
        }
        if (status != GYRE_OK) snprintf(r->message, sizeof r->message, "%s", gyre_error_text());
    }
    if (status != GYRE_OK) r->state = GYRE_CELL_FAILED;
    return status;
}

static gyre_status train(const gyre_study *s, gyre_study_cell c, const gyre_train_options *options,
                         const char *folder, gyre_comm *comm) {
    gyre_settings settings = *s->arms[c.arm].settings;
    gyre_train_options o = *options;
    settings.seed = s->seeds[c.seed];
    o.out = folder;
    o.cell = true;
    o.data_hash = s->arms[c.arm].data_hash;
    o.init_hash = s->arms[c.arm].init_hash;
    /* Warnings are alike for many cells and would tear the table; log.jsonl of the cell has them.
     */
    bool muted = gyre_log_mute(true);
    gyre_status status = gyre_train(&settings, &o, comm);
    gyre_log_mute(muted);
    return status;
}

gyre_status study_cell_run(const gyre_study *s, gyre_study_cell c,
                           const gyre_train_options *options, gyre_comm *comm, study_cell_end *end,
                           gyre_status *verdict, gyre_cell_result *result) {
    gyre_status status = GYRE_OK;
    bool first = gyre_comm_rank(comm) == 0;
    char *folder = gyre_study_cell_folder(s, c.arm, c.seed);
    int lock = -1;
    uint64_t stop = gyre_stop_wanted(), whose = MINE;
    *verdict = GYRE_OK;
    *end = STUDY_CELL_STOPPED;
    GYRE_GOTO(gyre_comm_agree(comm, folder == NULL ? gyre_no_memory("a cell") : GYRE_OK));
    GYRE_GOTO(gyre_comm_max_u64(comm, &stop, 1));
    if (stop) goto out;
    if (first) status = begin(s, c, folder, &lock, &whose, result);
    GYRE_GOTO(gyre_comm_agree(comm, status));
    GYRE_GOTO(gyre_comm_broadcast(comm, &whose, sizeof whose, 0));
    *end = whose == ELSEWHERE  ? STUDY_CELL_ELSEWHERE
           : whose == FINISHED ? STUDY_CELL_FOUND
                               : STUDY_CELL_RAN;
    if (whose != MINE) goto out;
    gyre_status ran = train(s, c, options, folder, comm);
    if (ran == GYRE_EPREEMPTED) {
        *end = STUDY_CELL_STOPPED;
        goto out;
    }
    *verdict = conclude(s, c, folder, ran, comm, result);
    if (first) {
        status = study_result_write(folder, s->arms[c.arm].name, s->seeds[c.seed], result);
    }
    status = gyre_comm_agree(comm, status);
out:
    if (lock >= 0) close(lock);
    free(folder);
    return status;
}
