/* Which arm would be chosen. A mean over few seeds must not win against one over all, nor one over
 * the seeds that happened not to diverge: only arms whose cells have all ended are ranked, of these
 * only those that diverged least often, and their means are over the seeds that all of them share.
 */
#include "choice.h"

#include <limits.h>
#include <math.h>

/* Its cells have all ended, and one at least with a result. */
static bool has_ended(const gyre_results *e, int arm, int group) {
    const gyre_study_arm *a = &e->study->arms[arm];
    return a->group == group && !a->control && e->arms[arm].open == 0 && e->arms[arm].done > 0;
}

static void mark_ranked(gyre_results *e, int group, gyre_ranking *r) {
    int least = INT_MAX;
    for (int i = 0; i < e->study->arm_count; i++) {
        if (has_ended(e, i, group) && e->arms[i].diverged < least) least = e->arms[i].diverged;
    }
    for (int i = 0; i < e->study->arm_count; i++) {
        if (!has_ended(e, i, group) || e->arms[i].diverged > least) continue;
        e->arms[i].ranked = true;
        r->ranked++;
        r->diverged = least;
    }
}

static bool is_shared(const gyre_results *e, int group, int seed) {
    for (int i = 0; i < e->study->arm_count; i++) {
        bool asked = e->study->arms[i].group == group && e->arms[i].ranked;
        if (asked && !gyre_cell_counts(gyre_results_at(e, i, seed))) return false;
    }
    return true;
}

static double mean_over_shared(const gyre_results *e, int arm, double *values) {
    const int group = e->study->arms[arm].group;
    int count = 0;
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        if (!is_shared(e, group, seed)) continue;
        values[count++] =
            gyre_metric_shown(e->metric, gyre_results_at(e, arm, seed)->result.metric);
    }
    return gyre_summary_of(values, count).mean;
}

/* The better arm minus the other: what is worse has less where more is better, else more. */
static int behind(const gyre_results *e, int leader, int arm, double *values) {
    return e->metric->greater_is_better ? gyre_results_differences(e, leader, arm, false, values)
                                        : gyre_results_differences(e, arm, leader, false, values);
}

void study_choose(gyre_results *e, int group, double *values) {
    gyre_ranking *r = &e->rankings[group];
    *r = (gyre_ranking){.leader = -1, .mean = NAN};
    mark_ranked(e, group, r);
    for (int seed = 0; seed < e->study->seed_count && r->ranked > 0; seed++) {
        r->seeds += is_shared(e, group, seed);
    }
    for (int i = 0; i < e->study->arm_count && r->seeds > 0; i++) {
        if (e->study->arms[i].group != group || !e->arms[i].ranked) continue;
        double mean = mean_over_shared(e, i, values);
        if (r->leader >= 0 && !gyre_metric_better(e->metric, mean, r->mean)) continue;
        r->leader = i;
        r->mean = mean;
    }
    for (int i = 0; i < e->study->arm_count && r->leader >= 0; i++) {
        if (e->study->arms[i].group != group) continue;
        int count = behind(e, r->leader, i, values);
        e->arms[i].behind_leader = gyre_summary_of(values, count);
    }
}
