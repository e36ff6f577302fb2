/* Scores of averages; see averages.h. */
#include "averages.h"

#include <math.h>

/* NaN: the cell has none, or does not count. */
static double value_at(const gyre_results *e, int arm, int seed, gyre_average_kind kind) {
    const gyre_results_cell *c = gyre_results_at(e, arm, seed);
    const gyre_tables *t = &c->tables;
    if (t->averages_count == 0 || !(e->single || gyre_cell_counts(c))) return NAN;
    const gyre_averages_row *last = &t->averages[t->averages_count - 1];
    if (!e->single && last->step != c->result.steps) return NAN;
    return gyre_metric_shown(e->metric, last->metric[kind]);
}

bool report_averages_exist(const gyre_results *e, int group, gyre_average_kind kind) {
    for (int i = 0; i < e->study->arm_count; i++) {
        if (e->study->arms[i].group != group) continue;
        for (int seed = 0; seed < e->study->seed_count; seed++) {
            if (isfinite(value_at(e, i, seed, kind))) return true;
        }
    }
    return false;
}

int report_averages_values(const gyre_results *e, int arm, gyre_average_kind kind, double *values) {
    int count = 0;
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        const double value = value_at(e, arm, seed, kind);
        if (isfinite(value)) values[count++] = value;
    }
    return count;
}

int report_averages_gains(const gyre_results *e, int arm, gyre_average_kind kind, double *values) {
    int count = 0;
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        const double own = value_at(e, arm, seed, kind);
        const double last = value_at(e, arm, seed, GYRE_AVERAGE_NONE);
        if (isfinite(own) && isfinite(last)) values[count++] = own - last;
    }
    return count;
}
