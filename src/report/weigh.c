/* From cells to summaries and comparisons: pure arithmetic on what the cells say. */
#include "evidence.h"

#include "gyre/order.h"
#include <math.h>
#include <stdlib.h>

const gyre_evidence_cell *gyre_evidence_at(const gyre_evidence *e, int arm, int seed) {
    return &e->cells[(size_t)arm * (size_t)e->study->seed_count + (size_t)seed];
}

bool gyre_cell_counts(const gyre_evidence_cell *c) {
    return c->result.state == GYRE_CELL_DONE && isfinite(c->result.loss) &&
           isfinite(c->result.accuracy);
}

static double percent(const gyre_evidence_cell *c, bool best) {
    return 100 * (best ? c->result.best_accuracy : c->result.accuracy);
}

int gyre_evidence_differences(const gyre_evidence *e, int first, int second, bool best,
                              double *values) {
    int count = 0;
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        const gyre_evidence_cell *a = gyre_evidence_at(e, first, seed);
        const gyre_evidence_cell *b = gyre_evidence_at(e, second, seed);
        if (!gyre_cell_counts(a) || !gyre_cell_counts(b)) continue;
        double difference = percent(a, best) - percent(b, best);
        if (isfinite(difference)) values[count++] = difference;
    }
    return count;
}

/* ---- arms */

static void weigh_arm(gyre_evidence *e, int arm, double *values) {
    gyre_evidence_arm *a = &e->arms[arm];
    const int seeds = e->study->seed_count;
    double *best = values + seeds, *test = best + seeds, seconds = 0;
    int bests = 0, tests = 0;
    for (int seed = 0; seed < seeds; seed++) {
        const gyre_evidence_cell *c = gyre_evidence_at(e, arm, seed);
        a->states[c->result.state]++;
        if (!gyre_cell_counts(c)) continue;
        values[a->done++] = percent(c, false);
        seconds += c->result.seconds;
        if (isfinite(c->result.best_accuracy)) best[bests++] = percent(c, true);
        if (isfinite(c->result.test_accuracy)) test[tests++] = 100 * c->result.test_accuracy;
    }
    a->final = gyre_summary_of(values, a->done);
    a->best = gyre_summary_of(best, bests);
    a->test = gyre_summary_of(test, tests);
    a->seconds = a->done > 0 ? seconds / a->done : (double)NAN;
}

int gyre_evidence_leader(const gyre_evidence *e, int group) {
    int leader = -1;
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_study_arm *arm = &e->study->arms[i];
        if (arm->group != group || arm->control || e->arms[i].done == 0) continue;
        if (leader < 0 || e->arms[i].final.mean > e->arms[leader].final.mean) leader = i;
    }
    return leader;
}

