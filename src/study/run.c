/* Cells one after another, on parts of the ranks that do not wait for each other.
 *
 * The cells that are not finished are dealt out in turn, once, at the start: equal budgets need no
 * cleverer sharing, and no part has to talk to another before the end. */
#include "cell.h"
#include "cell_result.h"
#include "progress.h"
#include "study_folder.h"

#include "gyre/backend.h"
#include "gyre/log.h"
#include "gyre/run.h"
#include "gyre/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const gyre_study *study;
    const gyre_study_options *options;
    gyre_comm *all, *part;
    int part_index, parts;
    int32_t *todo; /* indices of the cells to run */
    int64_t todo_count;
    study_progress *table; /* rank 0 of a part */
    int elsewhere;         /* cells left to other processes */
    gyre_status failure;
    char failure_text[GYRE_ERROR_MAX]; /* of the first cell that failed in this part */
} study_run;

/* ---- what there is to do */

static bool is_finished(gyre_cell_state state) {
    return state == GYRE_CELL_DONE || state == GYRE_CELL_DIVERGED;
}

static gyre_status list_cells(study_run *r) {
    int count = gyre_study_cell_count(r->study);
    for (int i = 0; i < count; i++) {
        gyre_cell_result result;
        gyre_study_cell c = gyre_study_cell_at(r->study, i);
        bool damaged;
        if (r->options->cell >= 0 && r->options->cell != i) continue;
        GYRE_TRY(study_result_look(r->study, c.arm, c.seed, &result, &damaged));
        if (damaged) gyre_warn("%s; the cell is run again", gyre_error_text());
        if (!is_finished(result.state)) r->todo[r->todo_count++] = i;
    }
    return GYRE_OK;
}

static gyre_status check_options(const study_run *r) {
    const gyre_study_options *o = r->options;
    int count = gyre_study_cell_count(r->study);
    if (o->out == NULL) return gyre_fail(GYRE_EUSAGE, "no study folder: give --out DIR");
    if (o->cell >= count) {
        return gyre_fail(GYRE_EUSAGE,
                         "--cell %lld: the study has %d cells, 0 to %d (`gyre study STUDY.json "
                         "--count`)",
                         (long long)o->cell, count, count - 1);
    }
    if (o->parallel > gyre_comm_size(r->all)) {
        return gyre_fail(GYRE_EUSAGE,
                         "--parallel-cells %lld: there are %d ranks; each cell needs one, so start "
                         "more by mpirun -np, or ask for fewer",
                         (long long)o->parallel, gyre_comm_size(r->all));
    }
    if (o->cell < 0 || o->parallel == 1) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--cell and --parallel-cells: one cell takes all ranks");
}

/* Rank 0 looks at the folder; all know what it found. */
static gyre_status prepare(study_run *r, gyre_study *s) {
    gyre_status status = check_options(r);
    r->todo = calloc((size_t)gyre_study_cell_count(s) + 1, sizeof *r->todo);
    if (status == GYRE_OK && r->todo == NULL) {
        status = gyre_no_memory("the study's cells");
    }
    GYRE_TRY(gyre_comm_agree(r->all, status));
    if (gyre_comm_rank(r->all) == 0) {
        status = study_folder_claim(s, r->options->out);
        if (status == GYRE_OK) status = list_cells(r);
        if (status == GYRE_OK && r->todo_count > 0 && !r->options->quiet) gyre_study_warn(s);
    } else {
        s->folder = strdup(r->options->out);
        if (s->folder == NULL) status = gyre_no_memory("the study");
    }
    GYRE_TRY(gyre_comm_agree(r->all, status));
    GYRE_TRY(gyre_comm_broadcast(r->all, &r->todo_count, sizeof r->todo_count, 0));
    size_t bytes = (size_t)r->todo_count * sizeof *r->todo;
    GYRE_TRY(gyre_comm_broadcast(r->all, r->todo, bytes, 0));
    if (r->parts > 1) gyre_backend_assign(r->all);
    return gyre_comm_split(r->all, r->parts, &r->part, &r->part_index);
}

/* ---- one part's cells */

static void watch(void *context, int64_t completed, int64_t steps, double metric) {
    study_run *r = context;
    study_progress_step(r->table, completed, steps, metric);
}

static gyre_status run_one(study_run *r, int64_t place, study_cell_end *end) {
    gyre_study_cell c = gyre_study_cell_at(r->study, r->todo[place]);
    const gyre_study_arm *arm = &r->study->arms[c.arm];
    const gyre_train_options options = {
        .quiet = true, .allow_inexact = r->options->allow_inexact, .watch = watch, .context = r};
    gyre_status verdict = GYRE_OK;
    gyre_cell_result result;
    int64_t left = (r->todo_count - place + r->parts - 1) / r->parts;
    if (r->table != NULL) study_progress_begin(r->table, c, left);
    GYRE_TRY(study_cell_run(r->study, c, &options, r->part, end, &verdict, &result));
    if (r->table != NULL && *end == STUDY_CELL_RAN) study_progress_end(r->table, &result);
    if (r->table != NULL && *end != STUDY_CELL_RAN) study_progress_skip(r->table);
    r->elsewhere += *end == STUDY_CELL_ELSEWHERE;
    if (*end != STUDY_CELL_RAN || verdict == GYRE_OK || verdict == GYRE_EDIVERGED) return GYRE_OK;
    if (r->failure == GYRE_OK) {
        r->failure = verdict;
        snprintf(r->failure_text, sizeof r->failure_text, "%s, seed %llu: %.800s", arm->name,
                 (unsigned long long)r->study->seeds[c.seed], gyre_error_text());
    }
    return GYRE_OK;
}

