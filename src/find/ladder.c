/* Which trial comes next; see ladder.h. */
#include "ladder.h"

#include "verdict.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    SEEDS_MAX = 5,
    RATES_ALL = FIND_LADDER_RATES_MAX + FIND_LADDER_MORE,
    CYCLE_LEAST = 4, /* steps */
    NEAR = 4,        /* rates of the second rung */
    RATIOS = 3       /* of max_lr to base_lr, besides FIND_LADDER_RATIO */
};
static const double ratios[RATIOS] = {3, 30, 100}; /* the last where the one before is as good */
static const int lengths[GYRE_FIND_RUNGS] = {1, 2, FIND_LADDER_LONGEST, 2, FIND_LADDER_LONGEST};

/* To two digits, as a person would write it. */
static double rounded(double rate) {
    char text[32];
    snprintf(text, sizeof text, "%.2g", rate);
    return strtod(text, NULL);
}

double find_cycle_score(const gyre_metric *m, const gyre_find_cycle *c) {
    if (isnan(c->loss)) return INFINITY;
    if (!m->is_share || isnan(c->metric)) return c->loss;
    return m->greater_is_better ? 1 - c->metric : c->metric;
}

bool find_cycle_better(const gyre_metric *m, const gyre_find_cycle *a, const gyre_find_cycle *b) {
    double x = find_cycle_score(m, a), y = find_cycle_score(m, b);
    return x < y || (x == y && a->loss < b->loss);
}

double find_noise(const find_ladder *l, double score, int64_t seeds) {
    if (!l->metric->is_share || l->scored == 0) return 0.01 * fabs(score);
    double share = fmin(1, fmax(0, score));
    return sqrt(2 * share * (1 - share) / ((double)l->scored * (double)seeds));
}

/* ---- the plan */

static double step_of(const find_ladder *l) {
    return pow(l->high / l->low, 1.0 / (l->rates - 1));
}

/* In trials of the first rung. */
static int64_t cost_in_trials(const find_ladder *l) {
    return l->rates + FIND_LADDER_MORE + NEAR * lengths[GYRE_FIND_NEAR] +
           FIND_LADDER_FINALISTS * l->seeds * lengths[GYRE_FIND_LAST] +
           RATIOS * lengths[GYRE_FIND_BASE] + (l->cycles ? lengths[GYRE_FIND_CYCLES] : 0);
}

int64_t find_ladder_cost(const find_ladder *l) {
    return l->steps * cost_in_trials(l);
}

/* Where the sweeps say little, the ladder is wide: from where the loss begins to fall, or four
 * decades below its end, to where it diverged, or the last rate. */
static void choose_ends(const gyre_find *f, find_ladder *l) {
    const gyre_find_marks *m = &f->verdict.value;
    const gyre_find_options *o = &f->options;
    double low = !isnan(m->max_lr) ? m->max_lr / 2 : m->base_lr;
    double high = !isnan(m->diverged) ? m->diverged : o->to;
    if (isnan(low)) low = high / 1e4;
    if (low < o->from) low = o->from;
    const double least = FIND_LADDER_STEP * FIND_LADDER_STEP;
    if (!(high >= least * low)) high = least * low;
    int rates = 1 + (int)ceil(log(high / low) / log(FIND_LADDER_STEP) - 1e-9);
    l->low = low;
    l->high = high;
    l->rates = rates > FIND_LADDER_RATES_MAX ? FIND_LADDER_RATES_MAX : rates;
}

int64_t find_ladder_least(void) {
    const find_ladder most = {.rates = FIND_LADDER_RATES_MAX, .seeds = 1, .cycles = true};
    return FIND_LADDER_STEPS_LEAST * cost_in_trials(&most);
}

find_ladder find_ladder_plan(const gyre_find *f, int64_t steps, int64_t run_cycle) {
    find_ladder l = {.metric = f->metric, .scored = f->scored, .seeds = 1, .cycles = true};
    choose_ends(f, &l);
    l.steps = steps / cost_in_trials(&l);
    if (run_cycle <= 0 || l.steps * FIND_LADDER_LONGEST <= run_cycle) return l;
    l.cycles = false; /* a trial is as long as a cycle of the run */
    l.steps = run_cycle / FIND_LADDER_LONGEST;
    if (l.steps < CYCLE_LEAST) l.steps = CYCLE_LEAST;
    for (l.seeds = SEEDS_MAX; l.seeds > 1 && find_ladder_cost(&l) > steps;) l.seeds--;
    return l;
}

/* ---- what is done */

typedef struct {
    const find_ladder *ladder;
    const gyre_find_cycle *done;
    size_t count;
} history;

