/* Order of doubles: one comparison for all who sort them. */
#include "gyre/sort.h"

#include <math.h>
#include <stdlib.h>

int gyre_sort_rising(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

double gyre_sort_median(double *values, size_t count) {
    if (count == 0) return NAN;
    qsort(values, count, sizeof *values, gyre_sort_rising);
    return count % 2 == 1 ? values[count / 2] : 0.5 * (values[count / 2 - 1] + values[count / 2]);
}
