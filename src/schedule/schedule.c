/* A schedule is a row of stages, one when the config names none. Which stage a step lies in, its
 * warm-up, its momentum and the numbers of its cycles are decided here, once for all policies. */
#include "stage.h"

#include "lengths.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- from settings */

static gyre_status cut(schedule_stage *s, const gyre_length *at) {
    if (at->unit == GYRE_UNIT_NONE) return GYRE_OK;
    if (at->value < (double)schedule_stage_steps(s)) {
        s->cut = (int64_t)at->value;
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EUSAGE,
                     "%s.cut: expected less than the stage's %lld steps, found %.0f; leave it out "
                     "for a whole stage",
                     s->where, (long long)schedule_stage_steps(s), at->value);
}

static gyre_status add_stage(gyre_schedule *s, const gyre_schedule_settings *set,
                             const gyre_length *length, const gyre_length *cut_at,
                             int64_t steps_per_epoch, bool named) {
    schedule_stage *stage = &s->stages[s->count];
    stage->start = s->steps;
    snprintf(stage->where, sizeof stage->where, named ? "schedule.stages[%d]" : "schedule",
             s->count);
    snprintf(stage->length_where, sizeof stage->length_where,
             named ? "schedule.stages[%d].length" : "length", s->count);
    GYRE_TRY(schedule_stage_make(stage, set, length, steps_per_epoch));
    GYRE_TRY(cut(stage, cut_at));
    int64_t cycles = schedule_stage_cycles(stage);
    /* A stage without cycles keeps the number of the last one before it. */
    stage->cycle = cycles > 0 || s->cycles == 0 ? s->cycles : s->cycles - 1;
    s->cycles += cycles;
    s->steps += schedule_stage_steps(stage);
    s->count++;
    if (s->steps <= SCHEDULE_STEPS_MAX) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "%s: the stages have more than 2^53 - 1 steps",
                     stage->length_where);
}

static gyre_status check_outer_length(const gyre_schedule *s, const gyre_length *length,
                                      int64_t steps_per_epoch) {
    if (length->unit == GYRE_UNIT_NONE) return GYRE_OK;
    double steps = length->value;
    if (length->unit == GYRE_UNIT_EPOCHS) {
        steps = (double)gyre_steps_of_epochs(length->value, steps_per_epoch);
    }
    if (length->unit != GYRE_UNIT_CYCLES && steps == (double)s->steps) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "length: expected the %lld steps of the stages together, or none, found %.0f "
                     "%s",
                     (long long)s->steps, steps,
                     length->unit == GYRE_UNIT_CYCLES ? "cycles" : "steps");
}

/* A rate above 0 is met in one of these steps: the first three, where a rise begins and a warm-up
 * ends, or else in the middle or at the end. */
static bool all_zero(const gyre_schedule *s, const schedule_stage *stage) {
    int64_t begin = stage->start + stage->warmup, last = begin + stage->n - 1;
    const int64_t steps[] = {stage->start, begin, begin + 1, begin + stage->n / 2, last};
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        if (steps[i] <= last && gyre_schedule_at(s, steps[i]).lr > 0) return false;
    }
    return true;
}

/* A forgotten max_lr would cost hours, also of one stage. */
static gyre_status check_not_zero(const gyre_schedule *s) {
    for (int i = 0; i < s->count; i++) {
        const schedule_stage *stage = &s->stages[i];
        bool max = (stage->policy->reads & READS_MAX_LR) != 0;
        if (stage->cut > 0 || !all_zero(s, stage)) continue;
        if ((max ? stage->set.max_lr : stage->set.base_lr) > 0) {
            return gyre_fail(GYRE_EUSAGE,
                             "%s: the rate of all its %lld steps is 0; make it longer, or base_lr "
                             "greater than 0",
                             stage->length_where, (long long)schedule_stage_steps(stage));
        }
        return gyre_fail(GYRE_EUSAGE,
                         "%s.%s: expected a number above 0, found 0 or none; the rate of every "
                         "step%s would be 0",
                         stage->where, max ? "max_lr" : "base_lr",
                         s->count > 1 ? " of this stage" : "");
    }
    return GYRE_OK;
}

static gyre_status fill(gyre_schedule *s, const gyre_schedule_settings *settings,
                        const gyre_length *length, int64_t steps_per_epoch) {
    if (settings->stage_count == 0) {
        const gyre_length whole = {GYRE_UNIT_NONE, 0};
        GYRE_TRY(add_stage(s, settings, length, &whole, steps_per_epoch, false));
        return check_not_zero(s);
    }
    for (int i = 0; i < settings->stage_count; i++) {
        const gyre_stage_settings *stage = &settings->stages[i];
        GYRE_TRY(
            add_stage(s, &stage->schedule, &stage->length, &stage->cut, steps_per_epoch, true));
    }
    GYRE_TRY(check_outer_length(s, length, steps_per_epoch));
    return check_not_zero(s);
}

const char *gyre_schedule_rate_key(const gyre_schedule *s, int64_t t,
                                   char out[GYRE_RATE_KEY_SIZE]) {
    int i = 0;
    while (i + 1 < s->count && s->stages[i + 1].start <= t) i++;
    const schedule_stage *stage = &s->stages[i];
    snprintf(out, GYRE_RATE_KEY_SIZE, "%s.%s", stage->where,
             stage->policy->reads & READS_MAX_LR ? "max_lr" : "base_lr");
    return out;
}

