/* Lists of seeds: "0..7", "3,5,8", or both. */
#include "gyre/config.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>

enum { SEEDS_MOST = 4096 };
static const long long seed_most = (1LL << 53) - 1;

static gyre_status refuse(const char *text) {
    return gyre_fail(GYRE_EUSAGE,
                     "expected whole numbers and ranges of them, as 0..7 or 3,5,8, %d at most, "
                     "found '%.80s'",
                     SEEDS_MOST, text);
}

/* A number at *at, which moves behind it; -1: there is none. */
static long long take_number(const char **at) {
    char *end = NULL;
    if (!isdigit((unsigned char)**at)) return -1;
    long long n = strtoll(*at, &end, 10);
    *at = end;
    return n <= seed_most ? n : -1;
}

/* Counts, and fills `seeds` where there is room; -1: the text is no list. */
static int walk(const char *text, uint64_t *seeds) {
    int count = 0;
    for (const char *at = text;; at++) {
        long long first = take_number(&at), last = first;
        if (first >= 0 && at[0] == '.' && at[1] == '.') {
            at += 2;
            last = take_number(&at);
        }
        if (first < 0 || last < first || last - first >= SEEDS_MOST - count) return -1;
        for (long long n = first; n <= last; n++, count++) {
            if (seeds != NULL) seeds[count] = (uint64_t)n;
        }
        if (*at == '\0') return count;
        if (*at != ',') return -1;
    }
}

gyre_status gyre_seeds_read(const char *text, uint64_t **seeds, int *count) {
    *seeds = NULL;
    *count = walk(text, NULL);
    if (*count < 0) return refuse(text);
    *seeds = malloc((size_t)*count * sizeof **seeds);
    if (*seeds == NULL) return gyre_no_memory("%d seeds", *count);
    walk(text, *seeds);
    return GYRE_OK;
}
