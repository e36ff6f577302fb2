/* What is wrong with the rates of a stage. Internal to src/schedule. */
#ifndef SCHEDULE_RATES_H
#define SCHEDULE_RATES_H

#include "stage.h"
#include "tell.h"

/* Says it of one stage. Of a run that ends inside its first cycle
 * (`unfinished`) that was said already. */
void schedule_tell_rates(const schedule_listener *to, const gyre_schedule *all,
                         const schedule_stage *s, bool unfinished);

#endif
