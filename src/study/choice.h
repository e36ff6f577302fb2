/* Which arm of a group would be chosen. Internal to src/study. */
#ifndef GYRE_STUDY_CHOICE_H
#define GYRE_STUDY_CHOICE_H

#include "gyre/results.h"

/* `values` has room for every seed. */
void study_choose(gyre_results *e, int group, double *values);

#endif
