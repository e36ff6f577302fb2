/* A stage from its settings: lengths in steps, the number of steps, and what cannot be. */
#include "stage.h"

#include "lengths.h"
#include <math.h>

#define ROW(name, NAME) [GYRE_POLICY_##NAME] = &schedule_##name,
static const schedule_policy *const policies[GYRE_POLICY_COUNT] = {GYRE_POLICIES(ROW)};

const char *gyre_schedule_policy_title(gyre_policy policy) {
    const schedule_policy *p = policies[policy];
    return p->title != NULL ? p->title : p->name;
}

bool gyre_schedule_counts_cycles(gyre_policy policy) {
    return (policies[policy]->reads & READS_CYCLES) != 0;
}

const char *gyre_schedule_single_rate(const gyre_schedule_settings *settings, bool open) {
    for (int i = 0; i < settings->stage_count || (i == 0 && settings->stage_count == 0); i++) {
        const gyre_schedule_settings *s =
            settings->stage_count == 0 ? settings : &settings->stages[i].schedule;
        if (open && s->base_lr != GYRE_RATE_FIND) continue;
        if (!(policies[s->policy]->reads & READS_MAX_LR)) return policies[s->policy]->name;
    }
    return NULL;
}

int64_t schedule_stage_steps(const schedule_stage *s) {
    return s->cut > 0 ? s->cut : s->warmup + s->n;
}

int64_t schedule_stage_cycles(const schedule_stage *s) {
    int64_t last = schedule_stage_steps(s) - s->warmup - 1;
    if (last < 0 || s->policy->period(s) == 0) return 0;
    return s->policy->at(s, last).cycle + 1;
}

/* {"cycles": 5}: so many cycles of a known length, after the warm-up. */
static gyre_status steps_of_cycles(const schedule_stage *s, double cycles, double *out) {
    const schedule_policy *p = s->policy;
    *out = p->steps_of(s, cycles);
    if (*out > 0) return GYRE_OK;
    if ((p->reads & READS_CYCLES) && s->set.cycles > 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: a length of %g cycles and %s.cycles %g exclude each other; give the "
                         "length in steps or epochs, or a stepsize instead of %s.cycles",
                         s->length_where, cycles, s->where, s->set.cycles, s->where);
    }
    if (p->period_key == NULL) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: policy %s has no cycles of a known length; give it in steps or "
                         "epochs, found %g cycles",
                         s->length_where, p->name, cycles);
    }
    return gyre_fail(GYRE_EUSAGE,
                     "%s: how long %g cycles are is not known; give %s.%s, or the length in steps "
                     "or epochs",
                     s->length_where, cycles, s->where, p->period_key);
}

static gyre_status check_length(const schedule_stage *s, double steps) {
    if (steps > (double)SCHEDULE_STEPS_MAX) {
        return gyre_fail(GYRE_EUSAGE, "%s: expected at most 2^53 - 1 steps, found more",
                         s->length_where);
    }
    if (s->warmup > 0 && s->start > 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s.warmup: only the first stage can have a warm-up, found %lld steps; "
                         "take it away, or make a stage of it",
                         s->where, (long long)s->warmup);
    }
    if ((double)s->warmup >= steps) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s.warmup: expected less than the %.0f steps of %s, found %lld", s->where,
                         steps, s->length_where, (long long)s->warmup);
    }
    return GYRE_OK;
}

static gyre_status find_steps(schedule_stage *s, const gyre_length *length,
                              int64_t steps_per_epoch) {
    double steps = length->unit == GYRE_UNIT_STEPS ? length->value : 0;
    if (length->unit == GYRE_UNIT_NONE) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: missing; add \"length\": {\"epochs\": 10}, or in steps or cycles",
                         s->length_where);
    }
    if (length->unit == GYRE_UNIT_EPOCHS) {
        if (steps_per_epoch < 1) {
            return gyre_fail(GYRE_EUSAGE,
                             "%s: %g epochs, but the steps of an epoch are not known; give it in "
                             "steps",
                             s->length_where, length->value);
        }
        steps = (double)gyre_steps_of_epochs(length->value, steps_per_epoch);
    }
    s->policy->complete(s, (int64_t)fmin(steps, (double)SCHEDULE_STEPS_MAX));
    s->warmup = s->set.warmup.unit == GYRE_UNIT_STEPS ? (int64_t)s->set.warmup.value : 0;
    if (length->unit == GYRE_UNIT_CYCLES) {
        GYRE_TRY(steps_of_cycles(s, length->value, &steps));
        steps += (double)s->warmup;
    }
    GYRE_TRY(check_length(s, steps));
    s->n = (int64_t)steps - s->warmup;
    return GYRE_OK;
}

static gyre_status check_bounds(const schedule_stage *s) {
    if (s->set.base_lr == GYRE_RATE_FIND || s->set.max_lr == GYRE_RATE_FIND) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s.%s: \"find\" is no rate yet; `gyre train` looks for it before it "
                         "trains, and `gyre find CONFIG --write NEW.json` puts it into a config",
                         s->where, s->set.base_lr == GYRE_RATE_FIND ? "base_lr" : "max_lr");
    }
    const unsigned both = READS_BASE_LR | READS_MAX_LR;
    if ((s->policy->reads & both) != both || s->set.base_lr <= s->set.max_lr) return GYRE_OK;
    if (s->set.max_lr == 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s.max_lr: %s needs a number of at least base_lr %g, found 0 or none",
                         s->where, s->policy->name, s->set.base_lr);
    }
    return gyre_fail(GYRE_EUSAGE, "%s.base_lr: %g is above max_lr %g; exchange them", s->where,
                     s->set.base_lr, s->set.max_lr);
}

gyre_status schedule_stage_make(schedule_stage *s, const gyre_schedule_settings *set,
                                const gyre_length *length, int64_t steps_per_epoch) {
    s->set = *set;
    s->set.stages = NULL;
    s->set.stage_count = 0;
    s->policy = policies[set->policy];
    GYRE_TRY(schedule_in_steps(&s->set, steps_per_epoch, s->where));
    GYRE_TRY(find_steps(s, length, steps_per_epoch));
    GYRE_TRY(check_bounds(s));
    return s->policy->check(s);
}

gyre_length gyre_schedule_warmup(const gyre_schedule_settings *settings, int64_t steps) {
    schedule_stage stage = {.set = *settings};
    if (settings->policy == GYRE_POLICY_HF_COSINE) schedule_hf_cosine.complete(&stage, steps);
    return stage.set.warmup;
}
