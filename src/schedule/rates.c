/* What is wrong with the rates that come out, whatever keys they came from: the schedule is asked
 * for them, so that a default, a rounding or a factor with another meaning is seen all the same.
 *
 * A stage is judged by itself. Long ones are judged by some of their steps: every question here is
 * one of orders of magnitude. */
#include "rates.h"

#include "gyre/realmath.h"
#include <math.h>
#include <stdio.h>

enum { SAMPLES = 1024 };

static const double still = 1e-3; /* a rate that moves by a smaller part of itself stands still */
static const double dead = 1e-4;  /* a rate below this part of the highest trains nothing */
static const double flat = 0.01;  /* a cycle below this part of the first's height is none */

typedef struct {
    double low, high;
} range;

static void widen(range *r, double lr) {
    if (lr < r->low) r->low = lr;
    if (lr > r->high) r->high = lr;
}

/* Lowest and highest rate of the run's steps first..end-1: all of them, or the first ones, ever
 * farther apart, the last, and some between them at distances that no cycle shares. */
static range rates_of(const gyre_schedule *all, int64_t first, int64_t end) {
    const double golden = 0.6180339887498949;
    int64_t count = end - first;
    range r = {INFINITY, 0};
    if (count <= SAMPLES) {
        for (int64_t t = first; t < end; t++) widen(&r, gyre_schedule_at(all, t).lr);
        return r;
    }
    for (int64_t u = 1; u < count; u *= 2) widen(&r, gyre_schedule_at(all, first + u).lr);
    for (int i = 0; i < SAMPLES; i++) {
        double share = fmod(golden * i, 1);
        widen(&r, gyre_schedule_at(all, first + (int64_t)(share * (double)count)).lr);
    }
    widen(&r, gyre_schedule_at(all, end - 1).lr);
    return r;
}

/* ---- the gamma that was meant */

/* gamma = share^(1 / steps), to the digits that are printed */
static double gamma_for(double share, double steps) {
    return gyre_exp(gyre_log(share) / steps);
}

static bool shrinks_by_step(const schedule_stage *s) {
    return (s->policy->reads & (READS_GAMMA | READS_MILESTONES)) == READS_GAMMA;
}

static void advise(const gyre_schedule *all, const schedule_stage *s, char *out, size_t size) {
    double epoch = (double)all->steps_per_epoch, n = (double)s->n;
    if (shrinks_by_step(s) && epoch > 1) {
        snprintf(out, size, "gamma is per step: for %g an epoch take %.7g, for 1/10 in all %.7g",
                 s->set.gamma, gamma_for(s->set.gamma, epoch), gamma_for(0.1, n));
    } else if (shrinks_by_step(s)) {
        snprintf(out, size, "gamma is per step: 1/10 in all takes %.7g", gamma_for(0.1, n));
    } else if (s->policy->reads & READS_MILESTONES) {
        snprintf(out, size, "gamma is per milestone; take one nearer to 1 than %g", s->set.gamma);
    } else if ((s->policy->reads & READS_CYCLES) && s->set.peak_decay < 1) {
        snprintf(out, size, "take a peak_decay nearer to 1 than %g, or a base_lr above 0",
                 s->set.peak_decay);
    } else {
        snprintf(out, size, "if that is not meant, look at its bounds");
    }
}

/* ---- one stage */

/* The first step from which on all rates are below `least`. */
static int64_t last_above(const gyre_schedule *all, int64_t first, int64_t end, double least) {
    while (end - first > 1) {
        int64_t middle = first + (end - first) / 2;
        if (rates_of(all, middle, end).high < least)
            end = middle;
        else
            first = middle;
    }
    return end;
}

static bool tell_dead(const schedule_listener *to, const gyre_schedule *all,
                      const schedule_stage *s) {
    char advice[256];
    int64_t begin = s->start + s->warmup, end = begin + s->n, half = begin + s->n / 2;
    if (s->n < 2) return false;
    double before = rates_of(all, begin, half).high, after = rates_of(all, half, end).high;
    double highest = before > after ? before : after;
    if (highest == 0) {
        schedule_tell(to, "%s: after the warm-up every rate is 0", s->where);
        return true;
    }
    if (!(after < dead * before)) return false;
    advise(all, s, advice, sizeof advice);
    schedule_tell(to, "%s: from step %lld of %lld on the rate is below %g of its highest, %.3g; %s",
                  s->where, (long long)(last_above(all, begin, end, dead * highest) - s->start),
                  (long long)(s->warmup + s->n), dead, highest, advice);
    return true;
}

