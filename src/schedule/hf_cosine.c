/* The cosine of Hugging Face's get_scheduler("cosine") as fine-tuning tools run it: from the peak,
 * with a length of its own (decay_steps), and not clamped after that, so that a run longer than
 * decay_steps goes up and down with a period of (decay_steps - warm-up) / hf_cycles steps.
 *
 * Extremes need not lie on whole steps; a cycle ends on the step nearest to its minimum. */
#include "policy.h"

#include "curve.h"
#include "lengths.h"
#include <math.h>

enum { WARMUP_SHARE = 50 }; /* of decay_steps: EveryDream2's default */

/* Steps of "progress 1". */
static double decay(const schedule_stage *s) {
    double steps = s->set.decay_steps.value - (double)s->warmup;
    return steps > 1 ? steps : 1;
}

static schedule_point rate_at(const schedule_stage *s, int64_t u) {
    /* hf_cycles u modulo decay, exactly: fma and fmod round nothing here */
    double turns = s->set.hf_cycles * (double)u, lost = fma(s->set.hf_cycles, (double)u, -turns);
    double half = 0.5 * decay(s);
    double near = fabs(fmod(turns, 2 * half) - half + lost);
    double rise = schedule_window(GYRE_SHAPE_COSINE, near, half - near, half);
    return (schedule_point){schedule_between(s->set.base_lr, s->set.max_lr, rise), rise, 0};
}

/* The whole step nearest to `halves` half periods; beyond any run when hf_cycles is all but 0. */
static int64_t nearest(const schedule_stage *s, int64_t halves) {
    double steps = ceil((double)halves * decay(s) / (2 * s->set.hf_cycles) - 0.5);
    return (int64_t)fmin(steps, 2 * (double)SCHEDULE_STEPS_MAX);
}

static int64_t minimum(const schedule_stage *s, int64_t cycle) {
    return nearest(s, 2 * cycle + 1);
}

static int64_t cycle_of(const schedule_stage *s, int64_t u) {
    int64_t cycle = (int64_t)(s->set.hf_cycles * (double)u / decay(s) + 0.5);
    while (cycle > 0 && minimum(s, cycle - 1) >= u) cycle--;
    while (minimum(s, cycle) < u) cycle++;
    return cycle;
}

static schedule_point at(const schedule_stage *s, int64_t u) {
    schedule_point p = rate_at(s, u);
    if (s->set.hf_cycles > 0) p.cycle = cycle_of(s, u);
    return p;
}

static double period(const schedule_stage *s) {
    return s->set.hf_cycles > 0 ? decay(s) / s->set.hf_cycles : 0;
}

static schedule_span span(const schedule_stage *s, int64_t cycle) {
    int64_t peak = nearest(s, 2 * cycle), end = minimum(s, cycle), last = s->n - 1;
    return (schedule_span){cycle == 0 ? 0 : minimum(s, cycle - 1) + 1, peak <= last ? peak : -1,
                           end < last ? end : last, end <= last};
}

static double steps_of(const schedule_stage *s, double cycles) {
    if (s->set.decay_steps.unit == GYRE_UNIT_NONE) return 0;
    return fmax(1, floor(cycles * period(s) + 0.5));
}

static bool ends_high(const schedule_stage *s) {
    int64_t last = s->n - 1, cycle = cycle_of(s, last);
    if (minimum(s, cycle) - last <= 1) return false;
    return cycle == 0 || last - minimum(s, cycle - 1) > 1;
}

static void complete(schedule_stage *s, int64_t steps) {
    gyre_schedule_settings *set = &s->set;
    if (set->decay_steps.unit == GYRE_UNIT_NONE && steps > 0) {
        set->decay_steps = (gyre_length){GYRE_UNIT_STEPS, (double)steps};
    }
    if (set->warmup.unit == GYRE_UNIT_NONE && s->start == 0) {
        double share = floor(set->decay_steps.value / WARMUP_SHARE);
        set->warmup = (gyre_length){GYRE_UNIT_STEPS, share};
    }
}

static gyre_status check(schedule_stage *s) {
    if (s->set.hf_cycles == 0 || period(s) >= 2) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%s.hf_cycles: %g cycles in %.0f decay steps are shorter than 2 steps; take "
                     "at most %g",
                     s->where, s->set.hf_cycles, decay(s), 0.5 * decay(s));
}

const schedule_policy schedule_hf_cosine = {
    .name = "hf_cosine",
    .reads = READS_BASE_LR | READS_MAX_LR | READS_DECAY_STEPS | READS_HF_CYCLES | READS_MOMENTUM,
    .period_key = "decay_steps",
    .complete = complete,
    .check = check,
    .at = at,
    .period = period,
    .span = span,
    .steps_of = steps_of,
    .ends_high = ends_high};
