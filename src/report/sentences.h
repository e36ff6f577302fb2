/* What the results say, in plain sentences. Internal to src/report.
 *
 * Each writes one sentence or two into `out`, cut to REPORT_SENTENCE_MAX bytes; plain text, to be
 * escaped by who puts it into a page. */
#ifndef GYRE_REPORT_SENTENCES_H
#define GYRE_REPORT_SENTENCES_H

#include "labels.h"

/* "10 cycles beat the constant midpoint by 0.41 points (95 % interval 0.12 to 0.70, 6 seeds,
 * p = 0.03)." and what else can be said of two arms. */
void report_comparison(const gyre_results *e, const gyre_comparison *c,
                       char out[REPORT_SENTENCE_MAX]);
/* That cells were computed on unlike machines; "" when they were not, or nothing is known. */
void report_machines(const gyre_results *e, char out[REPORT_SENTENCE_MAX]);
/* What one more seed would tell of a comparison. */
void report_one_more(const gyre_results *e, const gyre_comparison *c,
                     char out[REPORT_SENTENCE_MAX]);
/* How many comparisons there are and which of them can survive the correction. */
void report_correction(const gyre_results *e, char out[REPORT_SENTENCE_MAX]);
/* "No better than a guess: 5 cycles: 11.50 %. The most frequent class is 10.00 % of the samples.";
 * "" when every arm learns. */
void report_guesses(const gyre_results *e, char out[REPORT_SENTENCE_MAX]);

#endif
