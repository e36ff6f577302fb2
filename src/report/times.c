/* The metric by the time of the noise schedule; see times.h. */
#include "times.h"

#include <math.h>

/* NaN: the cell has none, or does not count. */
static double value_at(const gyre_results *e, int arm, int seed, int band) {
    const gyre_results_cell *c = gyre_results_at(e, arm, seed);
    const gyre_tables *t = &c->tables;
    if (t->bands_count == 0 || !(e->single || gyre_cell_counts(c))) return NAN;
    const gyre_bands_row *last = &t->bands[t->bands_count - 1];
    return e->single || last->step == c->result.steps ? last->bands[band] : (double)NAN;
}

bool report_times_exist(const gyre_results *e, int group) {
    for (int i = 0; i < e->study->arm_count; i++) {
        if (e->study->arms[i].group != group) continue;
        for (int seed = 0; seed < e->study->seed_count; seed++) {
            for (int b = 0; b < GYRE_LOSS_BANDS_MAX; b++) {
                if (isfinite(value_at(e, i, seed, b))) return true;
            }
        }
    }
    return false;
}

int report_times_values(const gyre_results *e, int arm, int band, double *values) {
    int count = 0;
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        const double value = value_at(e, arm, seed, band);
        if (isfinite(value)) values[count++] = value;
    }
    return count;
}

int report_times_differences(const gyre_results *e, int arm, int band, double *values) {
    const int control = e->main_control[e->study->arms[arm].group];
    double sum = 0;
    int count = 0;
    if (control < 0 || control == arm) return 0;
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        const double own = value_at(e, arm, seed, band), other = value_at(e, control, seed, band);
        if (!isfinite(own) || !isfinite(other)) continue;
        values[count++] = own - other;
        sum += other;
    }
    for (int i = 0; i < count; i++) values[i] *= 100 * count / sum;
    return count;
}
