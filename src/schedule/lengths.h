/* Lengths in steps. Internal to src/schedule. */
#ifndef SCHEDULE_LENGTHS_H
#define SCHEDULE_LENGTHS_H

#include "gyre/schedule.h"

#define SCHEDULE_STEPS_MAX INT64_C(9007199254740991) /* 2^53 - 1: exact as a double */

/* The whole step nearest to `steps`, for boundaries of cycles; of two that are as near, the stage's
 * `end`, which rounded the same number from other factors. */
int64_t schedule_nearest(double steps, int64_t end);

/* Settings with every length in steps, which are whole numbers, except those of stepsize and t0;
 * GYRE_EUSAGE when one is too long. */
gyre_status schedule_in_steps(gyre_schedule_settings *set, int64_t steps_per_epoch,
                              const char *where);

#endif