static bool tell_still(const schedule_listener *to, const gyre_schedule *all,
                       const schedule_stage *s) {
    int64_t begin = s->start + s->warmup;
    range r = rates_of(all, begin, begin + s->n);
    unsigned reads = s->policy->reads, both = READS_BASE_LR | READS_MAX_LR;
    bool by_step = shrinks_by_step(s) && 1 - gyre_pow_int(s->set.gamma, s->n) < still;
    if (s->policy == &schedule_constant || s->n < 2) return false;
    if (!by_step && r.high - r.low > still * r.high) return false;
    if ((reads & both) == both && s->set.base_lr == s->set.max_lr) {
        schedule_tell(
            to,
            "%s: base_lr and max_lr are both %g, so the rate never moves; take bounds that "
            "differ, or policy \"constant\"",
            s->where, s->set.base_lr);
    } else if (by_step) {
        schedule_tell(
            to, "%s: gamma %.10g, the factor of a step, leaves %.4g %% after %lld; %s takes %.7g",
            s->where, s->set.gamma, 100 * gyre_pow_int(s->set.gamma, s->n), (long long)s->n, "1/10",
            gamma_for(0.1, (double)s->n));
    } else {
        schedule_tell(to, "%s: the rate never moves (%g to %g), which policy \"%s\" is for",
                      s->where, r.low, r.high, s->policy->name);
    }
    return true;
}

/* The peaks of a stage only ever become lower. */
static bool is_flat(const schedule_stage *s, int64_t cycle, double first) {
    schedule_span span = s->policy->span(s, cycle);
    return span.peak >= 0 && s->policy->at(s, span.peak).rise < flat * first;
}

static void tell_flat(const schedule_listener *to, const schedule_stage *s) {
    int64_t high = 0, low = schedule_stage_cycles(s) - 1, first = s->policy->span(s, 0).peak;
    if (!(s->policy->reads & READS_CYCLES) || low < 1 || first < 0) return;
    double rise = s->policy->at(s, first).rise;
    if (s->policy->span(s, low).peak < 0) low--; /* the run ends before it */
    if (!is_flat(s, low, rise)) return;
    while (low - high > 1) {
        int64_t middle = high + (low - high) / 2;
        if (is_flat(s, middle, rise))
            low = middle;
        else
            high = middle;
    }
    bool decays = s->set.peak_decay < 1;
    schedule_tell(
        to,
        "%s: from cycle %lld of %lld on the height is below %g %% of the first's; %s nearer to 1 "
        "than %g keeps it",
        s->where, (long long)(s->cycle + low + 1), (long long)(s->cycle + schedule_stage_cycles(s)),
        100 * flat, decays ? "a peak_decay" : "a gamma", decays ? s->set.peak_decay : s->set.gamma);
}

static void tell_unreached(const schedule_listener *to, const gyre_schedule *all,
                           const schedule_stage *s) {
    int64_t begin = s->start + s->warmup;
    double high = rates_of(all, begin, begin + s->n).high;
    if (!(s->policy->reads & READS_MAX_LR) || high >= 0.5 * s->set.max_lr) return;
    if (shrinks_by_step(s) && s->policy->span(s, 0).peak >= 0) {
        schedule_tell(
            to,
            "%s: the highest rate is %.3g, not max_lr %g: gamma %g, the factor of a step, shrinks "
            "the first cycle before its peak",
            s->where, high, s->set.max_lr, s->set.gamma);
        return;
    }
    schedule_tell(
        to, "%s: the highest rate is %.3g, not max_lr %g: its %lld steps end before the first peak",
        s->where, high, s->set.max_lr, (long long)s->n);
}

static void tell_warmup(const schedule_listener *to, const gyre_schedule *all,
                        const schedule_stage *s) {
    if (s->warmup == 0) return;
    int64_t begin = s->start + s->warmup;
    double high = rates_of(all, begin, begin + s->n).high;
    double from = gyre_schedule_at(all, s->start).lr, first = gyre_schedule_at(all, begin).lr;
    if (from < dead * high && first < dead * high) {
        schedule_tell(
            to,
            "%s.warmup: %lld steps from rate %g to %g, where the schedule begins (its highest is "
            "%g), train nothing; leave the warm-up out, or give a base_lr",
            s->where, (long long)s->warmup, from, first, high);
    } else if (s->warmup > s->n) {
        schedule_tell(to, "%s.warmup takes %lld of the %lld steps", s->where, (long long)s->warmup,
                      (long long)(s->warmup + s->n));
    }
}

void schedule_tell_rates(const schedule_listener *to, const gyre_schedule *all,
                         const schedule_stage *s, bool unfinished) {
    double high = rates_of(all, s->start, s->start + s->warmup + s->n).high;
    tell_warmup(to, all, s);
    if (high < GYRE_RATE_LIGHTEST) {
        schedule_tell(to, "%s: the highest rate is %g; 32-bit weights do not move by so little",
                      s->where, high);
    }
    if (tell_dead(to, all, s)) return;
    if (!unfinished && tell_still(to, all, s)) return;
    if (!unfinished) tell_unreached(to, all, s);
    tell_flat(to, s);
}
