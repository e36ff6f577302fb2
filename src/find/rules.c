/* fastai's four rules; see rules.h. */
#include "rules.h"

#include "gyre/realmath.h"
#include <math.h>
#include <stdlib.h>

enum { LAST = 5, SLIDE_APART = 15 };

typedef struct {
    const gyre_find_row *rows;
    size_t count;
} part;

/* lrs[asked // 10 : -5] */
static part middle(const gyre_find_row *rows, size_t count, int64_t asked) {
    size_t first = (size_t)asked / 10;
    if (count < first + LAST) return (part){rows, 0};
    return (part){rows + first, count - first - LAST};
}

/* Where the longest strictly falling subsequence that ends at each point is longest, the first such
 * point; *length gets how long. By patience sorting: tails[k] is the greatest loss that k + 1
 * falling points can end with. */
static bool longest_fall(const part *p, size_t *end, size_t *length) {
    double *tails = malloc(p->count * sizeof *tails);
    *length = 0;
    if (tails == NULL) return false;
    for (size_t i = 0; i < p->count; i++) {
        double loss = p->rows[i].smooth;
        size_t low = 0, high = *length;
        while (low < high) {
            size_t at = low + (high - low) / 2;
            if (tails[at] > loss)
                low = at + 1;
            else
                high = at;
        }
        tails[low] = loss;
        if (low < *length) continue;
        *length = low + 1;
        *end = i;
    }
    free(tails);
    return true;
}

double find_valley(const gyre_find_row *rows, size_t count, int64_t asked) {
    part p = middle(rows, count, asked);
    size_t end = 0, length = 0;
    if (p.count < 2 || !longest_fall(&p, &end, &length)) return NAN;
    int64_t sections = (int64_t)length / 3;
    int64_t at = (int64_t)end - (int64_t)length + sections + (int64_t)length / 6;
    return p.rows[at < 0 ? 0 : at].lr;
}

/* The slope over the index: central, one-sided at the ends (numpy.gradient). */
static double slope(const part *p, size_t i) {
    size_t left = i > 0 ? i - 1 : i, right = i + 1 < p->count ? i + 1 : i;
    return (p->rows[right].smooth - p->rows[left].smooth) / (double)(right - left);
}

double find_slide(const gyre_find_row *rows, size_t count, int64_t asked) {
    const double threshold = 0.005;
    part p = middle(rows, count, asked);
    if (p.count < SLIDE_APART + 2) return NAN;
    size_t right = p.count - 1, left = right - SLIDE_APART;
    double found = p.rows[left].lr;
    while (fabs(slope(&p, right) - slope(&p, left)) > threshold) {
        found = p.rows[left].lr;
        if (left == 0) break;
        right--;
        left--;
    }
    return found;
}

double find_minimum(const gyre_find_row *rows, size_t count, int64_t asked) {
    part p = middle(rows, count, asked);
    size_t least = 0;
    if (p.count < 2) return NAN;
    for (size_t i = 1; i < p.count; i++) {
        if (p.rows[i].smooth < p.rows[least].smooth) least = i;
    }
    return p.rows[least].lr / 10;
}

double find_steep(const gyre_find_row *rows, size_t count, int64_t asked) {
    part p = middle(rows, count, asked);
    double steepest = INFINITY;
    size_t at = 0;
    if (p.count < 2) return NAN;
    for (size_t i = 0; i + 1 < p.count; i++) {
        double over = gyre_log(p.rows[i + 1].lr) - gyre_log(p.rows[i].lr);
        double fall = (p.rows[i + 1].smooth - p.rows[i].smooth) / over;
        if (!(fall < steepest)) continue;
        steepest = fall;
        at = i;
    }
    return p.rows[at].lr;
}
