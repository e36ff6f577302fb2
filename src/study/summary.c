/* From cells to summaries of arms, and to the steps that they took to the target: pure arithmetic
 * on what the cells say. */
#include "summary.h"

#include "choice.h"
#include "compare.h"
#include "gyre/sort.h"
#include <math.h>
#include <stdlib.h>

/* ---- what all are judged by */

gyre_status study_find_metric(gyre_results *e) {
    const gyre_study *s = e->study;
    int first = -1;
    for (int i = 0; i < s->arm_count * s->seed_count; i++) {
        const gyre_results_cell *c = &e->cells[i];
        const gyre_metric *m = c->tables.metric != NULL ? c->tables.metric : c->result.of;
        if (m == NULL) continue;
        if (first < 0) first = i;
        if (first == i) e->metric = m;
        if (gyre_metric_same(e->metric, m)) continue;
        return gyre_fail(GYRE_EIO,
                         "'%s': arm %s is judged by its %s, but arm %s by its %s; arms are "
                         "compared by one metric, so make a study of each",
                         s->folder, s->arms[i / s->seed_count].name, gyre_metric_prose(m).text,
                         s->arms[first / s->seed_count].name, gyre_metric_prose(e->metric).text);
    }
    if (first < 0) e->metric = gyre_metric_of_loss(NULL);
    return GYRE_OK;
}

/* ---- arms */

static void summarise(gyre_results *e, int arm, double *values) {
    gyre_results_arm *a = &e->arms[arm];
    const gyre_metric *m = e->metric;
    const int seeds = e->study->seed_count;
    double *best = values + seeds, *test = best + seeds, seconds = 0;
    int bests = 0, tests = 0;
    for (int seed = 0; seed < seeds; seed++) {
        const gyre_results_cell *c = gyre_results_at(e, arm, seed);
        a->states[c->result.state]++;
        a->diverged += gyre_cell_diverged(c);
        if (!gyre_cell_counts(c)) continue;
        values[a->done++] = gyre_metric_shown(m, c->result.metric);
        seconds += c->result.seconds;
        if (isfinite(c->result.best_metric)) {
            best[bests++] = gyre_metric_shown(m, c->result.best_metric);
        }
        if (isfinite(c->result.test_metric)) {
            test[tests++] = gyre_metric_shown(m, c->result.test_metric);
        }
    }
    a->open = seeds - a->done - a->diverged;
    a->final = gyre_summary_of(values, a->done);
    a->best = gyre_summary_of(best, bests);
    a->test = gyre_summary_of(test, tests);
    a->seconds = a->done > 0 ? seconds / a->done : (double)NAN;
}

/* ---- the control that others are measured with */

static int place_in_group(const gyre_study *s, int arm) {
    int place = 0;
    for (int i = 0; i < arm; i++) place += s->arms[i].group == s->arms[arm].group;
    return place;
}

/* The planned comparison's control, or the one at the same place of its own group; else the first.
 */
static int main_control(const gyre_study *s, int group) {
    int first = -1;
    for (int i = 0; i < s->arm_count; i++) {
        if (s->arms[i].group != group || !s->arms[i].control) continue;
        if (first < 0) first = i;
        if (s->planned_control >= 0 &&
            place_in_group(s, i) == place_in_group(s, s->planned_control)) {
            return i;
        }
    }
    if (s->planned_control >= 0 && s->arms[s->planned_control].group == group) {
        return s->planned_control; /* an arm that the study does not call a control */
    }
    return first;
}

/* ---- steps to the target */

/* 57 of 100 is 56.999... % in doubles, and a mean of equal values may lie above each of them: at
 * most by a rounding of 2^-53 for each of 10,000 seeds, about 1e-12 of it. The next share that
 * there can be is farther off: 1 / 2^31 with the largest dataset. */
static bool reaches(const gyre_metric *m, double value, double target) {
    double shown = gyre_metric_shown(m, value), slack = 1e-11 * fabs(target);
    return m->greater_is_better ? shown >= target - slack : shown <= target + slack;
}

/* NaN for a cell that was not tried to its end. */
static double steps_to(const gyre_metric *m, const gyre_results_cell *c, double target,
                       const int64_t *grid, size_t grid_count) {
    if (isnan(target) || (!gyre_cell_diverged(c) && !gyre_cell_counts(c))) return NAN;
    const gyre_tables *t = &c->tables;
    size_t g = 0;
    for (size_t i = 0; i < t->validation_count; i++) {
        const gyre_validation_row *row = &t->validation[i];
        while (g < grid_count && grid[g] < row->step) g++;
        bool shared = g < grid_count && grid[g] == row->step;
        if (shared && reaches(m, row->metric, target)) return (double)row->step;
    }
    return INFINITY;
}

static gyre_status reach_target(gyre_results *e, int group, double *values) {
    int64_t *grid = NULL;
    size_t count = 0;
    GYRE_TRY(gyre_results_grid(e, group, &grid, &count));
    for (int i = 0; i < e->study->arm_count; i++) {
        gyre_results_arm *a = &e->arms[i];
        if (e->study->arms[i].group != group) continue;
        for (int seed = 0; seed < e->study->seed_count; seed++) {
            gyre_results_cell *c = &e->cells[i * e->study->seed_count + seed];
            c->to_target = steps_to(e->metric, c, e->target[group], grid, count);
            if (isnan(c->to_target)) continue;
            values[a->tried++] = c->to_target;
            a->reached += isfinite(c->to_target);
        }
        a->to_target = gyre_sort_median(values, (size_t)a->tried);
    }
    free(grid);
    return GYRE_OK;
}

/* ---- all of it */

gyre_status study_summarise(gyre_results *e, double target) {
    gyre_status status = GYRE_OK;
    const gyre_study *s = e->study;
    double *values = calloc(3 * (size_t)s->seed_count + 1, sizeof *values);
    e->main_control = calloc((size_t)s->group_count + 1, sizeof *e->main_control);
    e->target = calloc((size_t)s->group_count + 1, sizeof *e->target);
    e->rankings = calloc((size_t)s->group_count + 1, sizeof *e->rankings);
    e->target_given = !isnan(target);
    if (values == NULL || e->main_control == NULL || e->target == NULL || e->rankings == NULL) {
        status = gyre_no_memory("comparing %d arms", s->arm_count);
        goto out;
    }
    for (int i = 0; i < s->arm_count; i++) summarise(e, i, values);
    for (int g = 0; g < s->group_count; g++) {
        study_choose(e, g, values);
        int control = e->main_control[g] = main_control(s, g);
        e->target[g] = e->target_given || control < 0 ? target : e->arms[control].final.mean;
        GYRE_GOTO(reach_target(e, g, values));
    }
    status = study_compare(e, values);
out:
    free(values);
    return status;
}
