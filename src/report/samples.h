/* What cells made at their end, as far as a report shows it. Internal to src/report. */
#ifndef GYRE_REPORT_SAMPLES_H
#define GYRE_REPORT_SAMPLES_H

#include "gyre/results.h"

enum { REPORT_COPYING, REPORT_KERNEL };

/* Did any counted cell of the group make some? */
bool report_samples_exist(const gyre_results *e, int group);
/* What the features of all cells of a group are called; NULL: some have none, or other ones. */
const char *report_samples_features(const gyre_results *e, int group);
/* A measure of the counted cells of an arm, copying in %. Returns how many; `values` has room for
 * every seed. */
int report_samples_values(const gyre_results *e, int arm, int measure, double *values);
/* Likewise the differences to the group's main control with the same seed; none of itself. */
int report_samples_differences(const gyre_results *e, int arm, int measure, double *values);

/* A grid as PNG: a row for each arm of the group, of samples of the first seed whose cells all have
 * some, and the training pictures nearest to those of the first row. *png NULL: there is no such
 * seed, or samples are no pictures. free() it. `seed`: which one it is. */
gyre_status report_samples_grid(const gyre_results *e, int group, char **png, size_t *size,
                                uint64_t *seed);

#endif
