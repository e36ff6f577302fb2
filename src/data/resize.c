/* Rows are squeezed to the new width as they come; those that the next output is made of stay in a
 * ring, so that memory does not grow with the picture's height. Nothing is rounded but the end, so
 * it does not matter which axis comes first.
 *
 * All numbers are whole: a squeezed value is at most 255 DATA_FILTER_ONE < 2^24, and is exact in a
 * float; their weighted sum is below 2^40, and is exact in a double. */
#include "resize.h"

#include "filter.h"
#include "gyre/clones.h"
#include <stdlib.h>
#include <string.h>

enum { FEW = 4 /* channels that one vector holds */ };

struct data_resize {
    data_filter across, down;
    int c;
    int row, done;        /* the next input row, the next output */
    int kept;             /* rows of the ring */
    size_t width, stride; /* values of an output row, and room for it */
    float *line;          /* (in_w, c) and FEW more: an input row */
    float *rows;          /* (kept, stride): input row y is y mod kept */
    const float **taps;   /* (kept): of the output that is made */
    double *sums;         /* (width): of that output */
    uint8_t *out;         /* (out_h, width) */
};

static gyre_status open_rows(data_resize *r, const data_resize_shape *s) {
    const size_t kept = (size_t)data_filter_room(s->span_h, s->out_h);
    r->c = s->c;
    r->kept = (int)kept;
    r->width = (size_t)s->out_w * (size_t)s->c;
    r->stride = r->width + FEW;
    r->line = calloc((size_t)s->w * (size_t)s->c + FEW, sizeof *r->line);
    r->rows = calloc(kept * r->stride, sizeof *r->rows);
    r->taps = calloc(kept, sizeof *r->taps);
    r->sums = malloc(r->width * sizeof *r->sums);
    if (r->line && r->rows && r->taps && r->sums) return GYRE_OK;
    return gyre_no_memory("resizing a picture to %d x %d", s->out_h, s->out_w);
}

gyre_status data_resize_open(const data_resize_shape *s, data_resize **out) {
    gyre_status status = GYRE_OK;
    data_resize *r = calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL) return gyre_no_memory("resizing a picture");
    GYRE_GOTO(data_filter_open(&r->across, s->w, s->span_w, s->out_w));
    GYRE_GOTO(data_filter_open(&r->down, s->h, s->span_h, s->out_h));
    GYRE_GOTO(open_rows(r, s));
    *out = r;
    r = NULL;
out:
    data_resize_close(r);
    return status;
}

void data_resize_close(data_resize *r) {
    if (r == NULL) return;
    data_filter_close(&r->across);
    data_filter_close(&r->down);
    free(r->line);
    free(r->rows);
    free(r->taps);
    free(r->sums);
    free(r);
}

void data_resize_begin(data_resize *r, const data_resize_shape *s, uint8_t *out) {
    data_filter_set(&r->across, s->w, s->span_w);
    data_filter_set(&r->down, s->h, s->span_h);
    r->row = r->done = 0;
    r->out = out;
}

/* ---- across */

/* A pixel's channels, and what follows them. */
typedef float pixel __attribute__((vector_size(FEW * sizeof(float)), aligned(sizeof(float))));
#define INLINE static inline __attribute__((always_inline))

INLINE void squeeze_pixels(const data_filter *f, size_t c, int taps, const float *restrict line,
                           float *restrict out) {
    const float *weights = f->weights;
    for (int j = 0; j < f->out; j++, weights += taps, out += c) {
        const float *from = line + (size_t)f->first[j] * c;
        pixel sum = weights[0] * *(const pixel *)from;
        for (int i = 1; i < taps; i++) sum += weights[i] * *(const pixel *)(from + (size_t)i * c);
        *(pixel *)out = sum;
    }
}

INLINE void squeeze_channels(const data_filter *f, size_t c, const float *restrict line,
                             float *restrict out) {
    const float *weights = f->weights;
    for (int j = 0; j < f->out; j++, weights += f->taps, out += c) {
        const float *from = line + (size_t)f->first[j] * c;
        for (size_t k = 0; k < c; k++) out[k] = weights[0] * from[k];
        for (int i = 1; i < f->taps; i++) {
            for (size_t k = 0; k < c; k++) out[k] += weights[i] * from[(size_t)i * c + k];
        }
    }
}

/* The usual numbers of taps have loops of their own. */
GYRE_CLONES
static void squeeze(const data_filter *f, size_t c, const uint8_t *restrict bytes,
                    float *restrict line, float *restrict out) {
    const size_t count = (size_t)f->in * c;
    for (size_t i = 0; i < count; i++) line[i] = bytes[i];
    if (c > FEW)
        squeeze_channels(f, c, line, out);
    else if (f->taps == 2)
        squeeze_pixels(f, c, 2, line, out);
    else if (f->taps == 3)
        squeeze_pixels(f, c, 3, line, out);
    else
        squeeze_pixels(f, c, f->taps, line, out);
}

/* ---- down */

/* Whole numbers of one output unit, and 1/2 so that they are rounded when they are cut off. */
GYRE_CLONES
static void add_rows(const float *const *rows, const float *weights, int taps, size_t width,
                     double *restrict sums, uint8_t *restrict out) {
    const double unit = 1.0 / DATA_FILTER_ONE / DATA_FILTER_ONE;
    const float *one = rows[0], *two = rows[taps > 1];
    const double a = unit * (double)weights[0], b = taps > 1 ? unit * (double)weights[1] : 0;
    if (taps <= 2) {
        for (size_t k = 0; k < width; k++) {
            out[k] = (uint8_t)(int)(a * (double)one[k] + b * (double)two[k] + 0.5);
        }
        return;
    }
    for (size_t k = 0; k < width; k++) sums[k] = a * (double)one[k] + b * (double)two[k] + 0.5;
    for (int i = 2; i < taps; i++) {
        const float *row = rows[i];
        const double weight = unit * (double)weights[i];
        for (size_t k = 0; k < width; k++) sums[k] += weight * (double)row[k];
    }
    for (size_t k = 0; k < width; k++) out[k] = (uint8_t)(int)sums[k];
}

static float *row_at(const data_resize *r, int y) {
    return r->rows + (size_t)(y % r->kept) * r->stride;
}

void data_resize_row(data_resize *r, const uint8_t *pixels) {
    const data_filter *f = &r->down;
    const int y = r->row++;
    if (r->done == f->out || y < f->first[r->done]) return;
    squeeze(&r->across, (size_t)r->c, pixels, r->line, row_at(r, y));
    for (; r->done < f->out && f->first[r->done] + f->taps - 1 == y; r->done++) {
        const float *weights = f->weights + (size_t)r->done * (size_t)f->taps;
        for (int i = 0; i < f->taps; i++) r->taps[i] = row_at(r, f->first[r->done] + i);
        add_rows(r->taps, weights, f->taps, r->width, r->sums, r->out + (size_t)r->done * r->width);
    }
}
