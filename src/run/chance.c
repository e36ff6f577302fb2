/* What a network would score that has learned nothing but which class is the most frequent. */
#include "chance.h"

#include <math.h>
#include <stdlib.h>

double run_chance(const gyre_view *view, int classes) {
    int64_t most = 0, *counts = calloc((size_t)classes, sizeof *counts);
    if (counts == NULL || view->count < 1 || view->images->labels == NULL) {
        free(counts);
        return (double)NAN;
    }
    for (int64_t i = 0; i < view->count; i++) {
        int64_t row = view->rows == NULL ? i : view->rows[i];
        int64_t n = ++counts[view->images->labels[row]];
        if (n > most) most = n;
    }
    free(counts);
    return (double)most / (double)view->count;
}

/* The lower end of a 95 % interval, normal approximation: the remark is for scores that are clearly
 * no better, or that so few samples cannot tell from it. */
bool run_chance_beaten(double metric, double chance, int64_t samples) {
    if (!isfinite(chance) || !isfinite(metric)) return true;
    return metric - 1.96 * sqrt(metric * (1 - metric) / (double)samples) > chance;
}
