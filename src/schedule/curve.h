/* The forms of a half-cycle. Internal to src/schedule. */
#ifndef SCHEDULE_CURVE_H
#define SCHEDULE_CURVE_H

#include "gyre/schedule.h"

/* A window of the given shape at `near` steps from its low end and `far` from its high one, where
 * near + far = width: 0 at the low end, 1 at the high one. Both distances are asked for, so that
 * neither end suffers from cancellation. */
double schedule_window(gyre_shape shape, double near, double far, double width);

/* low + (high - low) rise, with the bounds themselves at 0 and 1, and never beyond them. */
double schedule_between(double low, double high, double rise);

#endif
