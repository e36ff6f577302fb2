/* Curves with a known beginning and end, for tests of what is read off them. */
#ifndef GYRE_TESTS_FIND_RIG_H
#define GYRE_TESTS_FIND_RIG_H

#include "../../src/find/curve.h"
#include "../../src/find/rules.h"
#include "../../src/find/sweep.h"
#include "../../src/find/verdict.h"

#include "gyre/random.h"
#include <math.h>
#include <stdlib.h>

static const gyre_find_options exponential = {.from = 1e-6, .to = 10, .steps = 700, .repeats = 1};

/* Over x = log10(rate) from -6: 2.3 until `begin`, straight down to 0.8 at `end`, flat, then up by
 * 6 a decade from `blow`. */
typedef struct {
    double begin, end, blow, noise;
} shape;

static inline gyre_find_row *draw(const gyre_find_options *o, const shape *s, uint64_t seed) {
    gyre_find_row *rows = calloc((size_t)o->steps, sizeof *rows);
    gyre_random r = gyre_random_open(seed, GYRE_RANDOM_TEST, 1, 0);
    for (int64_t k = 0; k < o->steps; k++) {
        double lr = find_sweep_rate(o, k), x = log10(lr);
        double share = (x - s->begin) / (s->end - s->begin);
        double loss = 2.3 - 1.5 * fmin(1, fmax(0, share)) + 6 * fmax(0, x - s->blow);
        loss += s->noise * gyre_random_normal(&r);
        rows[k] = (gyre_find_row){.step = k, .lr = lr, .loss = loss, .smooth = loss};
    }
    return rows;
}

/* Within a fifth of a decade, the width of two windows of the median. */
static inline bool near(double rate, double exponent) {
    return fabs(log10(rate) - exponent) < 0.2;
}

#endif
