/* What a user should know about a schedule that is possible, but perhaps not meant. */
#include "gyre/defaults.h"
#include "gyre/text.h"
#include "lengths.h"
#include "rates.h"
#include <math.h>
#include <stdio.h>

enum { CYCLE_STEPS_MIN = 4, KEYS_FITTED = 1 << 15 };

/* ---- the end of the run */

static void tell_end_of_fitted(const schedule_listener *to, const schedule_stage *s, double lr) {
    double cycles = 0.5 * (double)s->halves;
    if (s->halves == 1) {
        schedule_tell(
            to, "the run ends at its peak, with rate %g: take %s.cycles 1, or \"end\": \"low\"", lr,
            s->where);
        return;
    }
    schedule_tell(
        to,
        "the run ends at a peak, with rate %g: take %s.cycles %g or %g, or \"end\": \"low\" to add "
        "half a cycle",
        lr, s->where, cycles - 0.5, cycles + 0.5);
}

/* True when the run ends inside its first cycle, and that was told. */
static bool tell_end(const schedule_listener *to, const schedule_stage *s) {
    if (s->policy->period(s) == 0 || !s->policy->ends_high(s)) return false;
    schedule_point last = s->policy->at(s, s->n - 1);
    if (s->halves > 0) {
        tell_end_of_fitted(to, s, last.lr);
        return false;
    }
    if (s->policy->period_key == NULL) {
        schedule_tell(to, "the run ends with rate %g, near its peak", last.lr);
        return false;
    }
    schedule_stage longer = *s;
    longer.n = SCHEDULE_STEPS_MAX;
    long long before = s->warmup + s->policy->span(s, last.cycle).first;
    long long after = s->warmup + s->policy->span(&longer, last.cycle).last + 1;
    if (last.cycle == 0) {
        schedule_tell(
            to,
            "the run ends inside its first cycle, with rate %g: a %s of %lld steps would end at "
            "the minimum",
            last.lr, s->length_where, after);
        return true;
    }
    schedule_tell(
        to,
        "the run ends inside cycle %lld, with rate %g: a %s of %lld or %lld steps would end at a "
        "minimum",
        (long long)(s->cycle + last.cycle + 1), last.lr, s->length_where, before, after);
    return false;
}

/* ---- cycles and how often they are looked at */

static void tell_cycles(const schedule_listener *to, const schedule_stage *s) {
    double period = s->policy->period(s);
    if (s->half_added) {
        schedule_tell(
            to,
            "%s.cycles: %g cycles would end at the peak; half a cycle is added (%g cycles asked, "
            "%g run)",
            s->where, s->set.cycles, s->set.cycles, 0.5 * (double)s->halves);
    }
    if (period > 0 && period < CYCLE_STEPS_MIN) {
        schedule_tell(to, "%s: a cycle has only %.3g steps; with fewer than %d its form is lost",
                      s->where, period, CYCLE_STEPS_MIN);
    }
}

/* Each evaluation meets the same minimum, or a step beside it. */
static bool meets_minima(const gyre_schedule *all, const schedule_stage *s, int64_t interval) {
    int64_t begin = s->start + s->warmup, first = (begin / interval + 1) * interval;
    if (fmod((double)interval, s->policy->period(s)) != 0) return false;
    for (int64_t t = first - 1; t <= first + 1; t++) {
        if (gyre_schedule_is_minimum(all, t)) return true;
    }
    return false;
}

static void tell_interval(const schedule_listener *to, const gyre_schedule *all,
                          const schedule_stage *s, int64_t interval) {
    double period = s->policy->period(s);
    if (interval <= 0 || interval >= all->steps || period == 0 || schedule_stage_cycles(s) < 2)
        return;
    /* twice a cycle, to the whole step, is enough to see it */
    if (2 * (double)(interval - 1) < period || meets_minima(all, s, interval)) return;
    double quarter = floor(period / 4) < 1 ? 1 : floor(period / 4);
    schedule_tell(
        to,
        "evaluate.every: %lld steps against cycles of %.4g (%s) show waves that are not there; "
        "take at most %.0f step%s, or look at the minima alone (evaluate.minima)",
        (long long)interval, period, s->where, quarter, quarter == 1 ? "" : "s");
}

/* ---- keys without effect */

typedef struct {
    unsigned reader; /* READS_...: of the policies that read it */
    const char *key;
    bool given;
} key_use;

enum { KEYS = 20 };

/* Defaults cannot be told from the same values typed. max_lr is left out: it stays in a config
 * whose policy is set to a fixed rate for comparison. */
