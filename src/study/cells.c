/* Which cells count, and what they say of an arm and of pairs of arms. */
#include "gyre/results.h"

#include <math.h>

const gyre_results_cell *gyre_results_at(const gyre_results *e, int arm, int seed) {
    return &e->cells[(size_t)arm * (size_t)e->study->seed_count + (size_t)seed];
}

bool gyre_cell_counts(const gyre_results_cell *c) {
    return c->result.state == GYRE_CELL_DONE && isfinite(c->result.loss) &&
           isfinite(c->result.metric);
}

bool gyre_cell_diverged(const gyre_results_cell *c) {
    return c->result.state == GYRE_CELL_DIVERGED ||
           (c->result.state == GYRE_CELL_DONE && !gyre_cell_counts(c));
}

static double shown(const gyre_results *e, const gyre_results_cell *c, bool best) {
    return gyre_metric_shown(e->metric, best ? c->result.best_metric : c->result.metric);
}

int gyre_results_differences(const gyre_results *e, int first, int second, bool best,
                             double *values) {
    int count = 0;
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        const gyre_results_cell *a = gyre_results_at(e, first, seed);
        const gyre_results_cell *b = gyre_results_at(e, second, seed);
        if (!gyre_cell_counts(a) || !gyre_cell_counts(b)) continue;
        double difference = shown(e, a, best) - shown(e, b, best);
        if (isfinite(difference)) values[count++] = difference;
    }
    return count;
}

bool gyre_arm_guesses(const gyre_results *e, int arm, double *chance) {
    int cells = 0;
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        const gyre_results_cell *c = gyre_results_at(e, arm, seed);
        if (!gyre_cell_counts(c)) continue;
        if (!c->log.guesses) return false;
        *chance = c->log.chance;
        cells++;
    }
    return cells > 0;
}
