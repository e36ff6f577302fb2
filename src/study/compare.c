/* Comparisons of arms with controls, pair by pair, and their correction for each other. */
#include "compare.h"

#include <math.h>
#include <stdlib.h>

/* The planned one, and every arm that is no control with every control of its group. A plan may set
 * a control against an arm; the same two the other way round would be the same question again. */
static bool is_compared(const gyre_study *s, int arm, int control) {
    if (arm == control || s->arms[arm].group != s->arms[control].group) return false;
    if (arm == s->planned_arm && control == s->planned_control) return true;
    if (arm == s->planned_control && control == s->planned_arm) return false;
    return s->arms[control].control && !s->arms[arm].control;
}

static void compare(const gyre_results *e, gyre_comparison *c, double *values) {
    int count = gyre_results_differences(e, c->arm, c->control, false, values);
    c->final = gyre_summary_of(values, count);
    c->bootstrap = gyre_bootstrap_interval(values, count);
    c->p = gyre_sign_flip_p(values, count);
    c->least = gyre_sign_flip_least(count);
    count = gyre_results_differences(e, c->arm, c->control, true, values);
    c->best = gyre_summary_of(values, count);
    c->corrected = c->p;
    c->corrected_least = c->least;
}

static gyre_finding judge(const gyre_metric *m, const gyre_comparison *c) {
    if (c->final.count < 2) return GYRE_FINDING_NOTHING;
    if (c->corrected <= GYRE_SIGNIFICANT) {
        return gyre_metric_better(m, c->final.mean, 0) ? GYRE_FINDING_BETTER : GYRE_FINDING_WORSE;
    }
    return c->corrected_least > GYRE_SIGNIFICANT ? GYRE_FINDING_TOO_FEW : GYRE_FINDING_NONE;
}

/* What p[i] would be corrected to if it were the least its pairs can give and the others stayed. */
static double least_of(double *p, int count, int i, double least) {
    double found = p[i];
    p[i] = least;
    double corrected = gyre_holm_of(p, count, i);
    p[i] = found;
    return corrected;
}

/* Holm over all comparisons that could be made, but the planned one. */
static gyre_status correct(gyre_results *e) {
    const int all = e->comparison_count;
    double *p = calloc((size_t)all + 1, sizeof *p);
    if (p == NULL) return gyre_no_memory("%d comparisons", all);
    int count = 0;
    for (int i = 0; i < all; i++) {
        const gyre_comparison *c = &e->comparisons[i];
        if (!c->planned && c->final.count > 1) p[count++] = c->p;
    }
    e->corrected_count = count;
    for (int i = 0, next = 0; i < all; i++) {
        gyre_comparison *c = &e->comparisons[i];
        if (!c->planned && c->final.count > 1) {
            c->corrected = gyre_holm_of(p, count, next);
            c->corrected_least = least_of(p, count, next++, c->least);
        }
        c->finding = judge(e->metric, c);
    }
    free(p);
    return GYRE_OK;
}

gyre_status study_compare(gyre_results *e, double *values) {
    const gyre_study *s = e->study;
    size_t room = (size_t)s->arm_count * (size_t)s->arm_count + 1;
    e->comparisons = calloc(room, sizeof *e->comparisons);
    if (e->comparisons == NULL) return gyre_no_memory("comparisons");
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

const gyre_comparison *gyre_results_comparison(const gyre_results *e, int arm, int control) {
    for (int i = 0; i < e->comparison_count; i++) {
        const gyre_comparison *c = &e->comparisons[i];
        if (c->arm == arm && c->control == control) return c;
    }
    return NULL;
}
