/* A sweep: training while the rate rises. The state that it starts from is there again, bit for
 * bit, when it ends. Internal to src/find. */
#ifndef GYRE_FIND_SWEEP_H
#define GYRE_FIND_SWEEP_H

#include "gyre/evaluator.h"
#include "gyre/find.h"
#include "gyre/trainer.h"

/* The rate of update k of `steps`; first and last are `from` and `to` literally. */
double find_sweep_rate(const gyre_find_options *o, int64_t k);

/* The debiased exponential mean of the losses so far, and when a sweep has seen enough: the mean
 * above 4 times its least, or a loss that is not finite. */
typedef struct {
    double sum, weight, best;
    bool lasting; /* against the first loss, not the least; set before */
} find_sweep_mean;
/* Takes the next loss; *mean gets the mean with it. True: enough. */
bool find_sweep_enough(find_sweep_mean *m, double loss, double *mean);

typedef struct {
    gyre_find_row *rows; /* room for the course's steps */
    int64_t row_count;
    gyre_find_score *scores; /* room for steps / every + 1 */
    int64_t score_count;
    bool by_scores; /* these are what is read, so they tell whether it diverged; set before */
    bool lasting;   /* a loss may rise again from its least: it diverged when it is not finite, or
                       above 4 times the first one; set before */
    bool diverged;
} find_sweep_curve;

/* The rates of a sweep, or of a trial. */
typedef struct {
    gyre_rate (*at)(const void *of, int64_t step);
    const void *of;
    int64_t steps, every; /* every: steps from one evaluation to the next */
    bool quiet;
} find_course;

/* One sweep from the trainer's present parameters, with the sample order and augmentation of
 * `seed`, from step 0 on. `view` is evaluated with `e`, NULL: nothing is. Leaves the state where
 * the sweep ended and no loader. Collective. */
gyre_status find_sweep_run(gyre_trainer *t, gyre_evaluator *e, const gyre_view *view,
                           const find_course *course, uint64_t seed, int64_t repeat,
                           find_sweep_curve *out);

/* The seed of repeat n, and of a trial: the config's for 0, else one drawn from it. */
uint64_t find_seed(uint64_t seed, int64_t n);

/* The state that a range test begins with, and ends with. */
gyre_status find_state_keep(gyre_trainer *t, gyre_snapshot *before);
/* With `redraw` other initial weights for n above 0, by the seed. */
gyre_status find_state_begin(gyre_trainer *t, const gyre_snapshot *before, bool redraw,
                             uint64_t seed, int64_t n);
gyre_status find_state_put_back(gyre_trainer *t, const gyre_snapshot *before);

/* The sweeps from f->whole to options.repeats into `f`, then the state is put back: parameters,
 * running statistics, optimizer states, completed updates. The first repeat starts from the present
 * state with the run's own seed; the others have seeds of their own, and with `redraw` initial
 * weights of their own too. f->whole gets how many went to their end; each is given to `keeper`.
 * The loader is closed: gyre_trainer_start opens it again. Collective. */
gyre_status find_sweeps_run(gyre_trainer *t, gyre_evaluator *e, const gyre_view *view, bool redraw,
                            const gyre_find_keeper *keeper, gyre_find *f);

/* What is there so far, to whoever keeps it. Collective. */
gyre_status find_save(const gyre_find_keeper *keeper, gyre_trainer *t, const gyre_find *f);

/* Runs at f's constant rates around the bounds, from the present state with the run's own seed;
 * the state is put back as above. Collective. */
gyre_status find_trials_run(gyre_trainer *t, gyre_evaluator *e, const gyre_view *view,
                            gyre_find *f);

#endif
