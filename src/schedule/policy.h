/* One stage of a schedule, and what a policy tells about it. Internal to src/schedule.
 *
 * A schedule without stages has one. u = 0..n-1 counts a stage's steps after its warm-up; every
 * policy is a set of pure functions of u. */
#ifndef SCHEDULE_POLICY_H
#define SCHEDULE_POLICY_H

#include "gyre/schedule.h"

typedef struct schedule_policy schedule_policy;

typedef struct {
    gyre_schedule_settings set; /* lengths in steps (stepsize and t0 with fractions), no stages */
    const schedule_policy *policy;
    char where[32];        /* "schedule" or "schedule.stages[3]", for messages */
    char length_where[40]; /* the same of its length */
    int64_t start;         /* the run's step with which the stage begins */
    int64_t warmup, n;     /* steps of the warm-up, and those after it */
    int64_t cut;           /* the stage ends after so many steps, warm-up included; 0: at its end */
    int64_t cycle;         /* number of its first cycle in the run */
    int64_t halves;        /* triangular family, cycles fitted: half-cycles in 0..n-1; else 0 */
    bool half_added;       /* by "end": "low" */
} schedule_stage;

typedef struct {
    double lr;
    double rise;   /* 0..1: what the momentum follows, downwards */
    int64_t cycle; /* from 0 in the stage */
} schedule_point;

/* A cycle of a stage, in u. Where the stage ends before it, last is n-1, and peak may be -1. */
typedef struct {
    int64_t first, peak, last;
    bool complete;
} schedule_span;

/* The keys of "schedule" that a policy reads. */
enum {
    READS_BASE_LR = 1 << 0,
    READS_MAX_LR = 1 << 1,
    READS_GAMMA = 1 << 2,
    READS_CYCLES = 1 << 3, /* cycles, stepsize, start, end, up_fraction, peak_decay */
    READS_T0 = 1 << 4,     /* t0, t_mult, closed */
    READS_MILESTONES = 1 << 5,
    READS_DECAY_STEPS = 1 << 6,
    READS_HF_CYCLES = 1 << 7,
    READS_ONE_CYCLE = 1 << 8,
    READS_MOMENTUM = 1 << 9,
    READS_SHAPE = 1 << 10
};

struct schedule_policy {
    const char *name;
    const char *title; /* in the caption of a figure; NULL: the name */
    unsigned reads;
    const char *period_key; /* the key that makes a cycle's steps known; NULL: none does */
    /* Lengths that depend on others: fills set.decay_steps and the like. `steps` is the stage's
     * length, 0 while that is to be found from a number of cycles. */
    void (*complete)(schedule_stage *s, int64_t steps);
    /* What cannot be, once n is known; fills halves. */
    gyre_status (*check)(schedule_stage *s);
    schedule_point (*at)(const schedule_stage *s, int64_t u);
    /* Steps of the shortest cycle; 0 when the policy has no cycles (then the rest is not asked). */
    double (*period)(const schedule_stage *s);
    schedule_span (*span)(const schedule_stage *s, int64_t cycle);
    /* Steps, after the warm-up, of so many cycles; 0 when that is not known. */
    double (*steps_of)(const schedule_stage *s, double cycles);
    /* The last step is more than one step away from a minimum. */
    bool (*ends_high)(const schedule_stage *s);
};

#define SCHEDULE_POLICY(name, NAME) extern const schedule_policy schedule_##name;
GYRE_POLICIES(SCHEDULE_POLICY)
#undef SCHEDULE_POLICY

/* GYRE_EUSAGE where a policy that reads gamma was given none below 1: `by` is a factor per "step"
 * or "milestone", `plain` the policy that does without. */
gyre_status schedule_check_gamma(const schedule_stage *s, const char *by, const char *plain);

/* For policies where no length depends on another, and where no cycle has a length of its own. */
void schedule_no_defaults(schedule_stage *s, int64_t steps);
double schedule_no_steps(const schedule_stage *s, double cycles);

#endif
