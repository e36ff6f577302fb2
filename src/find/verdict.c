/* From the curves of all repeats to one verdict: medians, how far the repeats agree, and in words
 * why there is no number where there is none. */
#include "verdict.h"

#include "curve.h"
#include "gyre/sort.h"
#include "gyre/text.h"
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Repeats that differ by more do not tell a rate. */
static const double spread_max = 4;

/* Geometric where two lie in the middle: rates are compared by their ratio. */
static double geometric_median(const double *x, size_t n) {
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
    int given[GYRE_FIND_MARKS] = {0};
    _Static_assert(sizeof given == sizeof v->given, "a count for each mark");
    size_t repeats = (size_t)f->options.repeats;
    for (size_t k = 0; k < GYRE_FIND_MARKS; k++) {
        double said[GYRE_FIND_REPEATS_MAX] = {0};
        size_t n = 0;
        for (size_t r = 0; r < repeats; r++) {
            double marks[GYRE_FIND_MARKS];
            memcpy(marks, &f->repeats[r], sizeof marks);
            if (!isnan(marks[k])) said[n++] = marks[k];
        }
        qsort(said, n, sizeof *said, gyre_sort_rising);
        bool most = 2 * n > repeats;
        given[k] = (int)n;
        value[k] = most ? rounded(geometric_median(said, n)) : (double)NAN;
        low[k] = most ? said[0] : (double)NAN;
        high[k] = most ? said[n - 1] : (double)NAN;
    }
    memcpy(&v->value, value, sizeof value);
    memcpy(&v->low, low, sizeof low);
    memcpy(&v->high, high, sizeof high);
    memcpy(&v->given, given, sizeof given);
}

/* ---- in words */

/* Appends to a text of GYRE_FIND_REASON bytes. */
__attribute__((format(printf, 2, 3))) static void say(char *out, const char *format, ...) {
    va_list list;
    va_start(list, format);
    gyre_text_add_list(out, GYRE_FIND_REASON, format, list);
    va_end(list);
}

/* Why a curve gave no bounds, or only one of them. */
static void say_why(const gyre_find *f, const find_curve_facts *c, char *out) {
    const gyre_find_options *o = &f->options;
    switch (c->kind) {
    case FIND_CURVE_SHORT:
        say(out, "it diverged at rate %.3g, before there was a curve to read; lower --from %g",
            c->last, o->from);
        break;
    case FIND_CURVE_FLAT:
        say(out,
            "the curve is flat: loss %.4g at the beginning, %.4g at best; "
            "the network is trained already, or no rate from %g to %g suits it",
            c->start, c->best, o->from, o->to);
        break;
    case FIND_CURVE_NOISY:
        say(out,
            "the curve is too noisy: loss %.4g at the beginning, %.4g at best, but uncertain "
            "by %.2g; take more --steps or a larger batch, unless the network is trained already",
            c->start, c->best, c->noise);
        break;
    case FIND_CURVE_EARLY:
        say(out,
            "the loss falls from the first rate on, so that where that begins is not seen; "
            "lower --from %g",
            o->from);
        break;
    case FIND_CURVE_RISING:
        say(out, "the loss is still falling at the last rate; raise --to %g", o->to);
        break;
    case FIND_CURVE_GOOD: break;
    }
}

/* A curve of the most frequent kind among those that did not give both bounds; of two kinds as
 * frequent, the first. NULL: all gave both. */
static const find_curve_facts *usual_trouble(const find_curve_facts *facts, int repeats) {
    const find_curve_facts *found = NULL;
    int most = 0;
    for (int i = 0; i < repeats; i++) {
        int like = 0;
        for (int k = 0; k < repeats; k++) like += facts[k].kind == facts[i].kind;
        if (facts[i].kind == FIND_CURVE_GOOD || like <= most) continue;
        found = &facts[i];
        most = like;
    }
    return found;
}

static int count_good(const find_curve_facts *facts, int repeats, bool memorised) {
    int n = 0;
    for (int i = 0; i < repeats; i++) {
        n += facts[i].kind == FIND_CURVE_GOOD && (facts[i].memorised || !memorised);
    }
    return n;
}

static void say_others(const gyre_find *f, const find_curve_facts *facts, char *out) {
    int repeats = f->options.repeats, lacking = repeats - count_good(facts, repeats, false);
    if (lacking == 0) return;
    if (lacking == 1) {
        say(out, "; the other: ");
    } else {
        say(out, "; one of the %d that did not: ", lacking);
    }
    say_why(f, usual_trouble(facts, repeats), out);
}

/* Without a random draw repeats are one run, which agrees with itself. */
static bool all_alike(const gyre_find *f) {
    size_t each = f->row_count / (size_t)f->options.repeats;
    if (each * (size_t)f->options.repeats != f->row_count) return false;
    for (size_t i = each; i < f->row_count; i++) {
        gyre_find_row like = f->rows[i - each];
        like.repeat++;
        if (memcmp(&like, &f->rows[i], sizeof like) != 0) return false;
    }
    return f->options.repeats > 1;
}

/* How far each bound spreads, and over how many repeats where not all gave both. */
static void say_agreement(const gyre_find *f, gyre_find_verdict *v, double base, double most) {
    int repeats = f->options.repeats, n = v->given.base_lr, m = v->given.max_lr;
    if (n != m) {
        say(v->reason,
            "the repeats agree on base_lr within a factor of %.2g (%d of %d), on max_lr within "
            "%.2g (%d of %d)",
            base, n, repeats, most, m, repeats);
        return;
    }
    say(v->reason, "%d ", n);
    if (n < repeats) say(v->reason, "of %d ", repeats);
    say(v->reason, "repeats agree on base_lr within a factor of %.2g, on max_lr within %.2g", base,
        most);
}

