/* Comparisons of arms with controls. Internal to src/study. */
#ifndef GYRE_STUDY_COMPARE_H
#define GYRE_STUDY_COMPARE_H

#include "gyre/results.h"

/* All of them; `values` has room for every seed. */
gyre_status study_compare(gyre_results *e, double *values);

#endif
