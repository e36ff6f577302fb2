/* The LR range test: trains while the rate rises, and reads base_lr, max_lr and a stepsize off the
 * curves (Smith, "Cyclical learning rates for training neural networks", WACV 2017, section 3.3).
 *
 * A sweep is training: the same step, shards and ranks, so that it has the same bits on any number
 * of ranks, and whether it ends early follows from reduced numbers that all ranks have. */
#ifndef GYRE_FIND_H
#define GYRE_FIND_H

#include "gyre/comm.h"
#include "gyre/events.h"
#include "gyre/metric.h"
#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum { GYRE_FIND_REPEATS_MAX = 100, GYRE_FIND_REASON = 512 };

#define GYRE_FIND_FROM 1e-7
#define GYRE_FIND_TO 10
#define GYRE_FIND_STEPS_LEAST 200
#define GYRE_FIND_REPEATS 3 /* quick; 1 where trials follow */
#define GYRE_FIND_BUDGET 4
#define GYRE_FIND_SUBSET 1000

/* What is asked for; zeros are the defaults. */
typedef struct {
    double from, to; /* rates of the first and the last step; GYRE_FIND_FROM, _TO */
    int64_t steps;   /* two epochs, at least GYRE_FIND_STEPS_LEAST */
    bool linear;     /* equal differences between rates; else equal ratios */
    int repeats;     /* GYRE_FIND_REPEATS */
    int64_t every;   /* steps from one validation to the next; a 50th of the steps */
    int64_t subset;  /* most validation samples; GYRE_FIND_SUBSET */
    bool quick;      /* the sweeps alone; else trials follow, see gyre_find_cycle */
    bool verify;     /* quick, and then trains at constant rates around the bounds */
    bool quiet;
    int64_t budget;         /* steps of all sweeps and trials; GYRE_FIND_BUDGET sweeps */
    gyre_length for_length; /* of the run that the range is for; the config's, where it has one */
} gyre_find_options;

typedef struct {
    int64_t repeat, step; /* step: update index of the sweep */
    double lr;
    double loss;      /* of the batch, before the update; NaN when not finite */
    double smooth;    /* debiased exponential mean of `loss` with factor 0.98, as fastai's */
    double grad_norm; /* before clipping */
} gyre_find_row;

typedef struct {
    int64_t repeat, step; /* step: completed updates of the sweep */
    double lr;            /* of the last of them */
    double loss, metric;
} gyre_find_score;

/* What one curve, or all of them together, suggest; NaN: nothing. */
typedef struct {
    double base_lr;  /* where the curve begins to improve */
    double max_lr;   /* where it slows, becomes ragged, or falls */
    double diverged; /* the first rate past the best at which half of the fall is lost; without
                        one, that at which the sweep ended early */
    double third;    /* the rate before that, divided by 3: a second opinion on max_lr */
    double valley, slide, minimum, steep; /* single rates, by fastai's rules of these names */
} gyre_find_marks;
enum { GYRE_FIND_MARKS = sizeof(gyre_find_marks) / sizeof(double) };

/* How many repeats gave each of them. */
typedef struct {
    int base_lr, max_lr, diverged, third, valley, slide, minimum, steep;
} gyre_find_counts;

/* The verdict over all repeats: medians, and from where to where the repeats go; NaN where at most
 * half of them gave a rate. */
typedef struct {
    gyre_find_marks value, low, high;
    gyre_find_counts given;
    int64_t stepsize;              /* steps; 0: none */
    bool reliable;                 /* base_lr and max_lr may be used */
    bool memorised;                /* but max_lr may be too low: there was no more to learn */
    char reason[GYRE_FIND_REASON]; /* why not; or how sure it is; text */
} gyre_find_verdict;

/* A short run at a constant rate, half as long as the sweep. */
typedef struct {
    double rate;
    double loss, error; /* mean of its last quarter's training losses, and that one's error; NaN
                           when it diverged */
    double metric;      /* validation, at the end; NaN: none */
} gyre_find_trial;
enum { GYRE_FIND_TRIALS = 6 }; /* base_lr / 2, base_lr, max_lr / 2, max_lr, 2 and 4 max_lr */

/* What a trial is made for. */
typedef enum {
    GYRE_FIND_LADDER, /* each rate of the ladder, shortest */
    GYRE_FIND_NEAR,   /* the best of them and its neighbours, twice as long */
    GYRE_FIND_LAST,   /* the best of these, four times as long */
    GYRE_FIND_BASE,   /* other ratios of max_lr to base_lr, twice as long */
    GYRE_FIND_CYCLES, /* more than one cycle, four times as long in all */
    GYRE_FIND_RUNGS
} gyre_find_rung;

/* A trial: training from the beginning, for one whole cycle or more, scored at its end. */
typedef struct {
    int64_t rung;          /* gyre_find_rung */
    int64_t seed;          /* 0: the config's; n: that of repeat n */
    int64_t steps, cycles; /* cycles in all of the steps */
    double base_lr, max_lr;
    int64_t completed;   /* steps; fewer than `steps` where it was ended because it diverged */
    double loss, metric; /* of the held-out samples; where there are none the mean loss of the last
                            quarter of its batches, and NaN. Both NaN when it diverged */
} gyre_find_cycle;

