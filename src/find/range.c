/* From trials to a range; see range.h. */
#include "range.h"

#include "gyre/text.h"
#include "verdict.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>

find_ladder find_ladder_of(const gyre_find *f) {
    find_ladder l = {.metric = f->metric, .scored = f->scored};
    if (f->cycle_count > 0) l.steps = f->cycles[0].steps;
    for (size_t i = 0; i < f->cycle_count; i++) {
        const gyre_find_cycle *c = &f->cycles[i];
        if (c->rung == GYRE_FIND_LAST && c->seed >= l.seeds) l.seeds = (int)c->seed + 1;
    }
    return l;
}

/* ---- a rate against the others */

static double score_of(const gyre_find *f, const gyre_find_cycle *c) {
    return find_cycle_score(f->metric, c);
}

static double noise_of(const gyre_find *f, double score, int64_t seeds) {
    const find_ladder l = find_ladder_of(f);
    return find_noise(&l, score, seeds);
}

/* The mean score of a rate in a rung, over its seeds; *seeds 0: it has none. */
static double mean_of(const gyre_find *f, int64_t rung, double max_lr, int64_t *seeds) {
    double sum = 0;
    *seeds = 0;
    for (size_t i = 0; i < f->cycle_count; i++) {
        const gyre_find_cycle *c = &f->cycles[i];
        if (c->rung != rung || c->max_lr != max_lr) continue;
        sum += score_of(f, c);
        ++*seeds;
    }
    return *seeds == 0 ? (double)NAN : sum / (double)*seeds;
}

/* Of any rate in the rung. */
static double best_mean(const gyre_find *f, int64_t rung) {
    double best = INFINITY;
    int64_t seeds;
    for (size_t i = 0; i < f->cycle_count; i++) {
        if (f->cycles[i].rung == rung)
            best = fmin(best, mean_of(f, rung, f->cycles[i].max_lr, &seeds));
    }
    return best;
}

/* Is the rate as good as any other, in the longest trials that it has? */
static bool as_good(const gyre_find *f, double max_lr) {
    for (int64_t rung = GYRE_FIND_LAST; rung >= GYRE_FIND_LADDER; rung--) {
        int64_t seeds;
        double mine = mean_of(f, rung, max_lr, &seeds), best = best_mean(f, rung);
        if (seeds > 0) return mine <= best + noise_of(f, best, seeds);
    }
    return false;
}

/* ---- the plateau */

/* All rates that were tried, rising. */
static size_t rates_tried(const gyre_find *f, double *out) {
    size_t n = 0;
    for (size_t i = 0; i < f->cycle_count; i++) {
        double rate = f->cycles[i].max_lr;
        size_t at = 0;
        while (at < n && out[at] < rate) at++;
        if (at < n && out[at] == rate) continue;
        for (size_t k = n; k > at; k--) out[k] = out[k - 1];
        out[at] = rate;
        n++;
    }
    return n;
}

/* From the best rate to both sides, while rates are as good. True: that is all of them. */
static bool find_plateau(const gyre_find *f, double *rates, gyre_find_range *r) {
    size_t n = rates_tried(f, rates), at = 0;
    while (at < n && rates[at] != r->max_lr) at++;
    size_t low = at, high = at;
    while (low > 0 && as_good(f, rates[low - 1])) low--;
    while (high + 1 < n && as_good(f, rates[high + 1])) high++;
    r->low = rates[low];
    r->high = rates[high];
    return low == 0 && high + 1 == n;
}

/* ---- base_lr and cycles */

static const gyre_find_cycle *best_of(const gyre_find *f, gyre_find_rung rung) {
    const gyre_find_cycle *best = NULL;
    for (size_t i = 0; i < f->cycle_count; i++) {
        const gyre_find_cycle *c = &f->cycles[i];
        if (c->rung != (int64_t)rung || c->seed != 0 || c->max_lr != f->range.max_lr) continue;
        if (best == NULL || find_cycle_better(f->metric, c, best)) best = c;
    }
    return best;
}

static void choose_base(const gyre_find *f, gyre_find_range *r) {
    const find_ladder l = find_ladder_of(f);
    const gyre_find_cycle *c = find_ladder_base(&l, f->cycles, f->cycle_count, r->max_lr);
    r->base_lr = c == NULL ? r->max_lr / FIND_LADDER_RATIO : c->base_lr;
}

