#include "gyre/text.h"

#include <ctype.h>
#include <string.h>

enum { LONGEST = 63 };

int gyre_text_distance(const char *a, const char *b) {
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

const char *gyre_text_nearest(const char *wrong, const char *const *names) {
    const char *best = NULL;
    int least = 0;
    for (; *names != NULL; names++) {
        int distance = gyre_text_distance(wrong, *names);
        if (best == NULL || distance < least) {
            best = *names;
            least = distance;
        }
    }
    return best;
}
