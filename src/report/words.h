/* What the evidence says, in plain sentences. Internal to src/report.
 *
 * Each writes one sentence or two into `out`, cut to GYRE_SENTENCE_MAX bytes; plain text, to be
 * escaped by who puts it into a page. */
#ifndef GYRE_WORDS_H
#define GYRE_WORDS_H

#include "evidence.h"
#include <stdbool.h>
#include <stddef.h>

enum { GYRE_SENTENCE_MAX = 1024, GYRE_NAME_MAX = 128 };

/* Appends to a sentence. */
void gyre_words_add(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An arm as one speaks of it: "10 cycles", "the constant midpoint". */
void gyre_words_arm(const gyre_evidence *e, int arm, char out[GYRE_NAME_MAX]);
/* "p = 0.031", "p < 0.001"; `kind` is put before: "corrected ". */
void gyre_words_p(const char *kind, double p, char out[GYRE_NAME_MAX]);
const char *gyre_words_state_key(gyre_cell_state state);   /* one word, for tables */
const char *gyre_words_state(const gyre_evidence_cell *c); /* and what is odd about it */
const char *gyre_words_finding(gyre_finding finding);      /* one word, for tables */
const char *gyre_words_part(const gyre_evidence *e); /* "validation", "test": what is measured */

/* "10 cycles beat the constant midpoint by 0.41 points (95 % interval 0.12 to 0.70, 6 seeds,
 * p = 0.03)." and what else can be said of two arms. */
void gyre_words_comparison(const gyre_evidence *e, const gyre_comparison *c,
                           char out[GYRE_SENTENCE_MAX]);
/* The keys, besides those of the schedule, in which two arms differ: "optimizer.momentum, the
 * dataset"; "" when there are none. Of an arm that was not begun the dataset alone is known. */
gyre_status gyre_words_differing(const gyre_evidence *e, int arm, int other,
                                 char out[GYRE_SENTENCE_MAX]);
/* The same of all arms that are compared with each other. */
gyre_status gyre_words_all_differing(const gyre_evidence *e, char out[GYRE_SENTENCE_MAX]);
/* That cells were computed on unlike machines; "" when they were not, or nothing is known. */
void gyre_words_machines(const gyre_evidence *e, char out[GYRE_SENTENCE_MAX]);
/* The one sentence of the page: of the planned comparison, else of each group's leader. */
void gyre_words_verdict(const gyre_evidence *e, int group, char out[GYRE_SENTENCE_MAX]);
/* Which arm the study would choose, and which ones cannot be told from it. */
void gyre_words_choice(const gyre_evidence *e, int group, char out[GYRE_SENTENCE_MAX]);
/* What one more seed would tell of a comparison. */
void gyre_words_one_more(const gyre_evidence *e, const gyre_comparison *c,
                         char out[GYRE_SENTENCE_MAX]);
/* How many comparisons there are and which of them can survive the correction. */
void gyre_words_correction(const gyre_evidence *e, char out[GYRE_SENTENCE_MAX]);
/* The comparison that a group's verdict is about; NULL: there is none. */
const gyre_comparison *gyre_words_main(const gyre_evidence *e, int group);

#endif
