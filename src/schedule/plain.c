/* Policies without cycles: constant, linear, wsd, multistep and exp. */
#include "policy.h"

#include "curve.h"
#include "gyre/realmath.h"

static gyre_status nothing_to_check(schedule_stage *s) {
    (void)s;
    return GYRE_OK;
}
static double no_period(const schedule_stage *s) {
    (void)s;
    return 0;
}
static schedule_span no_span(const schedule_stage *s, int64_t cycle) {
    (void)cycle;
    return (schedule_span){0, -1, s->n - 1, false};
}
static bool never_high(const schedule_stage *s) {
    (void)s;
    return false;
}

static schedule_point constant_at(const schedule_stage *s, int64_t u) {
    (void)u;
    return (schedule_point){s->set.base_lr, 0, 0};
}

/* From max_lr at u = 0 to base_lr at the last step. */
static schedule_point linear_at(const schedule_stage *s, int64_t u) {
    double width = (double)(s->n - 1), far = (double)u;
    double rise = width > 0 ? schedule_window(GYRE_SHAPE_LINEAR, width - far, far, width) : 1;
    return (schedule_point){schedule_between(s->set.base_lr, s->set.max_lr, rise), rise, 0};
}

/* Warm-up, stable, decay (Hu et al. 2024, arXiv 2404.06395; Haegele et al. 2024, arXiv 2405.18392):
 * max_lr, and in the last decay_steps steps down to base_lr, by the shape of a fall. */
static schedule_point wsd_at(const schedule_stage *s, int64_t u) {
    double width = s->set.decay_steps.value, far = (double)(u - (s->n - 1)) + width;
    double rise = far > 0 ? schedule_window(s->set.shape, width - far, far, width) : 1;
    return (schedule_point){schedule_between(s->set.base_lr, s->set.max_lr, rise), rise, 0};
}

/* A fifth of the steps, unless decay_steps says otherwise. */
static void wsd_complete(schedule_stage *s, int64_t steps) {
    if (s->set.decay_steps.unit != GYRE_UNIT_NONE || steps <= 0) return;
    s->set.decay_steps = (gyre_length){GYRE_UNIT_STEPS, steps < 10 ? 1 : (double)(steps / 5)};
}

static gyre_status wsd_check(schedule_stage *s) {
    if (s->set.decay_steps.value <= (double)s->n) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%s.decay_steps: %.0f steps of decay do not fit into the %lld steps after the "
                     "warm-up",
                     s->where, s->set.decay_steps.value, (long long)s->n);
}

static schedule_point exp_at(const schedule_stage *s, int64_t u) {
    return (schedule_point){s->set.base_lr * gyre_pow_int(s->set.gamma, u), 0, 0};
}

/* PyTorch's MultiStepLR: the step that is a milestone already has the lower rate. Milestones are
 * moments of the stage, so the warm-up counts in them. */
static schedule_point multistep_at(const schedule_stage *s, int64_t u) {
    int passed = 0;
    while (passed < s->set.milestone_count &&
           (int64_t)s->set.milestones[passed].value <= u + s->warmup) {
        passed++;
    }
    return (schedule_point){s->set.base_lr * gyre_pow_int(s->set.gamma, passed), 0, 0};
}

static gyre_status exp_check(schedule_stage *s) {
    return schedule_check_gamma(s, "step", "constant");
}

static gyre_status multistep_check(schedule_stage *s) {
    if (s->set.milestone_count > 0) return schedule_check_gamma(s, "milestone", "constant");
    return gyre_fail(GYRE_EUSAGE,
                     "%s.milestones: multistep needs them; add \"milestones\": {\"epochs\": [60, "
                     "80]}, or take policy \"constant\"",
                     s->where);
}

#define PLAIN(words, caption, keys, complete_function, check_function, at_function)                \
    {                                                                                              \
        .name = words, .title = caption, .reads = keys, .complete = complete_function,             \
        .check = check_function, .at = at_function, .period = no_period, .span = no_span,          \
        .steps_of = schedule_no_steps, .ends_high = never_high                                     \
    }

const schedule_policy schedule_constant =
    PLAIN("constant", "constant rate", READS_BASE_LR, schedule_no_defaults, nothing_to_check,
          constant_at);
const schedule_policy schedule_linear =
    PLAIN("linear", "linear decay", READS_BASE_LR | READS_MAX_LR | READS_MOMENTUM,
          schedule_no_defaults, nothing_to_check, linear_at);
const schedule_policy schedule_wsd =
    PLAIN("wsd", "warm-up, stable, decay",
          READS_BASE_LR | READS_MAX_LR | READS_DECAY_STEPS | READS_SHAPE | READS_MOMENTUM,
          wsd_complete, wsd_check, wsd_at);
const schedule_policy schedule_exp = PLAIN("exp", "exponential decay", READS_BASE_LR | READS_GAMMA,
                                           schedule_no_defaults, exp_check, exp_at);
const schedule_policy schedule_multistep =
    PLAIN("multistep", NULL, READS_BASE_LR | READS_GAMMA | READS_MILESTONES, schedule_no_defaults,
          multistep_check, multistep_at);