/* One cycle, unless more were better. */
static void choose_cycles(const gyre_find *f, gyre_find_range *r) {
    const gyre_find_cycle *more = best_of(f, GYRE_FIND_CYCLES), *one = best_of(f, GYRE_FIND_LAST);
    r->stepsize = FIND_STEPSIZE * f->steps_per_epoch;
    if (f->run_steps == 0) return;
    double score = score_of(f, one);
    bool better = more != NULL && score_of(f, more) < score - noise_of(f, score, 1);
    r->cycles = better ? more->cycles : 1;
    r->stepsize = f->run_steps / (2 * r->cycles);
    if (r->stepsize < 1) r->stepsize = 1;
}

/* ---- in words */

__attribute__((format(printf, 2, 3))) static void say(gyre_find_range *r, const char *format, ...) {
    va_list list;
    va_start(list, format);
    gyre_text_add_list(r->reason, sizeof r->reason, format, list);
    va_end(list);
}

/* Does the best trial do better than no training? */
static bool learns(const gyre_find *f) {
    const gyre_find_cycle *best = NULL;
    const gyre_find_cycle start = {.loss = f->start_loss, .metric = f->start_metric};
    for (size_t i = 0; i < f->cycle_count; i++) {
        if (best == NULL || find_cycle_better(f->metric, &f->cycles[i], best)) best = &f->cycles[i];
    }
    if (best == NULL || isnan(best->loss)) return false;
    if (f->scored == 0) return true; /* nothing was scored before */
    double score = score_of(f, best);
    return score < score_of(f, &start) - noise_of(f, score, 1) || best->loss < 0.99 * f->start_loss;
}

static bool any_diverged(const gyre_find *f) {
    for (size_t i = 0; i < f->cycle_count; i++) {
        if (isnan(f->cycles[i].loss)) return true;
    }
    return false;
}

static void say_lengths(const gyre_find *f, gyre_find_range *r) {
    double epochs = (double)r->steps / (double)f->steps_per_epoch;
    say(r, "tested by cycles of up to %lld steps (%.2g epochs)", (long long)r->steps, epochs);
    if (r->low < r->high) {
        say(r, "; from %.2g to %.2g rates are as good within the noise", r->low, r->high);
    } else {
        say(r, "; no other rate is as good");
    }
    if (r->cycles == 0) return;
    int64_t cycle = f->run_steps / r->cycles;
    if (cycle > 8 * r->steps) {
        say(r,
            "; the run's are of %lld, and the best rate may move with the length: more --budget "
            "tests longer ones",
            (long long)cycle);
    }
}

static void decide(gyre_find *f, double *rates) {
    const find_ladder l = find_ladder_of(f);
    gyre_find_range *r = &f->range;
    rates_tried(f, rates);
    if (!learns(f)) {
        r->outcome = GYRE_FIND_NO_RATE;
        say(r,
            "no rate that was tried, from %.2g up, scores better than the network does without "
            "training; it is trained already, or frozen, or these rates are all wrong for it",
            rates[0]);
        return;
    }
    r->max_lr = find_ladder_best(&l, f->cycles, f->cycle_count);
    if (r->max_lr == 0) {
        r->outcome = GYRE_FIND_NO_RATE;
        say(r,
            "each of the best rates diverged in trials of %lld steps; a lower --from, or "
            "optimizer.clip_norm, may help",
            (long long)(l.steps * FIND_LADDER_LONGEST));
        return;
    }
    r->steps = l.steps * FIND_LADDER_LONGEST;
    if (find_plateau(f, rates, r) && !any_diverged(f)) {
        r->outcome = GYRE_FIND_ALIKE;
        say(r, "rates from %.2g to %.2g are all as good within the noise", r->low, r->high);
        return;
    }
    r->outcome = GYRE_FIND_TESTED;
    choose_base(f, r);
    choose_cycles(f, r);
    say_lengths(f, r);
}

gyre_status find_decide_range(gyre_find *f) {
    f->range = (gyre_find_range){0};
    if (f->cycle_count == 0 || !f->complete) return GYRE_OK;
    double *rates = calloc(f->cycle_count, sizeof *rates);
    if (rates == NULL) return gyre_no_memory("the trials of a range test");
    decide(f, rates);
    free(rates);
    return GYRE_OK;
}
