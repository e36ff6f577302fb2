/* Reading base_lr and max_lr off one curve; see find_rules.h. */
#include "find_rules.h"

#include "gyre/realmath.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SCORES_MIN = 10 };

/* A curve to be made small. */
typedef struct {
    size_t count, half;  /* points; half a window of the median */
    double *x, *y;       /* log(rate); smoothed, +INFINITY where not finite */
    double *raw, *jumps; /* likewise unsmoothed; distance from each to the next */
    double *work;        /* room for a window */
} curve;

static int by_size(const void *a, const void *b) {
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* The median of up to 2 * half + 1 values of `of` around i, fewer at the ends. */
static double median_at(const curve *c, const double *of, size_t count, size_t i, size_t half) {
    size_t first = i < half ? 0 : i - half;
    size_t last = i + half < count ? i + half : count - 1, n = last - first + 1;
    memcpy(c->work, of + first, n * sizeof *c->work);
    qsort(c->work, n, sizeof *c->work, by_size);
    return n % 2 == 1 ? c->work[n / 2] : 0.5 * (c->work[n / 2 - 1] + c->work[n / 2]);
}

static gyre_status open_curve(curve *c, size_t count, size_t half) {
    *c = (curve){.count = count, .half = half};
    c->x = calloc(5 * count + 1, sizeof *c->x);
    if (c->x == NULL) return gyre_fail(GYRE_EDEVICE, "no memory to read a curve");
    c->y = c->x + count;
    c->raw = c->y + count;
    c->jumps = c->raw + count;
    c->work = c->jumps + count;
    return GYRE_OK;
}

static void smooth(curve *c) {
    for (size_t i = 0; i < c->count; i++) c->y[i] = median_at(c, c->raw, c->count, i, c->half);
    for (size_t i = 0; i + 1 < c->count; i++) {
        double jump = fabs(c->raw[i + 1] - c->raw[i]);
        c->jumps[i] = isnan(jump) ? INFINITY : jump; /* between two that are not finite */
    }
}

/* Standard error of the smoothed value at i: that of a median, 1.2533 sigma / sqrt(n). Sigma is
 * 1.4826 / sqrt(2) times the median jump from one raw value to the next, over four windows: unlike
 * distances from the smoothed curve, jumps are not the smaller for what it follows of the noise. */
static double error_at(const curve *c, size_t i) {
    double jump = median_at(c, c->jumps, c->count - 1, i < c->count - 1 ? i : i - 1, 4 * c->half);
    return 1.2533 * 1.4826 * sqrt(0.5) * jump / sqrt((double)(2 * c->half + 1));
}

static size_t least(const curve *c) {
    size_t at = 0;
    for (size_t i = 1; i < c->count; i++) {
        if (c->y[i] < c->y[at]) at = i;
    }
    return at;
}

/* log(rate) where the tangent of the steepest octave up to `best` meets `start`; below the first
 * rate when there is no octave that falls. */
static double onset(const curve *c, size_t best, double start) {
    const double octave = 0.69314718055994531;
    double steepest = 0, found = -INFINITY;
    for (size_t i = 0, j = 0; i < best; i++) {
        while (j < best && c->x[j] < c->x[i] + octave) j++;
        if (c->x[j] < c->x[i] + octave) break;
        double slope = (c->y[i] - c->y[j]) / (c->x[j] - c->x[i]);
        if (!(slope > steepest)) continue;
        steepest = slope;
        found = c->x[i] - (start - c->y[i]) / slope;
    }
    return found;
}

/* The first point that is not above the least one by more than `error`. */
static size_t soon_enough(const curve *c, size_t best, double error) {
    size_t i = best;
    for (size_t k = 0; k < best; k++) {
        if (c->y[k] <= c->y[best] + error) {
            i = k;
            break;
        }
    }
    return i;
}

/* ---- accuracy */

/* Accuracies are few: a median of three, and the error of a share among `samples`. NAN: too few. */
static gyre_status max_by_accuracy(const gyre_find_score *scores, size_t count, int64_t samples,
                                   double *out) {
    curve c;
    *out = NAN;
    if (count < SCORES_MIN || samples < 1) return GYRE_OK;
    GYRE_TRY(open_curve(&c, count, 1));
    for (size_t i = 0; i < count; i++) c.raw[i] = -scores[i].accuracy;
    smooth(&c);
    size_t best = least(&c);
    double p = -c.y[best];
    *out = scores[soon_enough(&c, best, sqrt(p * (1 - p) / (double)samples))].lr;
    free(c.x);
    return GYRE_OK;
}

/* ---- the whole curve */

static void read_loss(curve *c, const gyre_find_row *rows, const gyre_find_options *o,
                      gyre_find_marks *marks, gyre_curve_facts *facts) {
    /* 7 errors: the least of some 40 windows is easily 3 below, and the first one 2 above */
    const double significant = 7, worth = 0.05, nothing = 0.01, by_heart = 0.05;
    size_t best = least(c), window = 2 * c->half + 1;
    facts->start = c->y[c->half];
    facts->best = c->y[best];
    double drop = facts->start - facts->best;
    double early = error_at(c, c->half);
    double late = error_at(c, best);
    facts->noise = early > late ? early : late;
    for (size_t i = best; i < c->count && isnan(marks->diverged); i++) {
        if (c->y[i] <= facts->best + 0.5 * drop || i == 0) continue;
        marks->diverged = rows[i].lr;
        marks->third = rows[i - 1].lr / 3;
    }
    if (isnan(marks->diverged) && c->count < (size_t)o->steps) {
        marks->diverged = rows[c->count - 1].lr;
        marks->third = rows[c->count - 2].lr / 3;
    }
    bool falls = drop > worth * fabs(facts->start);
    if (!falls || !(drop > significant * facts->noise)) {
        facts->kind = falls ? GYRE_CURVE_NOISY : GYRE_CURVE_FLAT;
        marks->diverged = marks->third = NAN;
        return;
    }
    double base = onset(c, best, facts->start);
    size_t enough = soon_enough(c, best, late > nothing * drop ? late : nothing * drop);
    bool whole = c->count == (size_t)o->steps && isnan(marks->diverged);
    facts->kind = base < c->x[window]                    ? GYRE_CURVE_EARLY
                  : whole && enough + window >= c->count ? GYRE_CURVE_RISING
                                                         : GYRE_CURVE_GOOD;
    facts->by_heart = facts->best < by_heart * facts->start;
    if (facts->kind != GYRE_CURVE_EARLY) marks->base_lr = gyre_exp(base);
    if (facts->kind != GYRE_CURVE_RISING) marks->max_lr = rows[enough].lr;
}

static size_t half_window(const gyre_find_options *o) {
    return (size_t)o->steps / 80 > 2 ? (size_t)o->steps / 80 : 2;
}

static gyre_status open_losses(curve *c, const gyre_find_options *o, const gyre_find_row *rows,
                               size_t count) {
    GYRE_TRY(open_curve(c, count, half_window(o)));
    for (size_t i = 0; i < count; i++) {
        c->x[i] = gyre_log(rows[i].lr);
        c->raw[i] = isfinite(rows[i].loss) ? rows[i].loss : INFINITY;
    }
    smooth(c);
    return GYRE_OK;
}

gyre_status gyre_find_smooth(const gyre_find *f, double **out) {
    double *all = malloc((f->row_count + 1) * sizeof *all);
    if (all == NULL) return gyre_fail(GYRE_EDEVICE, "no memory to smooth a curve");
    for (size_t first = 0, last; first < f->row_count; first = last) {
        curve c;
        for (last = first; last < f->row_count; last++) {
            if (f->rows[last].repeat != f->rows[first].repeat) break;
        }
        gyre_status status = open_losses(&c, &f->options, f->rows + first, last - first);
        if (status != GYRE_OK) {
            free(all);
            return status;
        }
        memcpy(all + first, c.y, (last - first) * sizeof *all);
        free(c.x);
    }
    *out = all;
    return GYRE_OK;
}

gyre_status gyre_find_read_curve(const gyre_find_options *o, const gyre_find_row *rows,
                                 size_t count, const gyre_find_score *scores, size_t score_count,
                                 int64_t samples, gyre_find_marks *marks, gyre_curve_facts *facts) {
    curve c = {0};
    double accurate = NAN;
    *facts = (gyre_curve_facts){.kind = GYRE_CURVE_SHORT};
    *marks = (gyre_find_marks){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    if (count > 0) facts->last = rows[count - 1].lr;
    if (count < 4 * half_window(o) + 2) return GYRE_OK;
    GYRE_TRY(open_losses(&c, o, rows, count));
    read_loss(&c, rows, o, marks, facts);
    free(c.x);
    if (!facts->by_heart) GYRE_TRY(max_by_accuracy(scores, score_count, samples, &accurate));
    if (accurate < marks->max_lr && accurate > marks->base_lr) marks->max_lr = accurate;
    marks->valley = gyre_find_valley(rows, count, o->steps);
    marks->slide = gyre_find_slide(rows, count, o->steps);
    marks->minimum = gyre_find_minimum(rows, count, o->steps);
    marks->steep = gyre_find_steep(rows, count, o->steps);
    return GYRE_OK;
}
