/* fastai's four rules: single rates off one curve. Internal to src/find. */
#ifndef GYRE_FIND_RULES_H
#define GYRE_FIND_RULES_H

#include "gyre/find.h"

/* Single rates by the rules of fastai (2.x, callback/schedule.py), on a curve of smoothed losses
 * over rising rates; `asked` is how many steps the sweep should have had. Its first asked / 10 and
 * last 5 points are left out, as there. NaN when that leaves fewer than two (for slide, 17).
 *   valley   a third, and a half of that, along the longest falling subsequence
 *   slide    the left of two points 15 apart that slide down from the right until the slopes of
 *            the loss there differ by no more than 0.005
 *   minimum  the rate of the least loss, divided by 10
 *   steep    where the loss falls fastest over log(rate) */
double find_valley(const gyre_find_row *rows, size_t count, int64_t asked);
double find_slide(const gyre_find_row *rows, size_t count, int64_t asked);
double find_minimum(const gyre_find_row *rows, size_t count, int64_t asked);
double find_steep(const gyre_find_row *rows, size_t count, int64_t asked);

#endif
