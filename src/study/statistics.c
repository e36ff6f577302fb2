/* Means, Student's t, sign flips, Holm, bootstrap. Sums run in index order, and what is random is
 * keyed by the number of the draw, so a report made twice says the same. */
#include "gyre/statistics.h"

#include "gyre/random.h"
#include "gyre/realmath.h"
#include "gyre/sort.h"
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

static const gyre_interval unknown = {NAN, NAN};

static double mean_of(const double *values, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) sum += values[i];
    return sum / count;
}

static gyre_interval student_interval(double mean, double sd, int count) {
    double half = gyre_student_quantile(0.975, count - 1) * sd / sqrt(count);
    return (gyre_interval){mean - half, mean + half};
}

gyre_summary gyre_summary_of(const double *values, int count) {
    gyre_summary s = {count, NAN, NAN, unknown};
    if (count < 1) return s;
    s.mean = mean_of(values, count);
    if (count < 2) return s;
    double squares = 0;
    for (int i = 0; i < count; i++) squares += (values[i] - s.mean) * (values[i] - s.mean);
    s.sd = sqrt(squares / (count - 1));
    s.interval = student_interval(s.mean, s.sd, count);
    return s;
}

/* ---- Student's t */

/* The share of |T| below sqrt(degrees) tan(pi x), 0 <= x < 1/2. */
static double within(double x, int degrees) {
    double c = gyre_cospi(x), s = gyre_sinpi(x), term, sum = 0;
    bool odd = degrees % 2 == 1;
    term = odd ? c : 1;
    for (int k = odd ? 1 : 0; k <= degrees - 2; k += 2) {
        sum += term;
        term *= c * c * (k + 1) / (k + 2);
    }
    return odd ? 2 * x + s * sum * 0x1.45f306dc9c883p-1 : s * sum; /* 2 / pi */
}

double gyre_student_quantile(double p, int degrees) {
    if (p < 0.5) return -gyre_student_quantile(1 - p, degrees);
    double low = 0, high = 0.5, share = 2 * p - 1;
    for (int i = 0; i < 60; i++) {
        double x = 0.5 * (low + high);
        *(within(x, degrees) < share ? &low : &high) = x;
    }
    return sqrt(degrees) * gyre_sinpi(low) / gyre_cospi(low);
}

/* ---- sign flips */

enum { EXACT_MAX = 20, DRAWS = 99999 };

typedef struct {
    const double *values;
    int count;
    double bound; /* a sum at least as far from 0 counts */
    int64_t found;
} flips;

/* Both signs of value i and of all after it. */
static void flip(flips *f, int i, double sum) {
    if (i == f->count) {
        f->found += fabs(sum) >= f->bound;
        return;
    }
    flip(f, i + 1, sum + f->values[i]);
    flip(f, i + 1, sum - f->values[i]);
}

static void draw_flips(flips *f) {
    for (uint64_t k = 0; k < DRAWS; k++) {
        gyre_random r = gyre_random_open(0, GYRE_RANDOM_FLIPS, k, 0);
        double sum = 0;
        for (int i = 0; i < f->count; i++) {
            sum += gyre_random_u32(&r) & 1 ? f->values[i] : -f->values[i];
        }
        f->found += fabs(sum) >= f->bound;
    }
}

double gyre_sign_flip_p(const double *differences, int count) {
    double sum = 0, size = 0;
    for (int i = 0; i < count; i++) {
        sum += differences[i];
        size += fabs(differences[i]);
    }
    /* Sums that are equal in real numbers differ by a few roundings of `size`. */
    flips f = {differences, count, fabs(sum) - 1e-12 * size, 0};
    if (count <= EXACT_MAX) {
        flip(&f, 0, 0);
        return scalbn((double)f.found, -count);
    }
    draw_flips(&f);
    return (1.0 + (double)f.found) / (1 + DRAWS);
}

double gyre_sign_flip_least(int count) {
    if (count > EXACT_MAX) return 1.0 / (1 + DRAWS);
    return count < 1 ? 1 : scalbn(2, -count);
}

double gyre_holm_of(const double *p, int count, int i) {
    double most = 0;
    for (int j = 0; j < count; j++) {
        if (p[j] > p[i]) continue;
        int questions = 0; /* still open when p[j] is asked */
        for (int k = 0; k < count; k++) questions += p[k] >= p[j];
        most = fmax(most, questions * p[j]);
    }
    return fmin(most, 1);
}

/* ---- bootstrap */

gyre_interval gyre_bootstrap_interval(const double *values, int count) {
    enum { RESAMPLES = 9999, CUT = 250 }; /* 2.5 % of 10,000 gaps between sorted means */
    double means[RESAMPLES];
    if (count < GYRE_BOOTSTRAP_SEEDS) return unknown;
    for (uint64_t k = 0; k < RESAMPLES; k++) {
        gyre_random r = gyre_random_open(0, GYRE_RANDOM_BOOTSTRAP, k, 0);
        double sum = 0;
        for (int i = 0; i < count; i++) sum += values[gyre_random_below(&r, (uint32_t)count)];
        means[k] = sum / count;
    }
    qsort(means, RESAMPLES, sizeof means[0], gyre_sort_rising);
    return (gyre_interval){means[CUT - 1], means[RESAMPLES - CUT]};
}

int gyre_seeds_needed(const gyre_summary *differences, int questions) {
    enum { MOST = 1000 };
    for (int n = 2; n <= MOST; n++) {
        gyre_interval i = student_interval(differences->mean, differences->sd, n);
        bool excludes = i.low > 0 || i.high < 0; /* NaN does not */
        if (excludes && questions * gyre_sign_flip_least(n) <= GYRE_SIGNIFICANT) return n;
    }
    return 0;
}
