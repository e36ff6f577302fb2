/* From the curves of all repeats to one verdict: medians, how far the repeats agree, and in words
 * why there is no number where there is none. */
#include "find_rules.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { STEPSIZE_EPOCHS = 4, STEPSIZE_LEAST = 2, STEPSIZE_MOST = 10 };

/* Repeats that differ by more do not tell a rate. */
static const double spread_max = 4;

static int by_size(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Geometric where two lie in the middle: rates are compared by their ratio. */
static double median(const double *x, size_t n) {
    return n % 2 == 1 ? x[n / 2] : sqrt(x[n / 2 - 1] * x[n / 2]);
}

/* To three digits, as a person would write a rate. */
static double rounded(double rate) {
    char text[32];
    snprintf(text, sizeof text, "%.3g", rate);
    return strtod(text, NULL);
}

/* Median, least and greatest of what the repeats say; NaN unless most of them say something. */
static void combine(const gyre_find *f, gyre_find_verdict *v) {
    double value[GYRE_FIND_MARKS] = {0}, low[GYRE_FIND_MARKS] = {0}, high[GYRE_FIND_MARKS] = {0};
    size_t repeats = (size_t)f->options.repeats;
    for (size_t k = 0; k < GYRE_FIND_MARKS; k++) {
        double said[GYRE_FIND_REPEATS_MAX] = {0};
        size_t n = 0;
        for (size_t r = 0; r < repeats; r++) {
            double marks[GYRE_FIND_MARKS];
            memcpy(marks, &f->repeats[r], sizeof marks);
            if (!isnan(marks[k])) said[n++] = marks[k];
        }
        qsort(said, n, sizeof *said, by_size);
        bool most = 2 * n > repeats;
        value[k] = most ? rounded(median(said, n)) : (double)NAN;
        low[k] = most ? said[0] : (double)NAN;
        high[k] = most ? said[n - 1] : (double)NAN;
    }
    memcpy(&v->value, value, sizeof value);
    memcpy(&v->low, low, sizeof low);
    memcpy(&v->high, high, sizeof high);
}

/* ---- why not */

static void say_why(const gyre_find *f, const gyre_curve_facts *c, char *out) {
    switch (c->kind) {
    case GYRE_CURVE_SHORT:
        snprintf(out, GYRE_FIND_REASON,
                 "it diverged at rate %.3g, before there was a curve to read; lower --from %g",
                 c->last, f->options.from);
        break;
    case GYRE_CURVE_FLAT:
        snprintf(out, GYRE_FIND_REASON,
                 "the curve is flat: loss %.4g at the beginning, %.4g at best; "
                 "the network is trained already, or no rate from %g to %g suits it",
                 c->start, c->best, f->options.from, f->options.to);
        break;
    case GYRE_CURVE_NOISY:
        snprintf(
            out, GYRE_FIND_REASON,
            "the curve is too noisy: loss %.4g at the beginning, %.4g at best, but uncertain "
            "by %.2g; take more --steps or a larger batch, unless the network is trained already",
            c->start, c->best, c->noise);
        break;
    case GYRE_CURVE_EARLY:
        snprintf(out, GYRE_FIND_REASON,
                 "the loss falls from the first rate on, so that where that begins is not seen; "
                 "lower --from %g",
                 f->options.from);
        break;
    case GYRE_CURVE_RISING:
        snprintf(out, GYRE_FIND_REASON, "the loss is still falling at the last rate; raise --to %g",
                 f->options.to);
        break;
    case GYRE_CURVE_GOOD: break;
    }
}

static double spread(double low, double high) {
    return high / low;
}

static void say_how_sure(const gyre_find *f, bool by_heart, gyre_find_verdict *v) {
    double base = spread(v->low.base_lr, v->high.base_lr);
    double most = spread(v->low.max_lr, v->high.max_lr);
    int repeats = f->options.repeats;
    if (!(v->value.base_lr < v->value.max_lr)) {
        snprintf(v->reason, sizeof v->reason,
                 "base_lr %.3g is not below max_lr %.3g: the curve improves too little between "
                 "them; more --steps show more",
                 v->value.base_lr, v->value.max_lr);
    } else if (base > spread_max || most > spread_max) {
        snprintf(v->reason, sizeof v->reason,
                 "%d repeats disagree: base_lr %.3g to %.3g, max_lr %.3g to %.3g; more --steps or "
                 "--repeats tell more",
                 repeats, v->low.base_lr, v->high.base_lr, v->low.max_lr, v->high.max_lr);
    } else if (repeats == 1) {
        v->reliable = true;
        snprintf(v->reason, sizeof v->reason, "one repeat, so how sure that is is not known");
    } else {
        v->reliable = true;
        snprintf(v->reason, sizeof v->reason,
                 "%d repeats agree on base_lr within a factor of %.2g, on max_lr within %.2g",
                 repeats, base, most);
    }
    size_t used = strlen(v->reason);
    if (v->reliable && by_heart) {
        snprintf(v->reason + used, sizeof v->reason - used,
                 "; the samples were learnt by heart on the way, so max_lr may be too low");
    }
}

/* The kind of most curves; of kinds equally frequent the first. */
static const gyre_curve_facts *usual(const gyre_curve_facts *facts, int repeats) {
    int most = 0, at = 0;
    for (int i = 0; i < repeats; i++) {
        int like = 0;
        for (int k = 0; k < repeats; k++) like += facts[k].kind == facts[i].kind;
        if (like > most) at = i;
        if (like > most) most = like;
    }
    return &facts[at];
}

gyre_status gyre_find_judge(gyre_find *f) {
    gyre_curve_facts facts[GYRE_FIND_REPEATS_MAX] = {0};
    gyre_find_verdict *v = &f->verdict;
    size_t row = 0, score = 0;
    for (int r = 0; r < f->options.repeats; r++) {
        const gyre_find_row *rows = f->rows + row;
        const gyre_find_score *scores = f->scores + score;
        size_t count = 0, scored = 0;
        for (; row < f->row_count && f->rows[row].repeat == r; row++) count++;
        for (; score < f->score_count && f->scores[score].repeat == r; score++) scored++;
        GYRE_TRY(gyre_find_read_curve(&f->options, rows, count, scores, scored, f->samples,
                                      &f->repeats[r], &facts[r]));
    }
    *v = (gyre_find_verdict){0};
    combine(f, v);
    const gyre_curve_facts *kind = usual(facts, f->options.repeats);
    if (kind->kind != GYRE_CURVE_GOOD) {
        say_why(f, kind, v->reason);
    } else {
        say_how_sure(f, kind->by_heart, v);
    }
    if (v->reliable) v->stepsize = STEPSIZE_EPOCHS * f->steps_per_epoch;
    return GYRE_OK;
}

/* ---- whether the bounds hold */

enum { HALF_BASE, BASE, HALF_MAX, MAX, TWICE_MAX, FOUR_MAX };

/* Two standard errors of the difference: beyond, a is better than b. One that diverged is worst. */
static bool better(const gyre_find_trial *a, const gyre_find_trial *b) {
    if (isnan(a->loss)) return false;
    if (isnan(b->loss)) return true;
    return a->loss < b->loss - 2 * hypot(a->error, b->error);
}

void gyre_find_judge_trials(gyre_find *f) {
    const gyre_find_trial *t = f->trials, *best = &t[MAX];
    char *out = f->verified;
    size_t room = sizeof f->verified;
    for (int i = TWICE_MAX; i <= FOUR_MAX; i++) {
        if (better(&t[i], best)) best = &t[i];
    }
    int used = snprintf(out, room, "base_lr %s; ",
                        better(&t[MAX], &t[BASE]) && !better(&t[HALF_BASE], &t[BASE])
                            ? "holds: it trains more slowly than max_lr"
                            : "is in doubt: it trains as well as max_lr");
    if (isnan(t[MAX].loss)) {
        snprintf(out + used, room - (size_t)used, "max_lr is too high: it diverges");
    } else if (best != &t[MAX]) {
        snprintf(out + used, room - (size_t)used,
                 "max_lr may be too low: %.3g trains better (loss %.4g against %.4g)", best->rate,
                 best->loss, t[MAX].loss);
    } else if (better(&t[HALF_MAX], &t[MAX])) {
        snprintf(out + used, room - (size_t)used,
                 "max_lr may be too high: %.3g trains better (loss %.4g against %.4g)",
                 t[HALF_MAX].rate, t[HALF_MAX].loss, t[MAX].loss);
    } else {
        snprintf(out + used, room - (size_t)used,
                 "max_lr holds: neither half of it nor more trains better");
    }
}

/* ---- the table */

static void print_mark(FILE *out, const char *name, double value, double low, double high,
                       const char *words) {
    if (isnan(value)) {
        fprintf(out, "  %-9s %10s  %10s  %10s  %s\n", name, "-", "", "", words);
    } else {
        fprintf(out, "  %-9s %10.3g  %10.3g  %10.3g  %s\n", name, value, low, high, words);
    }
}

static void print_trials(const gyre_find *f, FILE *out) {
    if (f->trial_count == 0) return;
    fprintf(out, "verified with %" PRId64 " steps at constant rates:\n  %10s  %18s  %10s\n",
            (f->options.steps + 1) / 2, "rate", "training loss", "accuracy");
    for (int i = 0; i < f->trial_count; i++) {
        const gyre_find_trial *t = &f->trials[i];
        fprintf(out, "  %10.3g  ", t->rate);
        if (isnan(t->loss)) {
            fprintf(out, "%18s\n", "diverged");
        } else if (isnan(t->accuracy)) {
            fprintf(out, "%8.4f +- %6.4f\n", t->loss, t->error);
        } else {
            fprintf(out, "%8.4f +- %6.4f  %8.2f %%\n", t->loss, t->error, 100 * t->accuracy);
        }
    }
    fprintf(out, "  %s\n", f->verified);
}

void gyre_find_print(const gyre_find *f, FILE *out) {
    const gyre_find_verdict *v = &f->verdict;
    const gyre_find_marks *m = &v->value, *a = &v->low, *b = &v->high;
    static const char *const never = "never, up to the last rate";
    fprintf(out, "  %-9s %10s  %10s  %10s  over %d repeat%s\n", "", "rate", "lowest", "highest",
            f->options.repeats, f->options.repeats == 1 ? "" : "s");
    print_mark(out, "base_lr", m->base_lr, a->base_lr, b->base_lr, "where the loss begins to fall");
    print_mark(out, "max_lr", m->max_lr, a->max_lr, b->max_lr,
               "where loss or accuracy stop improving");
    print_mark(out, "third", m->third, a->third, b->third,
               "a second opinion on max_lr: the last rate before divergence, divided by 3");
    print_mark(out, "diverged", m->diverged, a->diverged, b->diverged,
               isnan(m->diverged) ? never : "half of what was learned is lost");
    fprintf(out, "single rates by fastai's rules\n");
    print_mark(out, "valley", m->valley, a->valley, b->valley, "");
    print_mark(out, "slide", m->slide, a->slide, b->slide, "");
    print_mark(out, "minimum", m->minimum, a->minimum, b->minimum, "(a tenth of the least loss's)");
    print_mark(out, "steep", m->steep, a->steep, b->steep, "");
    if (!v->reliable) {
        fprintf(out, "no reliable suggestion: %s\n", v->reason);
        return;
    }
    fprintf(out, "suggested: base_lr %.3g, max_lr %.3g, stepsize %" PRId64 " steps\n", m->base_lr,
            m->max_lr, v->stepsize);
    fprintf(out,
            "  %s\n  stepsize: %d epochs; %d to %d are usual (%" PRId64 " to %" PRId64 " steps)\n",
            v->reason, STEPSIZE_EPOCHS, STEPSIZE_LEAST, STEPSIZE_MOST,
            STEPSIZE_LEAST * f->steps_per_epoch, STEPSIZE_MOST * f->steps_per_epoch);
    print_trials(f, out);
}
