/* Rows of a table as points to draw: thinned so that no peak is lost, and smoothed. Pure functions.
 */
#ifndef GYRE_REPORT_SERIES_H
#define GYRE_REPORT_SERIES_H

#include <stddef.h>

typedef struct {
    double x, y; /* y may be NaN or infinite: the line is broken there */
} report_point;

enum { REPORT_SERIES_BUCKETS = 1000, REPORT_SERIES_MAX = 4 * REPORT_SERIES_BUCKETS };

/* Points that draw the same line as `in` on a screen: up to REPORT_SERIES_MAX points are kept as
 * they are; of more, each of 1000 equal stretches keeps its first, least, greatest and last one.
 * `out` has room for REPORT_SERIES_MAX. Returns how many there are. */
size_t report_series_thin(const report_point *in, size_t count, report_point *out);

/* Leaves out, in place, the points that a straight line between their neighbours meets within
 * `tolerance` (in y). x rises. Returns how many stay. */
size_t report_series_straighten(report_point *points, size_t count, double tolerance);

/* Half the width of the mean that shows the course of `count` noisy rows. */
size_t report_series_half(size_t count);

/* Centred means of 2 * half + 1 rows (fewer at the ends), at up to REPORT_SERIES_BUCKETS rows.
 * Rows that are not finite are left out, and are NaN in `out`. Returns how many there are. */
size_t report_series_smooth(const report_point *in, size_t count, size_t half, report_point *out);

/* Least and greatest finite y; false when there is none. */
int report_series_extent(const report_point *in, size_t count, double *least, double *greatest);

#endif
