/* Sorting of numbers, and their median. */
#ifndef GYRE_SORT_H
#define GYRE_SORT_H

#include <stddef.h>

/* For qsort of doubles: the least first. Infinite ones have their place; NaN has none, so there
 * must not be any. */
int gyre_sort_rising(const void *a, const void *b);

/* Sorts the values and returns the one in the middle, the mean of two where two lie there; NaN for
 * none. */
double gyre_sort_median(double *values, size_t count);

#endif
