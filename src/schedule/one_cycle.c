/* One rise, one fall, and a tail far below (Smith and Topin, arXiv:1708.07120).
 *
 * pytorch2 and pytorch3 are PyTorch's OneCycleLR with two and three phases, whose ends, pct_start N
 * - 1 and 2 pct_start N - 2, need not be whole steps; paper has a rise and a fall of equally many
 * whole steps, so that its peak is always met. */
#include "policy.h"

#include "curve.h"
#include <math.h>

/* A place on the step axis, kept exact: high + low - whole. */
typedef struct {
    double high, low;
    int64_t whole;
} moment;

typedef struct {
    moment from, to;
    double low, high; /* rates */
    bool rising, tail;
} phase;

typedef struct {
    phase phases[3];
    int count;
} plan;

static moment at_step(int64_t step) {
    return (moment){(double)step, 0, 0};
}

/* times pct_start n - whole */
static moment at_share(const schedule_stage *s, int times, int64_t whole) {
    double a = times * s->set.pct_start, b = (double)s->n, high = a * b;
    return (moment){high, fma(a, b, -high), whole}; /* fma is exact by definition */
}

static double distance(moment to, moment from) {
    return ((to.high - from.high) - (double)(to.whole - from.whole)) + (to.low - from.low);
}

static double until(moment m, int64_t u) {
    return (m.high - (double)(m.whole + u)) + m.low;
}

static int64_t paper_rise(const schedule_stage *s) {
    return (int64_t)floor(s->set.pct_start * (double)(s->n - 1) + 0.5);
}

static plan plan_of(const schedule_stage *s) {
    double max = s->set.max_lr, first = max / s->set.div_factor;
    double least = first / s->set.final_div_factor;
    moment zero = at_step(0), end = at_step(s->n - 1);
    moment peak = at_share(s, 1, 1), back = at_share(s, 2, 2);
    if (s->set.one_cycle_form == GYRE_ONE_CYCLE_PAPER) {
        peak = at_step(paper_rise(s));
        back = at_step(2 * paper_rise(s));
    }
    phase rise = {zero, peak, first, max, true, false};
    if (s->set.one_cycle_form == GYRE_ONE_CYCLE_PYTORCH2) {
        return (plan){{rise, {peak, end, least, max, false, false}}, 2};
    }
    phase fall = {peak, back, first, max, false, false};
    return (plan){{rise, fall, {back, end, least, first, false, true}}, 3};
}

static schedule_point at(const schedule_stage *s, int64_t u) {
    plan p = plan_of(s);
    int i = 0;
    while (i + 1 < p.count && until(p.phases[i].to, u) < 0) i++;
    phase f = p.phases[i];
    double width = distance(f.to, f.from), done = -until(f.from, u), left = until(f.to, u);
    gyre_shape shape = s->set.anneal == GYRE_ANNEAL_COSINE ? GYRE_SHAPE_COSINE : GYRE_SHAPE_LINEAR;
    double rise = f.rising ? schedule_window(shape, done, left, width)
                           : schedule_window(shape, left, done, width);
    return (schedule_point){schedule_between(f.low, f.high, rise), f.tail ? 0 : rise, 0};
}

static double period(const schedule_stage *s) {
    return (double)s->n;
}

/* Only when pct_start leaves no room for the fall. */
static bool ends_high(const schedule_stage *s) {
    return at(s, s->n - 1).rise > 0;
}

/* The whole cycle; its peak is the whole step with the greatest rate. */
static schedule_span span(const schedule_stage *s, int64_t cycle) {
    (void)cycle;
    int64_t last = s->n - 1;
    double end = -until(plan_of(s).phases[0].to, 0);
    int64_t peak = end < 0 ? (int64_t)floor(-end) : 0;
    if (peak > last) peak = last;
    if (peak < last && at(s, peak + 1).lr > at(s, peak).lr) peak++;
    return (schedule_span){0, peak, last, !ends_high(s)};
}

static gyre_status check_paper(const schedule_stage *s) {
    int64_t rise = paper_rise(s), last = s->n - 1;
    if (rise >= 1 && 2 * rise < last) return GYRE_OK;
    if (last < 3) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s.one_cycle: rise, fall and tail need at least 4 steps after the "
                         "warm-up, found %lld; make the length greater",
                         s->where, (long long)s->n);
    }
    int64_t half = (last - 1) / 2;
    double most = (double)half;
    return gyre_fail(GYRE_EUSAGE,
                     "%s.one_cycle.pct_start: form \"paper\" rises in that share of the steps, "
                     "falls in as many and needs some for the tail; expected %.4g..%.4g, found %g",
                     s->where, 1 / (double)last, most / (double)last, s->set.pct_start);
}

static gyre_status check(schedule_stage *s) {
    if (s->set.one_cycle_form == GYRE_ONE_CYCLE_PAPER) return check_paper(s);
    if (s->set.one_cycle_form == GYRE_ONE_CYCLE_PYTORCH3 && s->set.pct_start > 0.5) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s.one_cycle.pct_start: form \"pytorch3\" rises and falls in that share "
                         "each; expected at most 0.5, found %g",
                         s->where, s->set.pct_start);
    }
    if (s->set.pct_start * (double)s->n != 1) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%s.one_cycle.pct_start: %g of %lld steps is one step, so the rise would "
                     "begin and end with it; expected a greater share (%.4g is two steps), or 0",
                     s->where, s->set.pct_start, (long long)s->n, 2 / (double)s->n);
}

const schedule_policy schedule_one_cycle = {.name = "one_cycle",
                                            .reads =
                                                READS_MAX_LR | READS_ONE_CYCLE | READS_MOMENTUM,
                                            .period_key = NULL,
                                            .complete = schedule_no_defaults,
                                            .check = check,
                                            .at = at,
                                            .period = period,
                                            .span = span,
                                            .steps_of = schedule_no_steps,
                                            .ends_high = ends_high};