static bool same_trial(const gyre_find_cycle *a, const gyre_find_cycle *b) {
    return a->rung == b->rung && a->seed == b->seed && a->steps == b->steps &&
           a->cycles == b->cycles && a->base_lr == b->base_lr && a->max_lr == b->max_lr;
}

static const gyre_find_cycle *result(const history *h, const gyre_find_cycle *trial) {
    for (size_t i = 0; i < h->count; i++) {
        if (same_trial(&h->done[i], trial)) return &h->done[i];
    }
    return NULL;
}

static gyre_find_cycle trial_of(const find_ladder *l, gyre_find_rung rung, double max_lr,
                                int64_t seed) {
    return (gyre_find_cycle){.rung = rung,
                             .seed = seed,
                             .steps = l->steps * lengths[rung],
                             .cycles = 1,
                             .base_lr = max_lr / FIND_LADDER_RATIO,
                             .max_lr = max_lr};
}

/* True, and *next: the first trial of these that is not done. */
static bool first_open(const history *h, const gyre_find_cycle *trials, int count,
                       gyre_find_cycle *next) {
    for (int i = 0; i < count; i++) {
        if (result(h, &trials[i]) != NULL) continue;
        *next = trials[i];
        return true;
    }
    return false;
}

/* ---- the first rung */

static int by_rate(const void *a, const void *b) {
    const gyre_find_cycle *x = a, *y = b;
    return (x->max_lr > y->max_lr) - (x->max_lr < y->max_lr);
}

/* What is done of a rung with the first seed, by rising rate. */
static int rung_done(const history *h, gyre_find_rung rung, gyre_find_cycle out[RATES_ALL]) {
    int n = 0;
    for (size_t i = 0; i < h->count && n < RATES_ALL; i++) {
        if (h->done[i].rung == (int64_t)rung && h->done[i].seed == 0) out[n++] = h->done[i];
    }
    qsort(out, (size_t)n, sizeof *out, by_rate);
    return n;
}

static int index_of_best(const history *h, const gyre_find_cycle *t, int count) {
    int best = 0;
    for (int i = 1; i < count; i++) {
        if (find_cycle_better(h->ladder->metric, &t[i], &t[best])) best = i;
    }
    return best;
}

/* While the best rate stands at an end of the ladder, one more beyond it. */
static bool next_beyond(const history *h, gyre_find_cycle *next) {
    const find_ladder *l = h->ladder;
    gyre_find_cycle t[RATES_ALL];
    int n = rung_done(h, GYRE_FIND_LADDER, t), best = index_of_best(h, t, n);
    double to = 0;
    if (n >= l->rates + FIND_LADDER_MORE) return false;
    if (isnan(t[best].loss) || best == 0) {
        to = t[0].max_lr / step_of(l);
    } else if (best == n - 1) {
        to = t[n - 1].max_lr * step_of(l);
    } else {
        return false;
    }
    *next = trial_of(l, GYRE_FIND_LADDER, rounded(to), 0);
    return true;
}

static bool next_of_ladder(const history *h, gyre_find_cycle *next) {
    const find_ladder *l = h->ladder;
    gyre_find_cycle wanted[FIND_LADDER_RATES_MAX];
    for (int i = 0; i < l->rates; i++) {
        wanted[i] = trial_of(l, GYRE_FIND_LADDER, rounded(l->low * pow(step_of(l), i)), 0);
    }
    return first_open(h, wanted, l->rates, next) || next_beyond(h, next);
}

/* ---- the rungs above it */

/* The best rates of a rung, the best one first; those that diverged are left out. */
static int best_rates(const history *h, gyre_find_rung rung, int most, double out[RATES_ALL]) {
    gyre_find_cycle t[RATES_ALL];
    int n = rung_done(h, rung, t), taken = 0;
    while (taken < most && n > 0) {
        int best = index_of_best(h, t, n);
        if (isnan(t[best].loss)) break;
        out[taken++] = t[best].max_lr;
        memmove(&t[best], &t[best + 1], (size_t)(n - best - 1) * sizeof *t);
        n--;
    }
    return taken;
}

/* The best two of the ladder, and what lies half-way from the best to its neighbours, or as far
 * beyond it where it has none. */
static int rates_near(const history *h, double out[NEAR]) {
    double rates[RATES_ALL];
    double half = sqrt(step_of(h->ladder));
    int n = best_rates(h, GYRE_FIND_LADDER, 2, rates);
    if (n == 0) return 0;
    for (int i = 0; i < n; i++) out[i] = rates[i];
    out[n++] = rounded(rates[0] / half);
    out[n++] = rounded(rates[0] * half);
    return n;
}

