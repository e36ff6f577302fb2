/* Reading base_lr and max_lr off one curve; see curve.h. */
#include "curve.h"

#include "gyre/realmath.h"
#include "gyre/sort.h"
#include "rules.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SCORES_MIN = 10 };

/* What a fall is: so many errors (the least of some 40 windows is easily 3 below, and the first one
 * 2 above), and such a share of the loss. */
static const double significant = 7, worth = 0.05, worth_of_scores = 0.01;

/* A curve whose least value is looked for. */
typedef struct {
    size_t count, half;  /* points; half a window of the median */
    double worth;        /* share of the loss that a fall has */
    double *x, *y;       /* log(rate); smoothed, +INFINITY where not finite */
    double *raw, *jumps; /* likewise unsmoothed; distance from each to the next */
    double *work;        /* room for a window */
} curve;

/* The median of up to 2 * half + 1 values of `of` around i, fewer at the ends. */
static double median_at(const curve *c, const double *of, size_t count, size_t i, size_t half) {
    size_t first = i < half ? 0 : i - half;
    size_t last = i + half < count ? i + half : count - 1, n = last - first + 1;
    memcpy(c->work, of + first, n * sizeof *c->work);
    return gyre_sort_median(c->work, n);
}

static gyre_status open_curve(curve *c, size_t count, size_t half) {
    *c = (curve){.count = count, .half = half, .worth = worth};
    c->x = calloc(5 * count + 1, sizeof *c->x);
    if (c->x == NULL) return gyre_no_memory("reading a curve");
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

/* The onset of learning, as log(rate): where the tangent of the steepest octave up to `best` meets
 * the loss of the `start`; below the first rate when there is no octave that falls. */
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
static size_t first_near(const curve *c, size_t best, double error) {
    size_t i = best;
    for (size_t k = 0; k < best; k++) {
        if (c->y[k] <= c->y[best] + error) {
            i = k;
            break;
        }
    }
    return i;
}

/* ---- the metric */

/* Scores are few: a median of three, and the error of a share among `samples`. A sample whose
 * pixels have a class each counts as one: its pixels are not independent, and no mean of values
 * from 0 to 1 has a larger variance than p (1 - p) / samples. NAN: too few, or the metric is no
 * share, whose error one score does not tell. */
static gyre_status max_by_metric(find_scores s, double *out) {
    curve c;
    *out = NAN;
    if (s.count < SCORES_MIN || s.samples < FIND_SAMPLES_MIN) return GYRE_OK;
    if (!s.metric->is_share) return GYRE_OK;
    double sign = s.metric->greater_is_better ? -1 : 1; /* a curve is best where it is least */
    GYRE_TRY(open_curve(&c, s.count, 1));
    for (size_t i = 0; i < s.count; i++) c.raw[i] = sign * s.rows[i].metric;
    smooth(&c);
    size_t best = least(&c);
    double p = sign * c.y[best];
    *out = s.rows[first_near(&c, best, sqrt(p * (1 - p) / (double)s.samples))].lr;
    free(c.x);
    return GYRE_OK;
}

/* ---- the whole curve */

/* From where to where the loss falls, and whether that is more than noise. GOOD: it is. */
static find_curve_kind measure_fall(const curve *c, size_t best, find_curve_facts *facts) {
    facts->start = c->y[c->half];
    facts->best = c->y[best];
    facts->noise = fmax(error_at(c, c->half), error_at(c, best));
    double drop = facts->start - facts->best;
    if (!(drop > c->worth * fabs(facts->start))) return FIND_CURVE_FLAT;
    return drop > significant * facts->noise ? FIND_CURVE_GOOD : FIND_CURVE_NOISY;
}

/* A sweep may blow up, recover at higher rates and become better than before: what comes after a
 * curve has lost half of its fall tells nothing of the rates before. The rise to `at` must be more
 * than noise; a blow-up is plain also where the fall before it is not. */
static bool has_blown_up(const curve *c, size_t best, size_t at) {
    double start = c->y[c->half], drop = start - c->y[best], rise = c->y[at] - c->y[best];
    if (!(drop > c->worth * fabs(start) && rise > 0.5 * drop)) return false;
    return rise > significant * fmax(error_at(c, c->half), error_at(c, best));
}

static size_t best_before_blow_up(const curve *c) {
    size_t best = 0, peak = 0; /* the highest point since the best one */
    for (size_t i = 1; i < c->count; i++) {
        if (c->y[i] < c->y[best]) best = peak = i;
        if (!(c->y[i] > c->y[peak])) continue;
        peak = i;
        if (has_blown_up(c, best, peak)) break;
    }
    return best;
}

static void mark_divergence(const gyre_find_row *rows, size_t at, gyre_find_marks *marks) {
    marks->diverged = rows[at].lr;
    if (at > 0) marks->third = rows[at - 1].lr / 3;
}

/* A sweep that diverges ends early, or at what is not finite: no fall is needed to see that. */
static void find_end(const gyre_find_row *rows, size_t count, int64_t asked,
                     gyre_find_marks *marks) {
    size_t i = 0;
    while (i < count && isfinite(rows[i].loss) && isfinite(rows[i].smooth)) i++;
    if (i == count && count > 0 && count < (size_t)asked) i = count - 1;
    if (i < count) mark_divergence(rows, i, marks);
}

/* Where half of the fall is lost again, which comes before the end; nothing when it is not. */
static void find_loss_of_half(const curve *c, size_t best, const gyre_find_row *rows,
                              const find_curve_facts *facts, gyre_find_marks *marks) {
    double half = facts->best + 0.5 * (facts->start - facts->best);
    for (size_t i = best + 1; i < c->count; i++) {
        if (c->y[i] <= half) continue;
        mark_divergence(rows, i, marks);
        break;
    }
}

/* base_lr and max_lr, and which kind of curve they are read off. */
static find_curve_kind find_bounds(const curve *c, size_t best, const gyre_find_row *rows,
                                   const gyre_find_options *o, const find_curve_facts *facts,
                                   gyre_find_marks *marks) {
    const double nothing = 0.01;
    double base = onset(c, best, facts->start), late = error_at(c, best);
    double drop = facts->start - facts->best;
    size_t enough = first_near(c, best, fmax(late, nothing * drop)), window = 2 * c->half + 1;
    bool whole = c->count == (size_t)o->steps && isnan(marks->diverged);
    bool early = base < c->x[window], rising = whole && enough + window >= c->count;
    if (!early) marks->base_lr = gyre_exp(base);
    if (!rising) marks->max_lr = rows[enough].lr;
    return early ? FIND_CURVE_EARLY : rising ? FIND_CURVE_RISING : FIND_CURVE_GOOD;
}

static void read_loss(const curve *c, const gyre_find_row *rows, const gyre_find_options *o,
                      gyre_find_marks *marks, find_curve_facts *facts) {
    const double nothing_left = 0.05;
    size_t best = best_before_blow_up(c);
    facts->kind = measure_fall(c, best, facts);
    if (facts->kind != FIND_CURVE_GOOD) return;
    facts->memorised = facts->best < nothing_left * facts->start;
    find_loss_of_half(c, best, rows, facts, marks);
    facts->kind = find_bounds(c, best, rows, o, facts, marks);
}

static size_t half_window(const gyre_find_options *o) {
    return (size_t)o->steps / 80 > 2 ? (size_t)o->steps / 80 : 2;
}

static gyre_status open_losses(curve *c, size_t half, const gyre_find_row *rows, size_t count) {
    GYRE_TRY(open_curve(c, count, half));
    for (size_t i = 0; i < count; i++) {
        c->x[i] = gyre_log(rows[i].lr);
        c->raw[i] = isfinite(rows[i].loss) ? rows[i].loss : INFINITY;
    }
    smooth(c);
    return GYRE_OK;
}

gyre_status gyre_find_smooth(const gyre_find *f, double **out) {
    double *all = malloc((f->row_count + 1) * sizeof *all);
    if (all == NULL) return gyre_no_memory("smoothing a curve");
    for (size_t first = 0, last; first < f->row_count; first = last) {
        curve c;
        for (last = first; last < f->row_count; last++) {
            if (f->rows[last].repeat != f->rows[first].repeat) break;
        }
        gyre_status status =
            open_losses(&c, half_window(&f->options), f->rows + first, last - first);
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

/* Of a curve of `o`->steps points, if it went to its end. */
static gyre_status read_curve(const gyre_find_options *o, size_t half, double share,
                              const gyre_find_row *rows, size_t count, gyre_find_marks *marks,
                              find_curve_facts *facts) {
    curve c = {0};
    *facts = (find_curve_facts){.kind = FIND_CURVE_SHORT};
    *marks = (gyre_find_marks){NAN, NAN, NAN, NAN, NAN, NAN, NAN, NAN};
    if (count > 0) facts->last = rows[count - 1].lr;
    find_end(rows, count, o->steps, marks);
    if (count < 4 * half + 2) return GYRE_OK;
    GYRE_TRY(open_losses(&c, half, rows, count));
    c.worth = share;
    read_loss(&c, rows, o, marks, facts);
    free(c.x);
    marks->valley = find_valley(rows, count, o->steps);
    marks->slide = find_slide(rows, count, o->steps);
    marks->minimum = find_minimum(rows, count, o->steps);
    marks->steep = find_steep(rows, count, o->steps);
    return GYRE_OK;
}

gyre_status find_read_curve(const gyre_find_options *o, const gyre_find_row *rows, size_t count,
                            find_scores scores, gyre_find_marks *marks, find_curve_facts *facts) {
    double scored = NAN;
    GYRE_TRY(read_curve(o, half_window(o), worth, rows, count, marks, facts));
    if (facts->kind == FIND_CURVE_SHORT) return GYRE_OK;
    if (!facts->memorised) GYRE_TRY(max_by_metric(scores, &scored));
    if (scored < marks->max_lr && scored > marks->base_lr) marks->max_lr = scored;
    return GYRE_OK;
}

gyre_status find_read_scores(const gyre_find_options *o, find_scores scores, gyre_find_marks *marks,
                             find_curve_facts *facts) {
    gyre_find_options asked = *o;
    gyre_find_row *rows = calloc(scores.count + 1, sizeof *rows);
    if (rows == NULL) return gyre_no_memory("reading a curve");
    asked.steps = (o->steps + o->every - 1) / o->every;
    for (size_t i = 0; i < scores.count; i++) {
        const gyre_find_score *s = &scores.rows[i];
        rows[i] = (gyre_find_row){.step = s->step, .lr = s->lr, .loss = s->loss, .smooth = s->loss};
    }
    gyre_status status = read_curve(&asked, 1, worth_of_scores, rows, scores.count, marks, facts);
    free(rows);
    return status;
}
