/* Lengths in epochs become lengths in steps, in one place. */
#include "lengths.h"

#include <math.h>

static bool in_epochs(const gyre_length *length) {
    return length->unit == GYRE_UNIT_EPOCHS;
}

static bool any_in_epochs(const gyre_schedule_settings *set) {
    for (int i = 0; i < set->milestone_count; i++) {
        if (in_epochs(&set->milestones[i])) return true;
    }
    for (int i = 0; i < set->stage_count; i++) {
        const gyre_stage_settings *stage = &set->stages[i];
        if (in_epochs(&stage->length) || any_in_epochs(&stage->schedule)) return true;
    }
    return in_epochs(&set->stepsize) || in_epochs(&set->warmup) || in_epochs(&set->t0) ||
           in_epochs(&set->decay_steps);
}

bool gyre_schedule_needs_epochs(const gyre_schedule_settings *settings, const gyre_length *length) {
    return in_epochs(length) || any_in_epochs(settings);
}

int64_t gyre_steps_of_epochs(double epochs, int64_t steps_per_epoch) {
    double steps = floor(epochs * (double)steps_per_epoch + 0.5);
    if (steps >= 0x1p53) return SCHEDULE_STEPS_MAX + 1; /* too long; the caller says of what */
    return steps >= 1 ? (int64_t)steps : 1;
}

int64_t schedule_nearest(double steps, int64_t end) {
    const double tie = 0.5 + 1e-6;
    if (fabs(steps - (double)end) <= tie) return end;
    return (int64_t)fmin(floor(steps + 0.5), 0x1p62);
}

/* Epochs in steps without rounding, for what is repeated: boundaries are rounded, not the distance
 * between them. A product that is a whole number up to the rounding of doubles counts as that
 * number. */
static double parts_of_epochs(double epochs, int64_t steps_per_epoch) {
    double steps = epochs * (double)steps_per_epoch, whole = floor(steps + 0.5);
    if (fabs(steps - whole) <= 1e-12 * whole) return whole;
    return steps > 1 ? steps : 1;
}

static gyre_status one_in_steps(gyre_length *length, int64_t steps_per_epoch, bool repeated,
                                const char *where, const char *key) {
    if (length->unit == GYRE_UNIT_NONE) return GYRE_OK;
    if (in_epochs(length)) {
        double epochs = length->value, steps = 0;
        if (steps_per_epoch < 1 && epochs > 0) {
            return gyre_fail(GYRE_EUSAGE,
                             "%s.%s: %g epochs, but the steps of an epoch are not known; give it "
                             "in steps",
                             where, key, epochs);
        }
        if (epochs > 0 && repeated) steps = parts_of_epochs(epochs, steps_per_epoch);
        if (epochs > 0 && !repeated) steps = (double)gyre_steps_of_epochs(epochs, steps_per_epoch);
        *length = (gyre_length){GYRE_UNIT_STEPS, steps};
    }
    if (length->value <= (double)SCHEDULE_STEPS_MAX) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "%s.%s: expected at most 2^53 - 1 steps, found more", where, key);
}

gyre_status schedule_in_steps(gyre_schedule_settings *set, int64_t steps_per_epoch,
                              const char *where) {
    GYRE_TRY(one_in_steps(&set->stepsize, steps_per_epoch, true, where, "stepsize"));
    GYRE_TRY(one_in_steps(&set->warmup, steps_per_epoch, false, where, "warmup"));
    GYRE_TRY(one_in_steps(&set->t0, steps_per_epoch, true, where, "t0"));
    GYRE_TRY(one_in_steps(&set->decay_steps, steps_per_epoch, false, where, "decay_steps"));
    for (int i = 0; i < set->milestone_count; i++) {
        gyre_length asked = set->milestones[i];
        GYRE_TRY(one_in_steps(&set->milestones[i], steps_per_epoch, false, where, "milestones"));
        if (i == 0 || set->milestones[i].value > set->milestones[i - 1].value) continue;
        return gyre_fail(GYRE_EUSAGE,
                         "%s.milestones: expected rising ones, found %g after one in the same "
                         "step %.0f; take one away",
                         where, asked.value, set->milestones[i].value);
    }
    return GYRE_OK;
}
