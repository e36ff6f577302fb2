/* Misspelt names: which one may be meant, for "did you mean". */
#ifndef GYRE_NAMES_H
#define GYRE_NAMES_H

#include <stdbool.h>

/* Levenshtein distance, letter case ignored. Names longer than 63 are cut. */
int gyre_name_distance(const char *a, const char *b);

/* Few enough letters differ for the length of `wrong` that `name` may be meant. */
bool gyre_name_is_near(const char *wrong, const char *name);

/* The one of `names` (NULL at the end) nearest to `wrong`; NULL when none may be meant. */
const char *gyre_name_nearest(const char *wrong, const char *const *names);

#endif
