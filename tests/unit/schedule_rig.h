/* For tests of schedules: settings with the config's defaults, and short names for lengths. After
 * cmocka.h. */
#ifndef SCHEDULE_RIG_H
#define SCHEDULE_RIG_H

#include "gyre/schedule.h"

#define STEPS(x) ((gyre_length){GYRE_UNIT_STEPS, x})
#define EPOCHS(x) ((gyre_length){GYRE_UNIT_EPOCHS, x})
#define CYCLES(x) ((gyre_length){GYRE_UNIT_CYCLES, x})

static inline gyre_schedule_settings rig_settings(gyre_policy policy, double base, double max) {
    return (gyre_schedule_settings){
        .policy = policy,
        .base_lr = base,
        .max_lr = max,
        .gamma = 1,
        .up_fraction = 0.5,
        .peak_decay = policy == GYRE_POLICY_TRIANGULAR2 ? 0.5 : 1,
        .t_mult = 1,
        .hf_cycles = 0.5,
        .pct_start = 0.3,
        .div_factor = 25,
        .final_div_factor = 1e4,
    };
}

/* Opens or fails the test. */
static inline gyre_schedule *rig_open(const gyre_schedule_settings *set, gyre_length length) {
    gyre_schedule *s = NULL;
    if (gyre_schedule_open(set, &length, 0.9, 0, &s) != GYRE_OK) {
        fail_msg("%s", gyre_error_text());
    }
    return s;
}

#endif
