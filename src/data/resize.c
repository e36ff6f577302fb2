/* Rows are squeezed to the new width as they come, and added to the few new rows that they belong
 * to; so memory does not grow with the picture's height. Nothing is rounded but the end, so that it
 * does not matter which axis comes first. */
#include "resize.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { ONE = 1 << 16 };

/* The weights of one axis: output j is made of inputs first[j]..first[j]+count[j]-1. */
typedef struct {
    int in, out, room; /* room: weights kept for each output */
    int *first, *count;
    uint32_t *weights; /* (out, room) */
} filter;

struct data_resize {
    filter across, down;
    int c;
    int row;            /* of the input, the next */
    int begun, ended;   /* outputs that have got their first, their last row */
    int open_most;      /* rows that are open at a time */
    uint32_t *squeezed; /* one row in the new width, 16 bits behind the point */
    uint64_t *sums;     /* (open_most, out_w, c): output j is row j mod open_most */
    uint8_t *result;
};

/* ---- weights */

static double triangle(double distance) {
    return distance < 0 ? fmax(1 + distance, 0) : fmax(1 - distance, 0);
}

/* Sums are rounded, not weights: so they end at ONE, and no error piles up. */
static void fill_weights(const filter *f, int j, double center, double support) {
    uint32_t *weights = f->weights + (size_t)j * (size_t)f->room, before = 0;
    double total = 0, sum = 0;
    for (int i = 0; i < f->count[j]; i++) {
        total += triangle((f->first[j] + i + 0.5 - center) / support);
    }
    for (int i = 0; i < f->count[j]; i++) {
        sum += triangle((f->first[j] + i + 0.5 - center) / support);
        uint32_t rounded = (uint32_t)floor(sum / total * ONE + 0.5);
        weights[i] = rounded - before;
        before = rounded;
    }
}

static void mirror(const filter *f, int from, int to) {
    const uint32_t *source = f->weights + (size_t)from * (size_t)f->room;
    uint32_t *weights = f->weights + (size_t)to * (size_t)f->room;
    int count = f->count[from];
    f->count[to] = count;
    f->first[to] = f->in - f->first[from] - count;
    for (int i = 0; i < count; i++) weights[i] = source[count - 1 - i];
}

/* The output in the middle is its own mirror image. */
static void balance(const filter *f, int j) {
    uint32_t *weights = f->weights + (size_t)j * (size_t)f->room, half = 0;
    int count = f->count[j];
    for (int i = 0; i < count / 2; i++) {
        weights[count - 1 - i] = weights[i];
        half += weights[i];
    }
    if (count % 2 == 1) {
        weights[count / 2] = ONE - 2 * half;
    } else {
        weights[count / 2 - 1] += ONE / 2 - half;
        weights[count / 2] = weights[count / 2 - 1];
    }
}

static void set_filter(filter *f, int in, double span) {
    int out = f->out;
    double scale = span / out, support = fmax(scale, 1), begin = (in - span) / 2;
    f->in = in;
    for (int j = 0; j < (out + 1) / 2; j++) {
        double center = begin + (j + 0.5) * scale;
        bool middle = 2 * j + 1 == out;
        int end = (int)fmin(floor(center + support + 0.5), in);
        f->first[j] = middle ? in - end : (int)fmax(floor(center - support + 0.5), 0);
        f->count[j] = end - f->first[j];
        fill_weights(f, j, center, support);
        if (middle) balance(f, j);
        mirror(f, j, out - 1 - j);
    }
}

static gyre_status open_filter(filter *f, int in, double span, int out) {
    *f = (filter){.out = out, .room = (int)ceil(2 * fmax(span / out, 1)) + 2};
    size_t rows = (size_t)out;
    f->first = calloc(rows, sizeof *f->first);
    f->count = calloc(rows, sizeof *f->count);
    f->weights = calloc(rows * (size_t)f->room, sizeof *f->weights);
    if (f->first == NULL || f->count == NULL || f->weights == NULL) {
        return gyre_no_memory("resizing %d pixels to %d", in, out);
    }
    set_filter(f, in, span);
    return GYRE_OK;
}