typedef enum {
    GYRE_FIND_UNTRIED, /* no trials were made, or not all */
    GYRE_FIND_TESTED,
    GYRE_FIND_ALIKE,  /* no rate is better than another */
    GYRE_FIND_NO_RATE /* the network learns at no rate that was tried */
} gyre_find_outcome;

/* What the trials say. */
typedef struct {
    gyre_find_outcome outcome;
    double max_lr, low, high; /* the best rate, and the plateau: from where to where others are as
                                 good within the noise */
    double base_lr;
    int64_t stepsize, cycles; /* of the run that the range is for; cycles 0: its length is unknown */
    int64_t steps;            /* of the longest cycle that was tried */
    char reason[GYRE_FIND_REASON];
} gyre_find_range;

typedef struct {
    gyre_find_options options;        /* resolved */
    const gyre_metric *metric;        /* of the scores and trials */
    int64_t steps_per_epoch, samples; /* samples: of a validation; 0: there was none */
    gyre_find_row *rows;              /* by repeat and step */
    size_t row_count;
    gyre_find_score *scores; /* likewise */
    size_t score_count;
    int whole;                /* repeats that went to their end */
    gyre_find_marks *repeats; /* (options.repeats) */
    gyre_find_verdict verdict;
    gyre_find_trial trials[GYRE_FIND_TRIALS];
    int trial_count;
    char verified[GYRE_FIND_REASON]; /* whether the bounds hold; text */
    int64_t config_hash;             /* gyre_config_hash() of what was tested */
    int64_t run_steps;               /* of the run that the range is for; 0: unknown */
    double start_loss, start_metric; /* of the samples that score trials, before any training */
    int64_t scored;                  /* how many these are */
    gyre_find_cycle *cycles;         /* trials in the order in which they were made */
    size_t cycle_count;
    bool complete; /* no trial is left to be made */
    gyre_find_range range;
    int asked;                       /* repeats, where a signal left fewer; else 0 */
} gyre_find;

/* What is to be used of it: the trials' range where there are trials, else the sweeps'. */
typedef struct {
    bool reliable;
    double base_lr, max_lr; /* NaN unless reliable, as the stepsize is 0 */
    int64_t stepsize;       /* steps */
    const char *reason;     /* f's */
} gyre_find_answer;
gyre_find_answer gyre_find_answer_of(const gyre_find *f);

/* A search that may be left: after each sweep and each trial `save` gets what is there so far, on
 * rank 0. */
typedef struct {
    gyre_status (*save)(void *context, const gyre_find *f); /* NULL: nothing is saved */
    void *context;
    const char *kept; /* a file of gyre_find_write that the search goes on from, which all ranks
                         read; NULL: there is none. One of another search is refused */
} gyre_find_keeper;

/* Runs the test for the model, data and optimizer of `settings`. Of its schedule the form of a
 * cycle matters for trials, and the length for how long they may be; nothing is written. Every rank
 * gets the result; close it. GYRE_EUSAGE for options that cannot be. GYRE_EPREEMPTED after a
 * signal: `out` then holds the repeats that are whole, judged as if no more had been asked for;
 * without one no rows. `keeper` may be NULL. Collective. */
gyre_status gyre_find_run(const gyre_settings *settings, const gyre_find_options *options,
                          const gyre_find_keeper *keeper, gyre_comm *comm, gyre_find *out);
void gyre_find_close(gyre_find *f);

/* find.h5, atomically; and back. GYRE_EIO names the file. */
gyre_status gyre_find_write(const gyre_find *f, const char *path);
gyre_status gyre_find_read(const char *path, gyre_find *out);

/* The smoothed losses that rates were read off, one for each of f->rows (infinite where a loss is
 * not finite); free() them. */
gyre_status gyre_find_smooth(const gyre_find *f, double **out);

/* The text table. */
void gyre_find_print(const gyre_find *f, FILE *out);

/* Rates of a config that are "find". */
typedef struct {
    gyre_find test;              /* the range test; rows NULL: there was none */
    gyre_stage_settings *stages; /* that the settings point to */
} gyre_found_rates;

/* Numbers in the place of base_lr and max_lr that are "find": those of the run in the folder (`out`
 * as in gyre_train_options), or else of a range test. Nothing to do where no rate is. Close `found`
 * in any case, after the last use of `s`. Collective. */
gyre_status gyre_found_rates_settle(gyre_settings *s, const char *out, bool quiet, gyre_comm *comm,
                                    gyre_found_rates *found);
void gyre_found_rates_close(gyre_found_rates *found);
/* find.h5 in the run's folder and a line of its log, when there was a test: gyre_train_options'
 * `opened`, with a gyre_found_rates as its context. */
gyre_status gyre_found_rates_record(void *found_rates, const char *folder, gyre_events *events);

#endif