static gyre_status run_part(study_run *r) {
    gyre_status status = GYRE_OK;
    bool shows = gyre_comm_rank(r->part) == 0;
    if (shows) {
        /* a table is one process's; lines are each part's own */
        status = study_progress_open(r->study, gyre_comm_rank(r->all) == 0, r->options->quiet,
                                     &r->table);
    }
    GYRE_TRY(gyre_comm_agree(r->part, status));
    if (!shows) gyre_log_mute(true);
    study_cell_end end = STUDY_CELL_RAN;
    for (int64_t i = r->part_index; i < r->todo_count && end != STUDY_CELL_STOPPED; i += r->parts) {
        GYRE_TRY(run_one(r, i, &end));
    }
    if (end != STUDY_CELL_STOPPED) return GYRE_OK;
    return gyre_fail(GYRE_EPREEMPTED, "stopped by a signal");
}

/* ---- the end */

typedef struct {
    int done, diverged, failed, interrupted, missing;
} tally;

static gyre_status count_states(const gyre_study *s, tally *t) {
    for (int i = 0; i < gyre_study_cell_count(s); i++) {
        gyre_cell_result result;
        gyre_study_cell c = gyre_study_cell_at(s, i);
        bool damaged; /* an interrupted one */
        GYRE_TRY(study_result_look(s, c.arm, c.seed, &result, &damaged));
        t->done += result.state == GYRE_CELL_DONE;
        t->diverged += result.state == GYRE_CELL_DIVERGED;
        t->failed += result.state == GYRE_CELL_FAILED;
        t->interrupted += result.state == GYRE_CELL_INTERRUPTED;
        t->missing += result.state == GYRE_CELL_MISSING;
    }
    return GYRE_OK;
}

/* ", 2 failed", or nothing. */
static void append(char *text, size_t size, int count, const char *words) {
    if (count > 0) gyre_text_add(text, size, ", %d %s", count, words);
}

static gyre_status last_words(const study_run *r, int elsewhere, gyre_status status) {
    const gyre_study *s = r->study;
    tally t = {0};
    char text[GYRE_ERROR_MAX], counts[256];
    snprintf(text, sizeof text, "%s", gyre_error_text());
    GYRE_TRY(count_states(s, &t));
    snprintf(counts, sizeof counts, "%d of %d cells done", t.done, gyre_study_cell_count(s));
    append(counts, sizeof counts, t.diverged, "diverged");
    append(counts, sizeof counts, t.failed, "failed");
    append(counts, sizeof counts, t.interrupted, "begun but not ended");
    append(counts, sizeof counts, t.missing, "not begun");
    append(counts, sizeof counts, elsewhere, "left to other processes that were running them");
    if (status == GYRE_EPREEMPTED) {
        return gyre_fail(status, "stopped by a signal: %s; the same command resumes from there",
                         counts);
    }
    if (!r->options->quiet) fprintf(stderr, "%s; %s\n", counts, s->folder);
    return status == GYRE_OK ? GYRE_OK : gyre_fail(status, "%s", text);
}

/* One verdict for all parts. */
static gyre_status finish(study_run *r, gyre_status status) {
    double elsewhere = gyre_comm_rank(r->part) == 0 ? r->elsewhere : 0;
    if (status == GYRE_OK && r->failure != GYRE_OK) {
        status = gyre_fail(r->failure, "%s", r->failure_text);
    }
    if (r->options->cell >= 0 && status == GYRE_OK && elsewhere > 0) {
        status = gyre_fail(GYRE_EIO, "cell %lld is being run by another process; wait for it",
                           (long long)r->options->cell);
    }
    study_progress_close(r->table);
    gyre_comm_close(r->part);
    GYRE_TRY(gyre_comm_settle(r->all));
    GYRE_TRY(gyre_comm_sum_f64(r->all, &elsewhere, 1));
    status = gyre_comm_agree(r->all, status);
    if (gyre_comm_rank(r->all) == 0) status = last_words(r, (int)elsewhere, status);
    return gyre_comm_agree(r->all, status);
}

gyre_status gyre_study_run(gyre_study *s, const gyre_study_options *options, gyre_comm *comm) {
    study_run r = {.study = s,
                   .options = options,
                   .all = comm,
                   .parts = options->parallel > 1 ? (int)options->parallel : 1};
    gyre_stop_catch();
    gyre_status status = prepare(&r, s);
    if (status == GYRE_OK) status = finish(&r, run_part(&r));
    gyre_stop_release(status == GYRE_EPREEMPTED);
    free(r.todo);
    return status;
}
