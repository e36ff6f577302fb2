/* The cycles of Smith's paper (arXiv:1506.01186): where a step lies between minimum and peak, as a
 * fraction of two integers, and the four policies that turn it into a rate.
 *
 * With a stepsize the period is given, and a step that is a minimum begins the next cycle. A period
 * need not be a whole number of steps: the k-th cycle begins at the whole step nearest to k
 * periods, so that no rounding adds up and a run of so many cycles ends with the last. With a
 * number of cycles the extremes are fitted into the stage, first and last step included, and a step
 * that is a minimum ends its cycle. In both, the peak that a step's half-cycle touches has the
 * number of the step's cycle. */
#include "policy.h"

#include "curve.h"
#include "gyre/realmath.h"
#include "lengths.h"
#include <math.h>

__extension__ typedef unsigned __int128 u128;

static const int64_t PARTS = 1000000; /* up_fraction is counted in millionths of a cycle */
enum { HALVES_LOOKED_AT = 1 << 20 };

/* a = num / den */
typedef struct {
    int64_t num, den, cycle;
} place;

/* ---- a given stepsize */

typedef struct {
    int64_t begin, up, down; /* in steps; the first one that starts high begins before u = 0 */
} cycle_steps;

static double given_period(const schedule_stage *s) {
    return 2 * s->set.stepsize.value;
}

static cycle_steps cut(const schedule_stage *s, int64_t begin, int64_t end) {
    int64_t steps = end - begin, up = (int64_t)floor((double)steps * s->set.up_fraction + 0.5);
    up = up < 1 ? 1 : up > steps - 1 ? steps - 1 : up;
    return (cycle_steps){begin, up, steps - up};
}

/* Steps between the first cycle's minimum and u = 0. */
static int64_t skipped(const schedule_stage *s) {
    if (!s->set.start_high) return 0;
    return cut(s, 0, schedule_nearest(given_period(s), -1)).up;
}

static int64_t boundary(const schedule_stage *s, int64_t cycle) {
    return schedule_nearest((double)cycle * given_period(s), s->n + skipped(s));
}

static cycle_steps cycle_steps_of(const schedule_stage *s, int64_t cycle) {
    return cut(s, boundary(s, cycle), boundary(s, cycle + 1));
}

static place place_of_stepsize(const schedule_stage *s, int64_t u) {
    int64_t v = u + skipped(s), cycle = (int64_t)((double)v / given_period(s));
    while (boundary(s, cycle) > v) cycle--;
    while (boundary(s, cycle + 1) <= v) cycle++;
    cycle_steps c = cycle_steps_of(s, cycle);
    int64_t r = v - c.begin;
    if (r <= c.up) return (place){r, c.up, cycle};
    return (place){c.up + c.down - r, c.down, cycle};
}

static schedule_span span_of_stepsize(const schedule_stage *s, int64_t cycle) {
    cycle_steps c = cycle_steps_of(s, cycle);
    int64_t begin = c.begin - skipped(s), peak = begin + c.up, end = peak + c.down;
    return (schedule_span){begin < 0 ? 0 : begin, peak < s->n ? peak : -1,
                           (end < s->n ? end : s->n) - 1, end <= s->n};
}

/* ---- fitted cycles: extremes b_0 = 0, b_1, ... b_H = n - 1 */

static int64_t rise_parts(const schedule_stage *s) {
    return (int64_t)floor((double)PARTS * s->set.up_fraction + 0.5);
}

/* How far, in parts of a cycle, extreme j lies from the first one. */
static int64_t parts_before(const schedule_stage *s, int64_t j) {
    int64_t rises = s->set.start_high ? j / 2 : (j + 1) / 2;
    int64_t rise = rise_parts(s);
    return rises * rise + (j - rises) * (PARTS - rise);
}

/* b_j, to the nearest step. 128 bits, since 1e15 parts meet 2^53 steps. */
static int64_t extreme(const schedule_stage *s, int64_t j) {
    u128 all = (u128)parts_before(s, s->halves), steps = (u128)(s->n - 1);
    return (int64_t)((2 * (u128)parts_before(s, j) * steps + all) / (2 * all));
}

/* The half-cycle j of a step: b_j < u <= b_{j+1}, and 0 for u = 0. */
static int64_t half_of(const schedule_stage *s, int64_t u) {
    int64_t least = 0, most = s->halves - 1;
    while (least < most) {
        int64_t middle = least + (most - least) / 2;
        if (extreme(s, middle + 1) >= u)
            most = middle;
        else
            least = middle + 1;
    }
    return least;
}