gyre_status gyre_schedule_open(const gyre_schedule_settings *settings, const gyre_length *length,
                               double momentum, int64_t steps_per_epoch, gyre_schedule **out) {
    size_t room = settings->stage_count > 0 ? (size_t)settings->stage_count : 1;
    gyre_schedule *s = calloc(1, sizeof *s + room * sizeof s->stages[0]);
    if (s == NULL) return gyre_no_memory("the schedule");
    s->momentum = momentum;
    s->steps_per_epoch = steps_per_epoch;
    gyre_status status = fill(s, settings, length, steps_per_epoch);
    if (status != GYRE_OK) {
        free(s);
        return status;
    }
    *out = s;
    return GYRE_OK;
}

void gyre_schedule_close(gyre_schedule *s) {
    free(s);
}

gyre_status gyre_schedule_resolve(gyre_schedule_settings *settings, gyre_length *length,
                                  int64_t steps_per_epoch) {
    gyre_schedule *s;
    gyre_schedule_settings outer = *settings;
    GYRE_TRY(schedule_in_steps(&outer, steps_per_epoch, "schedule"));
    GYRE_TRY(gyre_schedule_open(settings, length, 0, steps_per_epoch, &s));
    *length = (gyre_length){GYRE_UNIT_STEPS, (double)s->steps};
    for (int i = 0; i < settings->stage_count; i++) {
        const schedule_stage *made = &s->stages[i];
        gyre_stage_settings stage = {.length = {GYRE_UNIT_STEPS, (double)(made->warmup + made->n)},
                                     .schedule = made->set};
        if (made->cut > 0) stage.cut = (gyre_length){GYRE_UNIT_STEPS, (double)made->cut};
        settings->stages[i] = stage;
    }
    /* Without stages, the one that was made: with the defaults that depend on the length. */
    *settings = settings->stage_count > 0 ? outer : s->stages[0].set;
    gyre_schedule_close(s);
    return GYRE_OK;
}

/* ---- the rate of a step */

int64_t gyre_schedule_steps(const gyre_schedule *s) {
    return s->steps;
}

static double momentum_of(const gyre_schedule *s, const schedule_stage *stage, double rise) {
    const gyre_schedule_settings *set = &stage->set;
    if (!set->cycle_momentum || !(stage->policy->reads & READS_MOMENTUM)) return s->momentum;
    if (rise <= 0) return set->momentum_max;
    double m = set->momentum_max - (set->momentum_max - set->momentum_min) * rise;
    return rise < 1 && m > set->momentum_min ? m : set->momentum_min;
}

/* from at t = 0, `to` at t = steps; a weighted mean, so that falling to a small rate is accurate
 * too. */
static double warm(double from, double to, int64_t t, int64_t steps) {
    if (t == 0) return from;
    return (from * (double)(steps - t) + to * (double)t) / (double)steps;
}

gyre_rate gyre_schedule_at(const gyre_schedule *s, int64_t t) {
    if (t >= s->steps) t = s->steps - 1;
    const schedule_stage *stage = &s->stages[s->count - 1];
    while (t < stage->start) stage--;
    int64_t u = t - stage->start - stage->warmup;
    schedule_point p = stage->policy->at(stage, u < 0 ? 0 : u);
    double lr = u < 0 ? warm(stage->set.warmup_from, p.lr, u + stage->warmup, stage->warmup) : p.lr;
    return (gyre_rate){lr, momentum_of(s, stage, p.rise), stage->cycle + p.cycle};
}

/* ---- the list of cycles */

size_t gyre_schedule_cycle_count(const gyre_schedule *s) {
    return (size_t)s->cycles;
}

/* The last cycle of a stage that is cut. */
static void cut_span(const schedule_stage *s, schedule_span *span) {
    int64_t last = schedule_stage_steps(s) - s->warmup - 1;
    if (span->last <= last) return;
    span->last = last;
    span->complete = false;
    if (span->peak > last) span->peak = -1;
}

gyre_cycle gyre_schedule_cycle(const gyre_schedule *s, size_t index) {
    const schedule_stage *stage = &s->stages[s->count - 1];
    while (stage > s->stages &&
           (stage->policy->period(stage) == 0 || (int64_t)index < stage->cycle)) {
        stage--;
    }
    schedule_span span = stage->policy->span(stage, (int64_t)index - stage->cycle);
    cut_span(stage, &span);
    int64_t begin = stage->start + stage->warmup;
    const int64_t turns[] = {span.first, span.last, span.peak};
    gyre_cycle c = {
        begin + span.first, span.peak < 0 ? -1 : begin + span.peak, begin + span.last, 0, 0,
        span.complete};
    for (int i = 0; i < (span.peak < 0 ? 2 : 3); i++) {
        double lr = stage->policy->at(stage, turns[i]).lr;
        if (i == 0 || lr < c.low) c.low = lr;
        if (i == 0 || lr > c.high) c.high = lr;
    }
    return c;
}

bool gyre_schedule_is_minimum(const gyre_schedule *s, int64_t completed) {
    if (completed < 1 || completed > s->steps) return false;
    const schedule_stage *stage = &s->stages[s->count - 1];
    while (completed - 1 < stage->start) stage--;
    int64_t u = completed - 1 - stage->start - stage->warmup;
    if (u < 0 || stage->policy->period(stage) == 0) return false;
    schedule_span span = stage->policy->span(stage, stage->policy->at(stage, u).cycle);
    return span.complete && span.last == u;
}
