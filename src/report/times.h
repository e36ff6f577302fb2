/* The metric in the bands of a loss that has them (of a diffusion model: parts of the noise
 * schedule), at the last step of each cell. Internal to src/report. */
#ifndef GYRE_REPORT_TIMES_H
#define GYRE_REPORT_TIMES_H

#include "gyre/results.h"

/* Has any counted cell of the group bands? */
bool report_times_exist(const gyre_results *e, int group);
/* The metric in a band: of the counted cells of an arm that have one there. Returns how many;
 * `values` has room for every seed. */
int report_times_values(const gyre_results *e, int arm, int band, double *values);
/* Likewise the differences to the group's main control with the same seed, in % of the control's
 * mean in the band; none of the control itself. */
int report_times_differences(const gyre_results *e, int arm, int band, double *values);

#endif
