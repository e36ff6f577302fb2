/* The test for copies; see gyre/likeness.h. */
#include "gyre/likeness.h"

#include "gyre/sort.h"
#include <math.h>

/* Goes through both sorted lists, group of equal distances by group. `wins`: pairs whose sample is
 * nearer, equal ones counted half; `ties`: the sum of t^3 - t over groups of t. */
static void compare(const double *made, size_t made_count, const double *held, size_t held_count,
                    double *wins, double *ties) {
    size_t i = 0, k = 0;
    *wins = *ties = 0;
    while (i < made_count || k < held_count) {
        double at = i == made_count                        ? held[k]
                    : k == held_count || made[i] < held[k] ? made[i]
                                                           : held[k];
        size_t i_end = i, k_end = k;
        while (i_end < made_count && made[i_end] == at) i_end++;
        while (k_end < held_count && held[k_end] == at) k_end++;
        double here = (double)(i_end - i), others = (double)(k_end - k), group = here + others;
        *wins += here * ((double)(held_count - k_end) + others / 2);
        *ties += group * group * group - group;
        i = i_end;
        k = k_end;
    }
}

void gyre_copying_of(double *made, size_t made_count, double *held, size_t held_count,
                     gyre_copying *out) {
    double wins, ties, n = (double)made_count, m = (double)held_count, all = n + m;
    out->made = gyre_sort_median(made, made_count);
    out->held = gyre_sort_median(held, held_count);
    compare(made, made_count, held, held_count, &wins, &ties);
    double variance = n * m / 12 * (all + 1 - ties / (all * (all - 1)));
    out->nearer = wins / (n * m);
    out->p = variance > 0 ? erfc((wins - n * m / 2) / sqrt(2 * variance)) / 2 : 0.5;
}