static bool next_near(const history *h, gyre_find_cycle *next) {
    double rates[NEAR];
    gyre_find_cycle wanted[NEAR];
    int n = rates_near(h, rates);
    for (int i = 0; i < n; i++) wanted[i] = trial_of(h->ladder, GYRE_FIND_NEAR, rates[i], 0);
    return first_open(h, wanted, n, next);
}

static bool next_of_last(const history *h, gyre_find_cycle *next) {
    double rates[RATES_ALL];
    gyre_find_cycle wanted[FIND_LADDER_FINALISTS * SEEDS_MAX];
    int n = best_rates(h, GYRE_FIND_NEAR, FIND_LADDER_FINALISTS, rates), k = 0;
    for (int64_t seed = 0; seed < h->ladder->seeds; seed++) {
        for (int i = 0; i < n; i++) {
            wanted[k++] = trial_of(h->ladder, GYRE_FIND_LAST, rates[i], seed);
        }
    }
    return first_open(h, wanted, k, next);
}

double find_ladder_best(const find_ladder *l, const gyre_find_cycle *done, size_t count) {
    const history h = {l, done, count};
    gyre_find_cycle t[RATES_ALL], best = {.loss = (double)NAN};
    int n = rung_done(&h, GYRE_FIND_LAST, t);
    for (int i = 0; i < n; i++) {
        gyre_find_cycle mean = t[i];
        for (int64_t seed = 1; seed < l->seeds; seed++) {
            const gyre_find_cycle wanted = trial_of(l, GYRE_FIND_LAST, t[i].max_lr, seed);
            const gyre_find_cycle *other = result(&h, &wanted);
            mean.loss += other == NULL ? (double)NAN : other->loss;
            mean.metric += other == NULL ? (double)NAN : other->metric;
        }
        mean.loss /= l->seeds;
        mean.metric /= l->seeds;
        if (!isnan(mean.loss) && (best.max_lr == 0 || find_cycle_better(l->metric, &mean, &best)))
            best = mean;
    }
    return best.max_lr;
}

/* ---- the best rate's other questions */

/* Does the trial ask how far below max_lr base_lr should be? */
static bool asks_for_base(const gyre_find_cycle *c, double max_lr) {
    const bool usual = c->rung == GYRE_FIND_NEAR && c->seed == 0;
    return c->max_lr == max_lr && (usual || c->rung == GYRE_FIND_BASE);
}

const gyre_find_cycle *find_ladder_base(const find_ladder *l, const gyre_find_cycle *done,
                                        size_t count, double max_lr) {
    const gyre_find_cycle *best = NULL, *lowest = NULL;
    for (size_t i = 0; i < count; i++) {
        const gyre_find_cycle *c = &done[i];
        if (!asks_for_base(c, max_lr)) continue;
        if (best == NULL || find_cycle_better(l->metric, c, best)) best = c;
    }
    if (best == NULL) return NULL;
    const double score = find_cycle_score(l->metric, best);
    const double enough = isfinite(score) ? score + find_noise(l, score, 1) : score;
    for (size_t i = 0; i < count; i++) {
        const gyre_find_cycle *c = &done[i];
        if (!asks_for_base(c, max_lr) || find_cycle_score(l->metric, c) > enough) continue;
        if (lowest == NULL || c->base_lr < lowest->base_lr) lowest = c;
    }
    return lowest;
}

static bool next_of_base(const history *h, double max_lr, gyre_find_cycle *next) {
    gyre_find_cycle wanted[RATIOS];
    for (int i = 0; i < RATIOS; i++) {
        wanted[i] = trial_of(h->ladder, GYRE_FIND_BASE, max_lr, 0);
        wanted[i].base_lr = max_lr / ratios[i];
    }
    if (first_open(h, wanted, RATIOS - 1, next)) return true;
    const gyre_find_cycle *best = find_ladder_base(h->ladder, h->done, h->count, max_lr);
    if (best == NULL || best->base_lr > wanted[RATIOS - 2].base_lr) return false;
    return first_open(h, wanted + RATIOS - 1, 1, next);
}

static bool next_of_cycles(const history *h, double max_lr, gyre_find_cycle *next) {
    if (!h->ladder->cycles) return false;
    gyre_find_cycle wanted = trial_of(h->ladder, GYRE_FIND_CYCLES, max_lr, 0);
    wanted.cycles = 2;
    return first_open(h, &wanted, 1, next);
}

bool find_ladder_next(const find_ladder *l, const gyre_find_cycle *done, size_t count,
                      gyre_find_cycle *next) {
    const history h = {l, done, count};
    if (next_of_ladder(&h, next) || next_near(&h, next) || next_of_last(&h, next)) return true;
    double best = find_ladder_best(l, done, count);
    if (best == 0) return false;
    return next_of_base(&h, best, next) || next_of_cycles(&h, best, next);
}