static int list_keys(const gyre_schedule_settings *s, key_use keys[KEYS]) {
    const key_use all[] = {
        {READS_BASE_LR, "base_lr", s->base_lr > 0},
        {READS_GAMMA, "gamma", s->gamma != GYRE_DEFAULT_GAMMA},
        {READS_CYCLES, "stepsize", s->stepsize.unit != GYRE_UNIT_NONE},
        {READS_CYCLES, "cycles", s->cycles > 0},
        {READS_SHAPE, "shape", s->shape != GYRE_DEFAULT_SHAPE},
        {READS_CYCLES, "start", s->start_high},
        {KEYS_FITTED, "end", s->end_low},
        {READS_CYCLES, "up_fraction", s->up_fraction != GYRE_DEFAULT_UP_FRACTION},
        {READS_CYCLES, "peak_decay", s->peak_decay != gyre_default_peak_decay(s->policy)},
        {READS_MOMENTUM, "momentum", s->cycle_momentum},
        {READS_T0, "t0", s->t0.unit != GYRE_UNIT_NONE},
        {READS_T0, "t_mult", s->t_mult != GYRE_DEFAULT_T_MULT},
        {READS_T0, "closed", s->closed},
        {READS_MILESTONES, "milestones", s->milestone_count > 0},
        {READS_DECAY_STEPS, "decay_steps", s->decay_steps.unit != GYRE_UNIT_NONE},
        {READS_HF_CYCLES, "hf_cycles", s->hf_cycles != GYRE_DEFAULT_HF_CYCLES},
        {READS_ONE_CYCLE, "one_cycle",
         s->one_cycle_form != GYRE_DEFAULT_ONE_CYCLE_FORM ||
             s->pct_start != GYRE_DEFAULT_PCT_START || s->div_factor != GYRE_DEFAULT_DIV_FACTOR ||
             s->final_div_factor != GYRE_DEFAULT_FINAL_DIV_FACTOR ||
             s->anneal != GYRE_DEFAULT_ANNEAL},
    };
    const int count = sizeof all / sizeof all[0];
    for (int i = 0; i < count; i++) keys[i] = all[i];
    return count;
}

/* One line for all keys that some stage gives and no stage reads. */
static void tell_unread(const schedule_listener *to, const gyre_schedule *all) {
    key_use keys[KEYS];
    char list[512] = "";
    unsigned read = 0;
    bool given[KEYS] = {false};
    int count = 0;
    for (int i = 0; i < all->count; i++) {
        const schedule_stage *s = &all->stages[i];
        read |= s->policy->reads | (s->halves > 0 ? KEYS_FITTED : 0);
        count = list_keys(&s->set, keys);
        for (int k = 0; k < count; k++) given[k] |= keys[k].given;
    }
    for (int k = 0; k < count; k++) {
        if (!given[k] || (keys[k].reader & read) != 0) continue;
        gyre_text_add(list, sizeof list, "%sschedule.%s", list[0] != '\0' ? ", " : "", keys[k].key);
    }
    if (list[0] == '\0') return;
    schedule_tell(to, "without effect %s: %s",
                  all->count == 1 ? "with this policy" : "in every stage", list);
}

/* True when the first one is beyond the stage, too. */
static bool tell_milestones(const schedule_listener *to, const schedule_stage *s) {
    if (!(s->policy->reads & READS_MILESTONES)) return false;
    double last = s->set.milestones[s->set.milestone_count - 1].value;
    if (last < (double)(s->warmup + s->n)) return false;
    schedule_tell(to, "%s.milestones: %.0f lies beyond the %lld steps of %s", s->where, last,
                  (long long)(s->warmup + s->n), s->length_where);
    return s->set.milestones[0].value >= (double)(s->warmup + s->n);
}

void gyre_schedule_rate_warnings(const gyre_schedule *s,
                                 void (*say)(void *context, const char *text), void *context) {
    const schedule_listener to = {say, context};
    const schedule_stage *end = &s->stages[s->count - 1];
    bool unfinished = end->cut == 0 && tell_end(&to, end);
    for (int i = 0; i < s->count; i++) {
        const schedule_stage *stage = &s->stages[i];
        if (stage->cut > 0) continue; /* left as it was: what it would have become is no matter */
        tell_cycles(&to, stage);
        bool never = tell_milestones(&to, stage);
        schedule_tell_rates(&to, s, stage, never || (unfinished && i == s->count - 1));
    }
}

void gyre_schedule_warnings(const gyre_schedule *s, int64_t metric_interval,
                            void (*say)(void *context, const char *text), void *context) {
    const schedule_listener to = {say, context};
    gyre_schedule_rate_warnings(s, say, context);
    for (int i = 0; i < s->count; i++) tell_interval(&to, s, &s->stages[i], metric_interval);
    tell_unread(&to, s);
}