static place place_fitted(const schedule_stage *s, int64_t u) {
    int64_t j = half_of(s, u), from = extreme(s, j), to = extreme(s, j + 1);
    bool high = s->set.start_high, rising = (j % 2 == 0) != high;
    return (place){rising ? u - from : to - u, to - from, high ? (j + 1) / 2 : j / 2};
}

static schedule_span span_fitted(const schedule_stage *s, int64_t cycle) {
    bool high = s->set.start_high;
    int64_t peak = 2 * cycle + (high ? 0 : 1), end = peak + 1, begin = peak - 1;
    return (schedule_span){cycle == 0 ? 0 : extreme(s, begin) + 1,
                           peak <= s->halves ? extreme(s, peak) : -1,
                           extreme(s, end <= s->halves ? end : s->halves), end <= s->halves};
}

static bool fitted_ends_high(const schedule_stage *s) {
    return (s->halves % 2 != 0) != s->set.start_high;
}

/* ---- either */

static place place_of(const schedule_stage *s, int64_t u) {
    return s->halves > 0 ? place_fitted(s, u) : place_of_stepsize(s, u);
}

static schedule_span span(const schedule_stage *s, int64_t cycle) {
    return s->halves > 0 ? span_fitted(s, cycle) : span_of_stepsize(s, cycle);
}

static double period(const schedule_stage *s) {
    if (s->halves == 0) return given_period(s);
    return (double)(s->n - 1) * (double)PARTS / (double)parts_before(s, s->halves);
}

static bool ends_high(const schedule_stage *s) {
    if (s->halves > 0) return fitted_ends_high(s);
    place p = place_of_stepsize(s, s->n - 1); /* a > 1 / D */
    return (double)p.num / (double)p.den > 1 / (double)cycle_steps_of(s, p.cycle).down;
}

static double steps_of(const schedule_stage *s, double cycles) {
    if (s->set.stepsize.unit == GYRE_UNIT_NONE) return 0;
    return fmax(1, floor(cycles * given_period(s) + 0.5));
}

/* ---- what cannot be */

/* All extremes on different steps? Only where the shorter half has less than a step on average can
 * two of them meet; of a million and more halves that is not looked into any further. */
static bool extremes_differ(const schedule_stage *s) {
    int64_t rise = rise_parts(s), least = rise < PARTS - rise ? rise : PARTS - rise;
    if ((u128)least * (u128)(s->n - 1) >= (u128)parts_before(s, s->halves)) return true;
    if (s->halves > HALVES_LOOKED_AT) return false;
    for (int64_t j = 0, at = 0; j < s->halves; j++) {
        int64_t next = extreme(s, j + 1);
        if (next == at) return false;
        at = next;
    }
    return true;
}

/* The most halves up to `halves` that end as they are to: an end that is low may take one away. */
static int64_t ending_halves(const schedule_stage *s, int64_t halves) {
    schedule_stage fewer = *s;
    fewer.halves = halves;
    return s->set.end_low && fitted_ends_high(&fewer) ? halves - 1 : halves;
}

static gyre_status check_extremes(const schedule_stage *s) {
    int64_t most = ending_halves(s, s->n - 1);
    if (most < 1) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s.cycles: %g cycles need at least %lld steps after the warm-up, found "
                         "%lld; make the length that long",
                         s->where, 0.5 * (double)s->halves, (long long)s->halves + 1,
                         (long long)s->n);
    }
    if (most < s->halves) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s.cycles: %g cycles need at least %lld steps after the warm-up, found "
                         "%lld; make the length that long, or take at most %g cycle%s",
                         s->where, 0.5 * (double)s->halves, (long long)s->halves + 1,
                         (long long)s->n, 0.5 * (double)most, most == 2 ? "" : "s");
    }
    if (extremes_differ(s)) return GYRE_OK;
    schedule_stage fewer = *s;
    while (fewer.halves > 2 && !extremes_differ(&fewer)) fewer.halves -= 1 + fewer.halves / 64;
    fewer.halves = ending_halves(s, fewer.halves);
    if (fewer.halves < 1 || !extremes_differ(&fewer)) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s.up_fraction: %g leaves less than a step to the rise or the fall (%lld "
                         "steps after the warm-up); take a value nearer to 0.5, or a greater "
                         "length",
                         s->where, s->set.up_fraction, (long long)s->n);
    }
    return gyre_fail(GYRE_EUSAGE,
                     "%s.cycles: with up_fraction %g, %g cycles in %lld steps leave less than a "
                     "step to a rise or fall; %g cycle%s fit, or take an up_fraction nearer to 0.5",
                     s->where, s->set.up_fraction, 0.5 * (double)s->halves, (long long)s->n,
                     0.5 * (double)fewer.halves, fewer.halves == 2 ? "" : "s");
}

