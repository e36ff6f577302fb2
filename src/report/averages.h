/* The last weights and the averages of them at the last step of cells, side by side. Internal to
 * src/report. */
#ifndef GYRE_REPORT_AVERAGES_H
#define GYRE_REPORT_AVERAGES_H

#include "gyre/results.h"

/* Did any counted cell of the group keep this kind? GYRE_AVERAGE_NONE: any kind. */
bool report_averages_exist(const gyre_results *e, int group, gyre_average_kind kind);
/* The metric, in its unit, of the counted cells of an arm by these weights; returns how many.
 * `values` has room for every seed. */
int report_averages_values(const gyre_results *e, int arm, gyre_average_kind kind, double *values);
/* Likewise the differences to the last weights of the same cell. */
int report_averages_gains(const gyre_results *e, int arm, gyre_average_kind kind, double *values);

#endif
