/* Sums of weights are rounded, not weights: so they end at DATA_FILTER_ONE, and no error piles up.
 * Half of the outputs are the other half's mirror images. */
#include "filter.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static double triangle(double distance) {
    return distance < 0 ? fmax(1 + distance, 0) : fmax(1 - distance, 0);
}

/* One output's weights before all get the same number of them. */
typedef struct {
    int first, count;
    float *weights;
} window;

static void fill(const window *w, double center, double support) {
    double total = 0, sum = 0, before = 0;
    for (int i = 0; i < w->count; i++) {
        total += triangle((w->first + i + 0.5 - center) / support);
    }
    for (int i = 0; i < w->count; i++) {
        sum += triangle((w->first + i + 0.5 - center) / support);
        double rounded = floor(sum / total * DATA_FILTER_ONE + 0.5);
        w->weights[i] = (float)(rounded - before);
        before = rounded;
    }
}

/* The output in the middle is its own mirror image. */
static void balance(const window *w) {
    float half = 0;
    int count = w->count;
    for (int i = 0; i < count / 2; i++) {
        w->weights[count - 1 - i] = w->weights[i];
        half += w->weights[i];
    }
    if (count % 2 == 1) {
        w->weights[count / 2] = DATA_FILTER_ONE - 2 * half;
    } else {
        w->weights[count / 2 - 1] += DATA_FILTER_ONE / 2 - half;
        w->weights[count / 2] = w->weights[count / 2 - 1];
    }
}

/* Output j of the first half, or the one in the middle; its weights are still to be filled. */
static window window_of(const data_filter *f, int j, double span) {
    const double scale = span / f->out, support = fmax(scale, 1);
    const double center = (f->in - span) / 2 + (j + 0.5) * scale;
    const bool middle = 2 * j + 1 == f->out;
    const int end = (int)fmin(floor(center + support + 0.5), f->in);
    window w = {.first = middle ? f->in - end : (int)fmax(floor(center - support + 0.5), 0)};
    w.count = end - w.first;
    return w;
}

/* Weights of 0 make up for the taps that a window has not. */
static void place(const data_filter *f, int j, const window *w) {
    const int last = f->in - f->taps;
    float *to = f->weights + (size_t)j * (size_t)f->taps;
    f->first[j] = w->first < last ? w->first : last;
    memset(to, 0, (size_t)f->taps * sizeof *to);
    memcpy(to + (w->first - f->first[j]), w->weights, (size_t)w->count * sizeof *to);
}

static void turn(const data_filter *f, window *w) {
    w->first = f->in - w->first - w->count;
    for (int i = 0; i < w->count / 2; i++) {
        float swapped = w->weights[i];
        w->weights[i] = w->weights[w->count - 1 - i];
        w->weights[w->count - 1 - i] = swapped;
    }
}

void data_filter_set(data_filter *f, int in, double span) {
    const int half = (f->out + 1) / 2;
    const double scale = span / f->out, support = fmax(scale, 1);
    f->in = in;
    f->taps = 1;
    for (int j = 0; j < half; j++) {
        const window w = window_of(f, j, span);
        if (w.count > f->taps) f->taps = w.count;
    }
    for (int j = 0; j < half; j++) {
        window w = window_of(f, j, span);
        const int back = f->out - 1 - j;
        w.weights = f->window;
        fill(&w, (in - span) / 2 + (j + 0.5) * scale, support);
        if (back == j) balance(&w);
        place(f, j, &w);
        turn(f, &w);
        if (back != j) place(f, back, &w);
    }
}

int data_filter_room(double span, int out) {
    return (int)ceil(2 * fmax(span / out, 1)) + 2;
}

gyre_status data_filter_open(data_filter *f, int in, double span, int out) {
    const size_t rows = (size_t)out, room = (size_t)data_filter_room(span, out);
    *f = (data_filter){.out = out};
    f->first = calloc(rows, sizeof *f->first);
    f->weights = calloc((rows + 1) * room, sizeof *f->weights);
    if (f->first == NULL || f->weights == NULL) {
        return gyre_no_memory("resizing %d pixels to %d", in, out);
    }
    f->window = f->weights + rows * room;
    data_filter_set(f, in, span);
    return GYRE_OK;
}

void data_filter_close(data_filter *f) {
    free(f->first);
    free(f->weights);
}
