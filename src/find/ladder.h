/* Which trial comes next: a pure function of those that are done, so that a search goes on where it
 * was left, and is the same on any number of ranks. Internal to src/find.
 *
 * Successive halving (Jamieson and Talwalkar, "Non-stochastic best arm identification and
 * hyperparameter optimization", AISTATS 2016) over a ladder of max_lr in steps of 4: each rate with
 * a short cycle; the best two, and half and twice the best, with cycles of twice the length; the
 * best three of these with four times it. All rates of a rung have the same seeds: the same initial
 * weights, order and augmentation. Then, for the best rate alone, other ratios to base_lr and more
 * cycles. */
#ifndef GYRE_FIND_LADDER_H
#define GYRE_FIND_LADDER_H

#include "gyre/find.h"

enum {
    FIND_LADDER_STEP = 4,      /* ratio of neighbours */
    FIND_LADDER_RATES_MAX = 7, /* as it is planned; a wider range has larger steps */
    FIND_LADDER_MORE = 2,      /* rates beyond an end of it, where the best one stands there */
    FIND_LADDER_FINALISTS = 3,
    FIND_LADDER_LONGEST = 4, /* times the steps of the first rung */
    FIND_LADDER_STEPS_LEAST = 16
};
#define FIND_LADDER_RATIO 10 /* max_lr / base_lr, until others are tried */

typedef struct {
    const gyre_metric *metric;
    int64_t scored;   /* samples, of each trial; 0: none */
    double low, high; /* max_lr of the ends */
    int rates;
    int64_t steps; /* of a trial of the first rung */
    int seeds;     /* of the last rung */
    bool cycles;   /* more than one cycle is tried */
} find_ladder;

/* The ladder around what the sweeps say, and lengths that fit into `steps` steps in all;
 * run_cycle: steps of a cycle of the run that the range is for, no trial is longer; 0: unknown. */
find_ladder find_ladder_plan(const gyre_find *f, int64_t steps, int64_t run_cycle);
/* The most steps that its trials may take. */
int64_t find_ladder_cost(const find_ladder *l);
/* The fewest that find_ladder_plan() may be given. */
int64_t find_ladder_least(void);

/* The next trial, its results zero; false: there is none. */
bool find_ladder_next(const find_ladder *l, const gyre_find_cycle *done, size_t count,
                      gyre_find_cycle *next);

/* Is trial a better than b, by what the network is judged by: its metric where that is a share of
 * the samples, else the loss. One that diverged is worst. */
bool find_cycle_better(const gyre_metric *m, const gyre_find_cycle *a, const gyre_find_cycle *b);
/* What they are compared by; less is better. */
double find_cycle_score(const gyre_metric *m, const gyre_find_cycle *c);

/* Scores that differ by less are as good, of `seeds` runs each. Of a share of the samples: one
 * standard error of the difference of two shares of as many samples, were they drawn apart; they
 * are the same samples, which makes it smaller, and the runs differ besides, which makes it larger.
 * Else a 100th of the score. */
double find_noise(const find_ladder *l, double score, int64_t seeds);

/* The lowest base_lr whose trial is as good as the best with this max_lr; NULL: there is no trial.
 * What a lower rate at the end gains shows in runs that are longer than trials. */
const gyre_find_cycle *find_ladder_base(const find_ladder *l, const gyre_find_cycle *done,
                                        size_t count, double max_lr);

/* The best rate so far: of the last rung if one is done, by its mean over the seeds that all have;
 * 0: every trial diverged. */
double find_ladder_best(const find_ladder *l, const gyre_find_cycle *done, size_t count);

#endif
