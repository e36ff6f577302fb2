/* What a curve of a range test says: pure functions of its points. Internal to src/run. */
#ifndef GYRE_RUN_FIND_RULES_H
#define GYRE_RUN_FIND_RULES_H

#include "gyre/find.h"

/* Single rates by the rules of fastai (2.x, callback/schedule.py), on a curve of smoothed losses
 * over rising rates; `asked` is how many steps the sweep should have had. Its first asked / 10 and
 * last 5 points are left out, as there. NaN when that leaves fewer than two (for slide, 17).
 *   valley   a third, and a half of that, along the longest falling subsequence
 *   slide    the left of two points 15 apart that slide down from the right until the slopes of
 *            the loss there differ by no more than 0.005
 *   minimum  the rate of the least loss, divided by 10
 *   steep    where the loss falls fastest over log(rate) */
double gyre_find_valley(const gyre_find_row *rows, size_t count, int64_t asked);
double gyre_find_slide(const gyre_find_row *rows, size_t count, int64_t asked);
double gyre_find_minimum(const gyre_find_row *rows, size_t count, int64_t asked);
double gyre_find_steep(const gyre_find_row *rows, size_t count, int64_t asked);

/* What gyre reads off one curve of losses over rising rates. Losses are smoothed by a running
 * median of a 40th of the asked steps, which unlike a mean does not see a blow-up before it comes.
 *
 * base_lr: the tangent of the steepest octave (rates r to 2 r), drawn on until it meets the level
 * of the beginning: where the curve begins to improve. max_lr: the smallest rate whose loss is not
 * significantly above the least: by one standard error (Breiman et al., "Classification and
 * regression trees", 1984, section 3.4.3), so that noise beside the minimum does not decide, or a
 * 100th of the whole fall, since loss that goes to zero falls for ever. The scores' accuracies,
 * where there are enough, are read likewise, and the smaller rate is taken: at high rates accuracy
 * becomes ragged before the loss. */
typedef enum {
    GYRE_CURVE_GOOD,
    GYRE_CURVE_SHORT,  /* it diverged before there was anything to read */
    GYRE_CURVE_FLAT,   /* it never improves by 5 % */
    GYRE_CURVE_NOISY,  /* it improves, but by no more than noise may do */
    GYRE_CURVE_EARLY,  /* it improves from the first rate on */
    GYRE_CURVE_RISING, /* it is best at the last rate */
} gyre_curve_kind;
typedef struct {
    gyre_curve_kind kind;
    double start, best, noise; /* loss: of the beginning, least, and what it is uncertain by */
    double last;               /* rate of the last row */
    bool by_heart; /* the loss went to less than a 20th: it fell for want of samples, not of rate */
} gyre_curve_facts;
gyre_status gyre_find_read_curve(const gyre_find_options *o, const gyre_find_row *rows,
                                 size_t count, const gyre_find_score *scores, size_t score_count,
                                 int64_t samples, gyre_find_marks *marks, gyre_curve_facts *facts);

/* f->repeats and f->verdict from its rows and scores. */
gyre_status gyre_find_judge(gyre_find *f);

/* f->verified from its trials. */
void gyre_find_judge_trials(gyre_find *f);

enum {
    GYRE_FIND_STEPS_MIN = 40,
    GYRE_FIND_STEPSIZE = 4,    /* epochs, suggested */
    GYRE_FIND_SAMPLES_MIN = 50 /* for accuracies to be read: one of fewer is above 2 points */
};

#endif