static void close_filter(filter *f) {
    free(f->first);
    free(f->count);
    free(f->weights);
}

/* ---- pixels */

static int most_open(const filter *f) {
    int most = 1;
    for (int begun = 0, ended = 0; begun < f->out; begun++) {
        while (f->first[ended] + f->count[ended] <= f->first[begun]) ended++;
        if (begun - ended + 1 > most) most = begun - ended + 1;
    }
    return most;
}

gyre_status data_resize_open(const data_resize_shape *s, bool many, data_resize **out) {
    data_resize *r = calloc(1, sizeof *r);
    if (r == NULL) return gyre_no_memory("resizing a picture");
    gyre_status status = GYRE_OK;
    size_t width = (size_t)s->out_w * (size_t)s->c;
    r->c = s->c;
    GYRE_GOTO(open_filter(&r->across, s->w, s->span_w, s->out_w));
    GYRE_GOTO(open_filter(&r->down, s->h, s->span_h, s->out_h));
    r->open_most = many ? s->out_h : most_open(&r->down);
    r->squeezed = malloc(width * sizeof *r->squeezed);
    r->sums = calloc((size_t)r->open_most * width, sizeof *r->sums);
    r->result = malloc((size_t)s->out_h * width);
    if (r->squeezed == NULL || r->sums == NULL || r->result == NULL) {
        status = gyre_no_memory("resizing a picture to %d x %d", s->out_h, s->out_w);
        goto out;
    }
    *out = r;
    r = NULL;
out:
    data_resize_close(r);
    return status;
}

void data_resize_close(data_resize *r) {
    if (r == NULL) return;
    close_filter(&r->across);
    close_filter(&r->down);
    free(r->squeezed);
    free(r->sums);
    free(r->result);
    free(r);
}

void data_resize_again(data_resize *r, const data_resize_shape *s) {
    set_filter(&r->across, s->w, s->span_w);
    set_filter(&r->down, s->h, s->span_h);
    r->row = r->begun = r->ended = 0;
}

static void squeeze(const filter *f, int c, const uint8_t *restrict pixels,
                    uint32_t *restrict out) {
    for (int j = 0; j < f->out; j++) {
        const uint32_t *weights = f->weights + (size_t)j * (size_t)f->room;
        for (int k = 0; k < c; k++) {
            const uint8_t *value = pixels + (size_t)f->first[j] * (size_t)c + k;
            uint32_t sum = 0;
            for (int i = 0; i < f->count[j]; i++, value += c) sum += weights[i] * *value;
            *out++ = sum;
        }
    }
}

static void finish_row(const uint64_t *restrict sums, uint8_t *restrict out, size_t width) {
    const uint64_t half = (uint64_t)ONE * ONE / 2;
    for (size_t k = 0; k < width; k++) out[k] = (uint8_t)((sums[k] + half) / ONE / ONE);
}

static void add_row(const uint32_t *restrict row, uint32_t weight, uint64_t *restrict sums,
                    size_t width) {
    for (size_t k = 0; k < width; k++) sums[k] += (uint64_t)weight * row[k];
}

void data_resize_row(data_resize *r, const uint8_t *pixels) {
    const filter *f = &r->down;
    size_t width = (size_t)r->across.out * (size_t)r->c;
    int y = r->row++;
    while (r->begun < f->out && f->first[r->begun] <= y) r->begun++;
    if (r->ended == r->begun) return;
    squeeze(&r->across, r->c, pixels, r->squeezed);
    for (int j = r->ended; j < r->begun; j++) {
        uint64_t *sums = r->sums + (size_t)(j % r->open_most) * width;
        int i = y - f->first[j];
        if (i < f->count[j]) {
            add_row(r->squeezed, f->weights[(size_t)j * (size_t)f->room + (size_t)i], sums, width);
        }
        if (i == f->count[j] - 1) {
            finish_row(sums, r->result + (size_t)j * width, width);
            memset(sums, 0, width * sizeof *sums);
        }
    }
    while (r->ended < r->begun && f->first[r->ended] + f->count[r->ended] <= y + 1) r->ended++;
}

const uint8_t *data_resize_result(const data_resize *r) {
    return r->result;
}
