/* The kernel distance; see gyre/likeness.h. Sums of kernel values by rows suffice, for the distance
 * and for the distances without one of the features each, which the jackknife takes. */
#include "gyre/likeness.h"

#include <math.h>
#include <stdlib.h>

static double kernel(const float *a, const float *b, size_t d) {
    double dot = 0;
    for (size_t i = 0; i < d; i++) dot += (double)a[i] * (double)b[i];
    dot = dot / (double)d + 1;
    return dot * dot * dot;
}

/* rows(n) gets for each of x the sum over the others; returns the sum of all. */
static double sum_within(const float *x, size_t n, size_t d, double *rows) {
    double all = 0;
    for (size_t i = 0; i < n; i++) rows[i] = 0;
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++) {
            double value = kernel(x + i * d, x + k * d, d);
            rows[i] += value;
            rows[k] += value;
        }
    }
    for (size_t i = 0; i < n; i++) all += rows[i];
    return all;
}

/* x_rows(n) and y_rows(m): for each of one set the sum over the other; returns the sum of all. */
static double sum_between(const float *x, size_t n, const float *y, size_t m, size_t d,
                          double *x_rows, double *y_rows) {
    double all = 0;
    for (size_t k = 0; k < m; k++) y_rows[k] = 0;
    for (size_t i = 0; i < n; i++) {
        x_rows[i] = 0;
        for (size_t k = 0; k < m; k++) {
            double value = kernel(x + i * d, y + k * d, d);
            x_rows[i] += value;
            y_rows[k] += value;
        }
        all += x_rows[i];
    }
    return all;
}

static double distance(double xx, double n, double yy, double m, double xy) {
    return xx / (n * (n - 1)) + yy / (m * (m - 1)) - 2 * xy / (n * m);
}

/* The jackknife's variance by leaving out each of the n of one set, `within` and `between` being
 * its sums, by rows and of all. */
static double variance(double n, const double *within, double all_within, double m,
                       double all_other, const double *between, double all_between) {
    double mean = 0, squares = 0;
    for (size_t i = 0; i < (size_t)n; i++) {
        double left =
            distance(all_within - 2 * within[i], n - 1, all_other, m, all_between - between[i]);
        double before = mean; /* Welford's update */
        mean += (left - mean) / (double)(i + 1);
        squares += (left - before) * (left - mean);
    }
    return squares * (n - 1) / n;
}

gyre_kernel_distance gyre_kernel_distance_of(const float *x, size_t n, const float *y, size_t m,
                                             size_t d) {
    gyre_kernel_distance out = {(double)NAN, (double)NAN};
    double *rows = malloc(2 * (n + m) * sizeof *rows);
    if (rows == NULL) return out;
    double *x_within = rows, *x_between = rows + n, *y_within = rows + 2 * n,
           *y_between = y_within + m, dn = (double)n, dm = (double)m;
    double xx = sum_within(x, n, d, x_within), yy = sum_within(y, m, d, y_within);
    double xy = sum_between(x, n, y, m, d, x_between, y_between);
    out.value = distance(xx, dn, yy, dm, xy);
    if (n > 2 && m > 2) {
        out.error = sqrt(variance(dn, x_within, xx, dm, yy, x_between, xy) +
                         variance(dm, y_within, yy, dn, xx, y_between, xy));
    }
    free(rows);
    return out;
}
