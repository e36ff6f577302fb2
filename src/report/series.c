/* Thinning and smoothing of series for figures. */
#include "series.h"

#include <math.h>
#include <stdbool.h>

/* The four telling rows of in[first..end), in order and each once. */
static size_t thin_stretch(const report_point *in, size_t first, size_t end, report_point *out) {
    size_t least = first, greatest = first, used = 0;
    for (size_t i = first; i < end; i++) {
        if (!isfinite(in[least].y) || in[i].y < in[least].y) least = i;
        if (!isfinite(in[greatest].y) || in[i].y > in[greatest].y) greatest = i;
    }
    size_t low = least < greatest ? least : greatest;
    size_t high = least < greatest ? greatest : least;
    out[used++] = in[first];
    if (low > first) out[used++] = in[low];
    if (high > low) out[used++] = in[high];
    if (end - 1 > high) out[used++] = in[end - 1];
    return used;
}

size_t report_series_thin(const report_point *in, size_t count, report_point *out) {
    size_t used = 0;
    if (count <= REPORT_SERIES_MAX) {
        for (size_t i = 0; i < count; i++) out[i] = in[i];
        return count;
    }
    for (size_t b = 0; b < REPORT_SERIES_BUCKETS; b++) {
        size_t first = b * count / REPORT_SERIES_BUCKETS;
        size_t end = (b + 1) * count / REPORT_SERIES_BUCKETS;
        used += thin_stretch(in, first, end, out + used);
    }
    return used;
}

/* Does the chord from point `from` to point `to` pass all points between? */
static bool chord_fits(const report_point *points, size_t from, size_t to, double tolerance) {
    report_point a = points[from], b = points[to];
    for (size_t i = from + 1; i < to; i++) {
        double y = a.y + (b.y - a.y) * (points[i].x - a.x) / (b.x - a.x);
        if (!(fabs(points[i].y - y) <= tolerance)) return false;
    }
    return true;
}

size_t report_series_straighten(report_point *points, size_t count, double tolerance) {
    size_t used = 0;
    for (size_t from = 0, to; from < count; from = to) {
        points[used++] = points[from];
        for (to = from + 1; to + 1 < count; to++) {
            if (!chord_fits(points, from, to + 1, tolerance)) break;
        }
    }
    return used;
}

size_t report_series_half(size_t count) {
    size_t few = count / 10 < 5 ? count / 10 : 5;
    return count / 100 > few ? count / 100 : few;
}

static double mean_around(const report_point *in, size_t count, size_t at, size_t half) {
    size_t first = at > half ? at - half : 0;
    size_t last = at + half < count ? at + half : count - 1;
    double sum = 0;
    size_t used = 0;
    if (!isfinite(in[at].y)) return NAN;
    for (size_t i = first; i <= last; i++) {
        if (!isfinite(in[i].y)) continue;
        sum += in[i].y;
        used++;
    }
    return sum / (double)used;
}

size_t report_series_smooth(const report_point *in, size_t count, size_t half, report_point *out) {
    size_t drawn = count < REPORT_SERIES_BUCKETS ? count : REPORT_SERIES_BUCKETS;
    for (size_t i = 0; i < drawn; i++) {
        size_t at = drawn < 2 ? 0 : i * (count - 1) / (drawn - 1);
        out[i] = (report_point){in[at].x, mean_around(in, count, at, half)};
    }
    return drawn;
}

int report_series_extent(const report_point *in, size_t count, double *least, double *greatest) {
    int found = 0;
    for (size_t i = 0; i < count; i++) {
        double y = in[i].y;
        if (!isfinite(y)) continue;
        if (!found || y < *least) *least = y;
        if (!found || y > *greatest) *greatest = y;
        found = 1;
    }
    return found;
}