static gyre_status check_fitted(schedule_stage *s) {
    double halves = 2 * s->set.cycles;
    if (halves != floor(halves)) {
        double below = 0.5 * floor(halves);
        if (below < 0.5) below = 0.5;
        return gyre_fail(GYRE_EUSAGE,
                         "%s.cycles: expected whole or half cycles, found %.9g; the nearest are "
                         "%g and %g",
                         s->where, s->set.cycles, below, below + 0.5);
    }
    s->halves = (int64_t)halves;
    s->half_added = s->set.end_low && fitted_ends_high(s);
    if (s->half_added) s->halves++;
    return check_extremes(s);
}

static gyre_status check(schedule_stage *s) {
    if (s->policy->reads & READS_GAMMA) GYRE_TRY(schedule_check_gamma(s, "step", "triangular"));
    bool stepsize = s->set.stepsize.unit != GYRE_UNIT_NONE;
    if (stepsize && s->set.cycles > 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s.cycles: %g cycles and a stepsize of %.10g steps exclude each other; "
                         "take one away, as by --set schedule.stepsize=null",
                         s->where, s->set.cycles, s->set.stepsize.value);
    }
    if (!stepsize && s->set.cycles == 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: %s needs \"cycles\": 5 (fitted into the length) or \"stepsize\": "
                         "{\"epochs\": 4} (half a cycle)",
                         s->where, s->policy->name);
    }
    return stepsize ? GYRE_OK : check_fitted(s);
}

/* ---- the rate */

static double peak_height(const schedule_stage *s, int64_t k) {
    if (k == 0 || s->set.peak_decay == 1) return 1;
    return s->set.peak_decay > 0 ? gyre_pow_int(s->set.peak_decay, k) : 0;
}

/* The amplitude shrinks by `shrink`, the whole rate by `scale`. */
static schedule_point rate(const schedule_stage *s, int64_t u, double shrink, double scale) {
    place p = place_of(s, u);
    double near = (double)p.num, width = (double)p.den, far = (double)(p.den - p.num);
    double height = peak_height(s, p.cycle) * shrink;
    double rise = height * schedule_window(s->set.shape, near, far, width);
    double lr = scale * schedule_between(s->set.base_lr, s->set.max_lr, rise);
    return (schedule_point){lr, height * (near / width), p.cycle};
}

static schedule_point triangular_at(const schedule_stage *s, int64_t u) {
    return rate(s, u, 1, 1);
}
static schedule_point exp_range_at(const schedule_stage *s, int64_t u) {
    return rate(s, u, 1, gyre_pow_int(s->set.gamma, u));
}
static schedule_point exp_range_amplitude_at(const schedule_stage *s, int64_t u) {
    return rate(s, u, gyre_pow_int(s->set.gamma, u), 1);
}

#define TRIANGLE(words, more, at_function)                                                         \
    {                                                                                              \
        .name = words,                                                                             \
        .reads =                                                                                   \
            READS_BASE_LR | READS_MAX_LR | READS_CYCLES | READS_SHAPE | READS_MOMENTUM | (more),   \
        .period_key = "stepsize", .complete = schedule_no_defaults, .check = check,                \
        .at = at_function, .period = period, .span = span, .steps_of = steps_of,                   \
        .ends_high = ends_high                                                                     \
    }

const schedule_policy schedule_triangular = TRIANGLE("triangular", 0, triangular_at);
/* Differs by its default of peak_decay alone. */
const schedule_policy schedule_triangular2 = TRIANGLE("triangular2", 0, triangular_at);
const schedule_policy schedule_exp_range = TRIANGLE("exp_range", READS_GAMMA, exp_range_at);
const schedule_policy schedule_exp_range_amplitude =
    TRIANGLE("exp_range_amplitude", READS_GAMMA, exp_range_amplitude_at);