static void measure_with_leader(gyre_evidence *e, int group, double *values) {
    int leader = gyre_evidence_leader(e, group);
    for (int i = 0; i < e->study->arm_count && leader >= 0; i++) {
        if (e->study->arms[i].group != group) continue;
        int count = gyre_evidence_differences(e, leader, i, false, values);
        e->arms[i].below_leader = gyre_summary_of(values, count);
    }
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

/* NaN for a cell that was not tried to its end. */
static double steps_to(const gyre_evidence_cell *c, double target, const int64_t *grid,
                       size_t grid_count) {
    bool diverged = c->result.state == GYRE_CELL_DIVERGED;
    if (isnan(target) || (!diverged && !gyre_cell_counts(c))) return NAN;
    const gyre_tables *t = &c->tables;
    size_t g = 0;
    for (size_t i = 0; i < t->validation_count; i++) {
        const gyre_validation_row *row = &t->validation[i];
        while (g < grid_count && grid[g] < row->step) g++;
        bool shared = g < grid_count && grid[g] == row->step;
        if (shared && 100 * row->accuracy >= target) return (double)row->step;
    }
    return INFINITY;
}

static gyre_status reach_target(gyre_evidence *e, int group, double *values) {
    int64_t *grid = NULL;
    size_t count = 0;
    GYRE_TRY(gyre_evidence_grid(e, group, &grid, &count));
    for (int i = 0; i < e->study->arm_count; i++) {
        gyre_evidence_arm *a = &e->arms[i];
        if (e->study->arms[i].group != group) continue;
        for (int seed = 0; seed < e->study->seed_count; seed++) {
            gyre_evidence_cell *c = &e->cells[i * e->study->seed_count + seed];
            c->to_target = steps_to(c, e->target[group], grid, count);
            if (isnan(c->to_target)) continue;
            values[a->tried++] = c->to_target;
            a->reached += isfinite(c->to_target);
        }
        a->to_target = gyre_order_median(values, (size_t)a->tried);
    }
    free(grid);
    return GYRE_OK;
}

/* ---- comparisons */

/* The planned one, and every arm that is no control with every control of its group. */
static bool is_compared(const gyre_study *s, int arm, int control) {
    if (arm == control || s->arms[arm].group != s->arms[control].group) return false;
    if (arm == s->planned_arm && control == s->planned_control) return true;
    return s->arms[control].control && !s->arms[arm].control;
}

static void compare(const gyre_evidence *e, gyre_comparison *c, double *values) {
    int count = gyre_evidence_differences(e, c->arm, c->control, false, values);
    c->final = gyre_summary_of(values, count);
    c->bootstrap = gyre_bootstrap_interval(values, count);
    c->p = gyre_sign_flip_p(values, count);
    c->least = gyre_sign_flip_least(count);
    count = gyre_evidence_differences(e, c->arm, c->control, true, values);
    c->best = gyre_summary_of(values, count);
    c->corrected = c->p;
    c->corrected_least = c->least;
}

static gyre_finding judge(const gyre_comparison *c) {
    if (c->final.count < 2) return GYRE_FINDING_NOTHING;
    if (c->corrected_least > GYRE_SIGNIFICANT) return GYRE_FINDING_TOO_FEW;
    if (c->corrected > GYRE_SIGNIFICANT) return GYRE_FINDING_NONE;
    return c->final.mean > 0 ? GYRE_FINDING_BETTER : GYRE_FINDING_WORSE;
}

/* Holm over all comparisons that could be made, but the planned one. */
static gyre_status correct(gyre_evidence *e) {
    const int all = e->comparison_count;
    double *p = calloc(2 * (size_t)all + 1, sizeof *p);
    if (p == NULL) return gyre_fail(GYRE_EDEVICE, "no memory for %d comparisons", all);
    double *corrected = p + all;
    int count = 0;
    for (int i = 0; i < all; i++) {
        const gyre_comparison *c = &e->comparisons[i];
        if (!c->planned && c->final.count > 1) p[count++] = c->p;
    }
    gyre_holm(p, count, corrected);
    e->corrected_count = count;
    for (int i = 0, next = 0; i < all; i++) {
        gyre_comparison *c = &e->comparisons[i];
        if (!c->planned && c->final.count > 1) {
            c->corrected = corrected[next++];
            c->corrected_least = fmin(1, count * c->least);
        }
        c->finding = judge(c);
    }
    free(p);
    return GYRE_OK;
}

static gyre_status compare_all(gyre_evidence *e, double *values) {
    const gyre_study *s = e->study;
    size_t room = (size_t)s->arm_count * (size_t)s->arm_count + 1;
    e->comparisons = calloc(room, sizeof *e->comparisons);
    if (e->comparisons == NULL) return gyre_fail(GYRE_EDEVICE, "no memory for comparisons");
    for (int control = 0; control < s->arm_count; control++) {
        for (int arm = 0; arm < s->arm_count; arm++) {
            if (!is_compared(s, arm, control)) continue;
            gyre_comparison *c = &e->comparisons[e->comparison_count++];
            *c = (gyre_comparison){.arm = arm, .control = control};
            c->planned = arm == s->planned_arm && control == s->planned_control;
            compare(e, c, values);
        }
    }
    return correct(e);
}

const gyre_comparison *gyre_evidence_comparison(const gyre_evidence *e, int arm, int control) {
    for (int i = 0; i < e->comparison_count; i++) {
        const gyre_comparison *c = &e->comparisons[i];
        if (c->arm == arm && c->control == control) return c;
    }
    return NULL;
}

gyre_status gyre_evidence_weigh(gyre_evidence *e, double target) {
    gyre_status status = GYRE_OK;
    const gyre_study *s = e->study;
    double *values = calloc(3 * (size_t)s->seed_count + 1, sizeof *values);
    e->main_control = calloc((size_t)s->group_count + 1, sizeof *e->main_control);
    e->target = calloc((size_t)s->group_count + 1, sizeof *e->target);
    e->target_given = !isnan(target);
    if (values == NULL || e->main_control == NULL || e->target == NULL) {
        status = gyre_fail(GYRE_EDEVICE, "no memory to weigh %d arms", s->arm_count);
        goto out;
    }
    for (int i = 0; i < s->arm_count; i++) weigh_arm(e, i, values);
    for (int g = 0; g < s->group_count; g++) {
        measure_with_leader(e, g, values);
        int control = e->main_control[g] = main_control(s, g);
        e->target[g] = e->target_given || control < 0 ? target : e->arms[control].final.mean;
        GYRE_GOTO(reach_target(e, g, values));
    }
    status = compare_all(e, values);
out:
    free(values);
    return status;
}