/* Most repeats gave both bounds. */
static void say_how_sure(const gyre_find *f, gyre_find_verdict *v) {
    double base = v->high.base_lr / v->low.base_lr, most = v->high.max_lr / v->low.max_lr;
    if (!(v->value.base_lr < v->value.max_lr)) {
        say(v->reason,
            "base_lr %.3g is not below max_lr %.3g: the curve improves too little between "
            "them; more --steps show more",
            v->value.base_lr, v->value.max_lr);
        return;
    }
    if (base > spread_max || most > spread_max) {
        say(v->reason,
            "%d repeats disagree: base_lr %.3g to %.3g, max_lr %.3g to %.3g; more --steps may "
            "narrow this, more --repeats cannot; or compare such rates in a study",
            f->options.repeats, v->low.base_lr, v->high.base_lr, v->low.max_lr, v->high.max_lr);
        return;
    }
    v->reliable = true;
    if (f->options.repeats == 1) {
        say(v->reason, "one repeat, so how sure that is is not known");
    } else if (all_alike(f)) {
        say(v->reason, "the %d repeats are the same run: nothing in them is random",
            f->options.repeats);
    } else {
        say_agreement(f, v, base, most);
    }
    if (f->metric->is_share && f->samples > 0 && f->samples < FIND_SAMPLES_MIN) {
        say(v->reason,
            "; %lld validation samples are too few to read their %s (%d are needed), so the loss "
            "alone decides max_lr",
            (long long)f->samples, gyre_metric_prose(f->metric).text, FIND_SAMPLES_MIN);
    }
    if (!v->memorised) return;
    say(v->reason, "; the samples were memorised on the way, so max_lr may be too low");
}

static void say_verdict(const gyre_find *f, const find_curve_facts *facts, gyre_find_verdict *v) {
    int repeats = f->options.repeats, good = count_good(facts, repeats, false);
    if (good == 0) {
        say_why(f, usual_trouble(facts, repeats), v->reason);
        return;
    }
    v->memorised = 2 * count_good(facts, repeats, true) >= good;
    if (2 * good > repeats) {
        say_how_sure(f, v);
    } else {
        say(v->reason, "only %d of %d repeats gave both bounds", good, repeats);
    }
    say_others(f, facts, v->reason);
}

gyre_status find_decide(gyre_find *f) {
    find_curve_facts facts[GYRE_FIND_REPEATS_MAX] = {0};
    gyre_find_verdict *v = &f->verdict;
    size_t row = 0, score = 0;
    for (int r = 0; r < f->options.repeats; r++) {
        const gyre_find_row *rows = f->rows + row;
        find_scores scores = {
            .metric = f->metric, .rows = f->scores + score, .samples = f->samples};
        size_t count = 0;
        for (; row < f->row_count && f->rows[row].repeat == r; row++) count++;
        for (; score < f->score_count && f->scores[score].repeat == r; score++) scores.count++;
        GYRE_TRY(
            find_reads_scores(f)
                ? find_read_scores(&f->options, scores, &f->repeats[r], &facts[r])
                : find_read_curve(&f->options, rows, count, scores, &f->repeats[r], &facts[r]));
    }
    *v = (gyre_find_verdict){0};
    combine(f, v);
    say_verdict(f, facts, v);
    if (v->reliable) v->stepsize = FIND_STEPSIZE * f->steps_per_epoch;
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

/* The best trial above base_lr; NULL when each diverged. */
static const gyre_find_trial *best_above_base(const gyre_find_trial *t) {
    const gyre_find_trial *best = NULL;
    for (int i = HALF_MAX; i <= FOUR_MAX; i++) {
        if (isnan(t[i].loss) || t[i].rate <= t[BASE].rate) continue;
        if (best == NULL || t[i].loss < best->loss) best = &t[i];
    }
    return best;
}

static void judge_base(const gyre_find_trial *t, char *out) {
    const gyre_find_trial *best = best_above_base(t);
    char name[32] = "max_lr";
    if (best != NULL && best != &t[MAX]) snprintf(name, sizeof name, "%.3g", best->rate);
    if (isnan(t[BASE].loss)) {
        say(out, "base_lr is too high: it diverges");
    } else if (best == NULL) {
        say(out, "base_lr is in doubt: every rate tried above it diverges");
    } else if (!better(best, &t[BASE])) {
        say(out, "base_lr is in doubt: it trains as well as %s", name);
    } else if (better(&t[HALF_BASE], &t[BASE])) {
        say(out, "base_lr is in doubt: half of it trains better");
    } else {
        say(out, "base_lr holds: it trains more slowly than %s", name);
    }
}

static void judge_max(const gyre_find_trial *t, char *out) {
    const gyre_find_trial *best = &t[MAX];
    for (int i = TWICE_MAX; i <= FOUR_MAX; i++) {
        if (better(&t[i], best)) best = &t[i];
    }
    if (isnan(t[MAX].loss)) {
        say(out, "max_lr is too high: it diverges");
    } else if (best != &t[MAX]) {
        say(out, "max_lr may be too low: %.3g trains better (loss %.4g against %.4g)", best->rate,
            best->loss, t[MAX].loss);
    } else if (better(&t[HALF_MAX], &t[MAX])) {
        say(out, "max_lr may be too high: %.3g trains better (loss %.4g against %.4g)",
            t[HALF_MAX].rate, t[HALF_MAX].loss, t[MAX].loss);
    } else {
        say(out, "max_lr holds: neither half of it nor more was shown to train better");
    }
}

void find_decide_trials(gyre_find *f) {
    f->verified[0] = '\0';
    judge_base(f->trials, f->verified);
    say(f->verified, "; ");
    judge_max(f->trials, f->verified);
}
