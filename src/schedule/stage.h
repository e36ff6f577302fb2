/* A stage from its settings, and the row of stages that a schedule is. Internal to src/schedule. */
#ifndef SCHEDULE_STAGE_H
#define SCHEDULE_STAGE_H

#include "policy.h"

/* Fills the stage from settings (copied) and a length: steps, checks, geometry. The caller has set
 * where, length_where and start; only a stage that starts at 0 may have a warm-up. */
gyre_status schedule_stage_make(schedule_stage *s, const gyre_schedule_settings *set,
                                const gyre_length *length, int64_t steps_per_epoch);

/* Its steps, warm-up included, up to its cut. */
int64_t schedule_stage_steps(const schedule_stage *s);
/* The cycles of a stage; 0 when its policy has none, or when it is cut in its warm-up. */
int64_t schedule_stage_cycles(const schedule_stage *s);

/* A schedule is a row of stages. */
struct gyre_schedule {
    int64_t steps;
    int64_t steps_per_epoch; /* 0: not known */
    double momentum;
    int64_t cycles;
    int count;
    schedule_stage stages[];
};

#endif
