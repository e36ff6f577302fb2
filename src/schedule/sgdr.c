/* Warm restarts (Loshchilov and Hutter, arXiv:1608.03983): cosines from max_lr towards base_lr,
 * each period t_mult times the one before. As PyTorch's CosineAnnealingWarmRestarts with whole
 * steps, which never reaches base_lr; closed: true does. */
#include "policy.h"

#include "curve.h"
#include "lengths.h"
#include <math.h>

/* Period i begins at step `first` and has `steps`: whole ones next to what t0 and t_mult give, so
 * that no rounding adds up. */
typedef struct {
    int64_t index, first, steps;
} run_of;

static run_of period_from(const schedule_stage *s, int64_t index, double first, double end) {
    int64_t begin = schedule_nearest(first, s->n);
    return (run_of){index, begin, schedule_nearest(end, s->n) - begin};
}

static run_of period_of(const schedule_stage *s, int64_t index) {
    double first = 0, steps = s->set.t0.value;
    if (s->set.t_mult == 1) {
        return period_from(s, index, (double)index * steps, (double)(index + 1) * steps);
    }
    for (int64_t i = 0; i < index && first <= (double)SCHEDULE_STEPS_MAX; i++) {
        first += steps;
        steps *= s->set.t_mult;
    }
    return period_from(s, index, first, first + steps);
}

static run_of period_at(const schedule_stage *s, int64_t u) {
    double first = 0, steps = s->set.t0.value;
    int64_t index = 0;
    if (s->set.t_mult == 1) {
        index = (int64_t)((double)u / steps);
        while (period_of(s, index).first > u) index--;
        while (period_of(s, index + 1).first <= u) index++;
        return period_of(s, index);
    }
    for (; schedule_nearest(first + steps, s->n) <= u; index++) {
        first += steps;
        steps *= s->set.t_mult;
    }
    return period_from(s, index, first, first + steps);
}

static schedule_point at(const schedule_stage *s, int64_t u) {
    run_of p = period_at(s, u);
    int64_t width = p.steps - (s->set.closed ? 1 : 0), far = u - p.first;
    double rise = far == 0 ? 1
                           : schedule_window(GYRE_SHAPE_COSINE, (double)(width - far), (double)far,
                                             (double)width);
    return (schedule_point){schedule_between(s->set.base_lr, s->set.max_lr, rise), rise, p.index};
}

static double period(const schedule_stage *s) {
    return s->set.t0.value;
}

static schedule_span span(const schedule_stage *s, int64_t cycle) {
    run_of p = period_of(s, cycle);
    int64_t end = p.first + p.steps;
    return (schedule_span){p.first, p.first, (end < s->n ? end : s->n) - 1, end <= s->n};
}

static double steps_of(const schedule_stage *s, double cycles) {
    if (s->set.t0.unit == GYRE_UNIT_NONE) return 0;
    double steps = 0, one = s->set.t0.value, whole = floor(cycles);
    if (s->set.t_mult == 1) return fmax(1, floor(cycles * one + 0.5));
    for (double i = 0; i < whole && steps <= (double)SCHEDULE_STEPS_MAX; i++) {
        steps += one;
        one *= s->set.t_mult;
    }
    return fmax(1, floor(steps + (cycles - whole) * one + 0.5));
}

static bool ends_high(const schedule_stage *s) {
    return !span(s, period_at(s, s->n - 1).index).complete;
}

static gyre_status check(schedule_stage *s) {
    if (s->set.t0.unit != GYRE_UNIT_NONE) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%s.t0: sgdr needs its first period; add \"t0\": {\"epochs\": 10}", s->where);
}

const schedule_policy schedule_sgdr = {.name = "sgdr",
                                       .reads =
                                           READS_BASE_LR | READS_MAX_LR | READS_T0 | READS_MOMENTUM,
                                       .period_key = "t0",
                                       .complete = schedule_no_defaults,
                                       .check = check,
                                       .at = at,
                                       .period = period,
                                       .span = span,
                                       .steps_of = steps_of,
                                       .ends_high = ends_high};
