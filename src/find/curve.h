/* What gyre reads off one curve of a range test: a pure function of its points. Internal to
 * src/find. */
#ifndef GYRE_FIND_CURVE_H
#define GYRE_FIND_CURVE_H

#include "gyre/find.h"

enum { FIND_SAMPLES_MIN = 50 /* for a share to be read: a sample of fewer is above 2 % of it */ };

/* Over rising rates. Losses are smoothed by a running
 * median of a 40th of the asked steps, which unlike a mean does not see a blow-up before it comes.
 *
 * base_lr: the tangent of the steepest octave (rates r to 2 r), drawn on until it meets the level
 * of the beginning: where the curve begins to improve. max_lr: the smallest rate whose loss is not
 * significantly above the least: by one standard error (Breiman et al., "Classification and
 * regression trees", 1984, section 3.4.3), so that noise beside the minimum does not decide, or a
 * 100th of the whole fall, since loss that goes to zero falls for ever. A curve that loses half
 * of its fall is read up to there, whatever it does at higher rates. The scores,
 * where there are enough and their metric is a share of the samples, are read likewise, and the
 * smaller rate is taken: at high rates they become ragged before the loss. */
typedef enum {
    FIND_CURVE_GOOD,
    FIND_CURVE_SHORT,  /* it diverged before there was anything to read */
    FIND_CURVE_FLAT,   /* it never improves by 5 %, of scores 1 % */
    FIND_CURVE_NOISY,  /* it improves, but by no more than noise may do */
    FIND_CURVE_EARLY,  /* it improves from the first rate on */
    FIND_CURVE_RISING, /* it is best at the last rate */
} find_curve_kind;
typedef struct {
    find_curve_kind kind;
    double start, best, noise; /* loss: of the beginning, least, and what it is uncertain by */
    double last;               /* rate of the last row */
    bool memorised; /* the loss went to less than a 20th: the samples were memorised, the rate was
                       not too high */
} find_curve_facts;
/* Bounds are read off the losses of the scores, not off those of the steps. */
static inline bool find_reads_scores(const gyre_find *f) {
    return f->metric->is_paired && f->samples > 0;
}
/* What was scored along the curve: `count` times on `samples` samples; all 0: nothing. */
typedef struct {
    const gyre_metric *metric;
    const gyre_find_score *rows;
    size_t count;
    int64_t samples;
} find_scores;

gyre_status find_read_curve(const gyre_find_options *o, const gyre_find_row *rows, size_t count,
                            find_scores scores, gyre_find_marks *marks, find_curve_facts *facts);

/* The same off the losses of the scores, where their metric is paired: they have no noise but the
 * network's, so that a median of three is enough, and a fall of 1 %. */
gyre_status find_read_scores(const gyre_find_options *o, find_scores scores, gyre_find_marks *marks,
                             find_curve_facts *facts);

#endif
