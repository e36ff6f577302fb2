/* What the trials say: the range, its plateau, or why there is none. Internal to src/find. */
#ifndef GYRE_FIND_RANGE_H
#define GYRE_FIND_RANGE_H

#include "ladder.h"

/* The ladder that f's trials are of, as far as find_ladder_best() needs it. */
find_ladder find_ladder_of(const gyre_find *f);

/* Scores that differ by less are as good, of `seeds` runs each. Of a share of the samples: one
 * standard error of the difference of two shares of as many samples, were they drawn apart; they
 * are the same samples, which makes it smaller, and the runs differ besides, which makes it larger.
 * Else a 100th of the score. */
double find_noise(const gyre_find *f, double score, int64_t seeds);

/* f->range from f->cycles; UNTRIED unless they are complete. */
gyre_status find_decide_range(gyre_find *f);

#endif
