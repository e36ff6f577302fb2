/* Which arms learned nothing. Internal to src/report. */
#ifndef GYRE_GUESSES_H
#define GYRE_GUESSES_H

#include "words.h"

/* "No better than a guess: 5 cycles: 11.50 %. The most frequent class is 10.00 % of the samples.";
 * "" when every arm learns. */
void gyre_words_guesses(const gyre_evidence *e, char out[GYRE_SENTENCE_MAX]);

#endif
