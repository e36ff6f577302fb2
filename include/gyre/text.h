/* Small helpers on names. */
#ifndef GYRE_TEXT_H
#define GYRE_TEXT_H

#include <stddef.h>

/* Levenshtein distance, letter case ignored; for "did you mean". Names longer than 63 are cut. */
int gyre_text_distance(const char *a, const char *b);

/* The one of `names` (NULL at the end) nearest to `wrong`; NULL when the list is empty. */
const char *gyre_text_nearest(const char *wrong, const char *const *names);

#endif
