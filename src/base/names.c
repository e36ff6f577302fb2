/* Which name may be meant by a misspelt one: the nearest by Levenshtein's distance. */
#include "gyre/names.h"

#include <ctype.h>
#include <stddef.h>
#include <string.h>

enum { LONGEST = 63 };

int gyre_name_distance(const char *a, const char *b) {
    int row[LONGEST + 1];
    size_t n = strnlen(a, LONGEST), m = strnlen(b, LONGEST);
    for (size_t j = 0; j <= m; j++) row[j] = (int)j;
    for (size_t i = 1; i <= n; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= m; j++) {
            int same = tolower((unsigned char)a[i - 1]) == tolower((unsigned char)b[j - 1]);
            int best = diagonal + !same;
            diagonal = row[j];
            if (row[j] + 1 < best) best = row[j] + 1;
            if (row[j - 1] + 1 < best) best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[m];
}

bool gyre_name_is_near(const char *wrong, const char *name) {
    size_t n = strlen(wrong);
    int most = n < 3 ? 0 : n < 5 ? 1 : n < 12 ? 2 : 3;
    return gyre_name_distance(wrong, name) <= most;
}

const char *gyre_name_nearest(const char *wrong, const char *const *names) {
    const char *best = NULL;
    int least = 0;
    for (; *names != NULL; names++) {
        int distance = gyre_name_distance(wrong, *names);
        if (!gyre_name_is_near(wrong, *names) || (best != NULL && distance >= least)) continue;
        best = *names;
        least = distance;
    }
    return best;
}
