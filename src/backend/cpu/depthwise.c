/* Depthwise convolutions: each channel has a filter of its own.
 *
 * Own loops, because oneDNN 2.6 has no fast weight gradient for small images. Channels run along
 * the vector. Forward and dx are one loop: a pixel of the result adds up its taps, row by row of
 * the filter, from lists of the taps that lie inside the image. dw adds up to TERMS pixels in f32,
 * such sums in double. So each order is that of the source, whatever the vector's width. */
#include "depthwise.h"

#include "act.h"
#include "gyre/size.h"
#include <math.h>

enum { TERMS = 256 };

/* ---- groups of channels: the last one reaches back over channels of the one before, whose results
 * it writes a second time */

static size_t groups_of(const gyre_conv_shape *s) {
    return ((size_t)s->c + GROUP - 1) / GROUP;
}

static inline size_t group_begin(size_t channels, size_t i) {
    size_t at = i * GROUP;
    return i > 0 && at + GROUP > channels ? channels - GROUP : at;
}

static inline size_t group_width(size_t channels) {
    return channels < GROUP ? channels : GROUP;
}

static size_t taps_of(const gyre_conv_shape *s) {
    return (size_t)s->r * (size_t)s->s;
}

/* ---- which taps join which rows, and which columns */

/* A tap that reaches a line from another one; both are distances in elements. */
typedef struct {
    size_t from, tap;
} reach;

/* The taps of line i are list[first[i]] to list[first[i + 1] - 1]. */
typedef struct {
    size_t *first;
    reach *list;
} reaches;

/* One direction of a convolution: lines are rows or columns. */
typedef struct {
    int in, out, taps, stride, dilation, pad;
    size_t line, tap; /* distances in elements */
} direction;

static size_t reaches_size(int lines, int taps) {
    return ((size_t)lines + 1) * sizeof(size_t) + (size_t)lines * (size_t)taps * sizeof(reach);
}

static char *reaches_place(char *at, int lines, reaches *out) {
    out->first = (size_t *)(void *)at;
    out->list = (reach *)(void *)(out->first + lines + 1);
    return at;
}

/* For each line of the output those of the input, or with `back` the opposite. */
static void find_reaches(const direction *d, bool back, reaches *r) {
    size_t count = 0;
    int lines = back ? d->in : d->out;
    for (int i = 0; i < lines; i++) {
        r->first[i] = count;
        for (int p = 0; p < d->taps; p++) {
            int at = back ? i + d->pad - p * d->dilation : i * d->stride + p * d->dilation - d->pad;
            if (back && (at < 0 || at % d->stride != 0)) continue;
            if (back) at /= d->stride;
            if (at < 0 || at >= (back ? d->out : d->in)) continue;
            r->list[count++] = (reach){(size_t)at * d->line, (size_t)p * d->tap};
        }
    }
    r->first[lines] = count;
}

/* What the loops below walk over: images of `from` and of `to`, both with these channels. */
typedef struct {
    size_t n, channels, taps;
    size_t to_rows, to_columns, from_image; /* from_image: elements */
    reaches rows, columns;
} walk;

/* With room for `extra` bytes behind it. */
static gyre_status walk_open(gyre_queue *q, const gyre_conv_shape *s, bool back, size_t extra,
                             walk *out, char **rest) {
    const int oh = gyre_conv_rows(s), ow = gyre_conv_columns(s);
    const int lines = back ? s->h : oh, places = back ? s->w : ow;
    const size_t c = (size_t)s->c, across = (size_t)(back ? ow : s->w);
    const direction rows = {s->h,          oh,         s->r,       s->stride_h,
                            s->dilation_h, s->pad_top, across * c, (size_t)s->s * GROUP};
    const direction columns = {s->w, ow, s->s, s->stride_w, s->dilation_w, s->pad_left, c, GROUP};
    size_t first = gyre_size_align(reaches_size(lines, s->r), GYRE_ALIGNMENT);
    size_t second = gyre_size_align(reaches_size(places, s->s), GYRE_ALIGNMENT);
    void *scratch;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, first + second + extra, &scratch));
    char *at = scratch;
    *out = (walk){.n = (size_t)s->n,
                  .channels = c,
                  .taps = taps_of(s),
                  .to_rows = (size_t)lines,
                  .to_columns = (size_t)places,
                  .from_image = (size_t)(back ? oh : s->h) * across * c};
    reaches_place(at, lines, &out->rows);
    reaches_place(at + first, places, &out->columns);
    find_reaches(&rows, back, &out->rows);
    find_reaches(&columns, back, &out->columns);
    *rest = at + first + second;
    return GYRE_OK;
}

/* ---- packed weights: for each group of channels, for each tap, GROUP numbers in a group's order
 */

size_t cpu_depthwise_pack_size(const gyre_conv_shape *s) {
    return groups_of(s) * taps_of(s) * GROUP * sizeof(float);
}

static void pack_tap(bool bf16, size_t width, size_t taps, const float *w, float *packed) {
    float list[GROUP] = {0};
    group g;
    for (size_t j = 0; j < width; j++) {
        float value = w[j * taps];
        if (bf16) value = bf16_widen(bf16_round(value));
        list[j] = value == value ? value : NAN; /* the plain one, as round_lanes takes it */
    }
    group_of(bf16, list, &g);
    memcpy(packed, &g, sizeof g);
}

void cpu_depthwise_pack(const gyre_queue *q, const gyre_conv_shape *s, gyre_f32 w,
                        gyre_raw packed) {
    const size_t taps = taps_of(s), channels = (size_t)s->c;
    float *to = (float *)(void *)packed;
    for (size_t i = 0; i < groups_of(s); i++) {
        const float *from = cpu_f32(w) + group_begin(channels, i) * taps;
        for (size_t tap = 0; tap < taps; tap++, to += GROUP) {
            pack_tap(cpu_bf16(q), group_width(channels), taps, from + tap, to);
        }
    }
}

/* ---- forward and dx */

typedef struct {
    const float *weights; /* packed */
    const float *bias;    /* NULL: none */
    bool relu;
} filters;

ACT_LOOP void bias_of(bool bf16, size_t width, const float *bias, group *out) {
    float list[GROUP] = {0};
    for (size_t j = 0; bias != NULL && j < width; j++) {
        list[j] = bias[j] == bias[j] ? bias[j] : NAN;
    }
    group_of(bf16, list, out);
}

ACT_LOOP void add_tap(bool bf16, size_t width, const void *from, size_t at, const float *weights,
                      group *sum) {
    group x, w;
    group_get(bf16, width, from, at, &x);
    memcpy(&w, weights, sizeof w);
    sum->a += x.a * w.a;
    sum->b += x.b * w.b;
}

/* The channels from `at` on of the image that begins at `from`. */
ACT_LOOP void gather_group(bool bf16, size_t width, const walk *g, const void *from,
                           size_t from_begin, const float *weights, const group *bias, bool relu,
                           void *to, size_t to_begin) {
    for (size_t i = 0; i < g->to_rows; i++) {
        for (size_t j = 0; j < g->to_columns; j++) {
            group sum = {0};
            for (size_t p = g->rows.first[i]; p < g->rows.first[i + 1]; p++) {
                size_t line = from_begin + g->rows.list[p].from;
                const float *w = weights + g->rows.list[p].tap;
                for (size_t t = g->columns.first[j]; t < g->columns.first[j + 1]; t++) {
                    add_tap(bf16, width, from, line + g->columns.list[t].from,
                            w + g->columns.list[t].tap, &sum);
                }
            }
            if (bias != NULL) {
                sum.a += bias->a;
                sum.b += bias->b;
            }
            if (relu) {
                rectify_lanes(&sum.a);
                rectify_lanes(&sum.b);
            }
            group_put(bf16, width, &sum, to, to_begin);
            to_begin += g->channels;
        }
    }
}

CPU_CLONES
static void gather(bool bf16, const walk *g, const void *from, filters f, void *to) {
    const size_t to_image = g->to_rows * g->to_columns * g->channels;
    const size_t groups = (g->channels + GROUP - 1) / GROUP, width = group_width(g->channels);
    for (size_t n = 0; n < g->n; n++) {
        for (size_t i = 0; i < groups; i++) {
            size_t at = group_begin(g->channels, i);
            size_t from_begin = n * g->from_image + at, to_begin = n * to_image + at;
            const float *w = f.weights + i * g->taps * GROUP;
            group bias;
            bias_of(bf16, width, f.bias == NULL ? NULL : f.bias + at, &bias);
            const group *added = f.bias == NULL ? NULL : &bias;
            ACT_CALL(bf16, width, gather_group, g, from, from_begin, w, added, f.relu, to,
                     to_begin);
        }
    }
}

gyre_status cpu_depthwise(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_raw packed,
                          gyre_f32 bias, gyre_act y) {
    walk g;
    char *rest;
    GYRE_TRY(walk_open(q, s, false, 0, &g, &rest));
    filters f = {(const float *)(void *)packed, s->bias ? cpu_f32(bias) : NULL, s->relu};
    gather(cpu_bf16(q), &g, x, f, y);
    return GYRE_OK;
}

gyre_status cpu_depthwise_dx(gyre_queue *q, const gyre_conv_shape *s, gyre_act dy, gyre_raw packed,
                             gyre_act dx) {
    walk g;
    char *rest;
    GYRE_TRY(walk_open(q, s, true, 0, &g, &rest));
    filters f = {(const float *)(void *)packed, NULL, false};
    gather(cpu_bf16(q), &g, dy, f, dx);
    return GYRE_OK;
}

/* ---- dw: the walk of forward, with dy in the place of y */

/* Sums of one block in f32, of all in double: GROUP numbers for each tap, and behind them GROUP for
 * the bias. */
typedef struct {
    group *block;
    double *all;
    bool bias;
} sums;

/* Rows `begin` to `end` of all images' rows, columns `left` to `right`. */
typedef struct {
    size_t begin, end, left, right;
} block;

ACT_LOOP void add_pixel(bool bf16, size_t width, const walk *g, const void *x, size_t line,
                        size_t column, const group *d, group *row) {
    for (size_t t = g->columns.first[column]; t < g->columns.first[column + 1]; t++) {
        group *sum = row + g->columns.list[t].tap / GROUP, v;
        group_get(bf16, width, x, line + g->columns.list[t].from, &v);
        sum->a += v.a * d->a;
        sum->b += v.b * d->b;
    }
}

ACT_LOOP void add_block(bool bf16, size_t width, const walk *g, const void *x, const void *dy,
                        size_t at, block b, sums s) {
    group d;
    for (size_t line = b.begin; line < b.end; line++) {
        size_t i = line % g->to_rows, image = line / g->to_rows * g->from_image + at;
        size_t dy_line = line * g->to_columns * g->channels + at;
        for (size_t p = g->rows.first[i]; p < g->rows.first[i + 1]; p++) {
            group *row = s.block + g->rows.list[p].tap / GROUP;
            for (size_t j = b.left; j < b.right; j++) {
                group_get(bf16, width, dy, dy_line + j * g->channels, &d);
                add_pixel(bf16, width, g, x, image + g->rows.list[p].from, j, &d, row);
            }
        }
        for (size_t j = b.left; s.bias && j < b.right; j++) {
            group_get(bf16, width, dy, dy_line + j * g->channels, &d);
            s.block[g->taps].a += d.a;
            s.block[g->taps].b += d.b;
        }
    }
}

ACT_LOOP void end_block(bool bf16, const walk *g, size_t i, sums s) {
    double *all = s.all + i * (g->taps + 1) * GROUP;
    for (size_t tap = 0; tap <= g->taps; tap++, all += GROUP) {
        float list[GROUP];
        group_list(bf16, &s.block[tap], list);
        for (size_t j = 0; j < GROUP; j++) all[j] += (double)list[j];
    }
}

CPU_CLONES
static void correlate(bool bf16, const walk *g, const void *x, const void *dy, sums s) {
    const size_t groups = (g->channels + GROUP - 1) / GROUP, width = group_width(g->channels);
    const size_t lines = g->n * g->to_rows, columns = g->to_columns;
    const size_t height = columns < TERMS ? TERMS / columns : 1;
    for (size_t line = 0; line < lines; line += height) {
        for (size_t left = 0; left < columns; left += TERMS) {
            block b = {line, line + height < lines ? line + height : lines, left,
                       left + TERMS < columns ? left + TERMS : columns};
            for (size_t i = 0; i < groups; i++) {
                size_t at = group_begin(g->channels, i);
                memset(s.block, 0, (g->taps + 1) * sizeof *s.block);
                ACT_CALL(bf16, width, add_block, g, x, dy, at, b, s);
                end_block(bf16, g, i, s);
            }
        }
    }
}

gyre_status cpu_depthwise_dw(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                             gyre_f32 dw, gyre_f32 db) {
    const size_t taps = taps_of(s), c = (size_t)s->c, width = group_width(c);
    const size_t one = (taps + 1) * sizeof(group);
    const size_t all = groups_of(s) * (taps + 1) * GROUP * sizeof(double);
    walk g;
    char *rest;
    GYRE_TRY(walk_open(q, s, false, one + all, &g, &rest));
    sums found = {(group *)(void *)rest, (double *)(void *)(rest + one), s->bias};
    memset(found.all, 0, all);
    correlate(cpu_bf16(q), &g, x, dy, found);
    const double *from = found.all;
    for (size_t i = 0; i < groups_of(s); i++) {
        size_t at = group_begin(c, i);
        for (size_t tap = 0; tap <= taps; tap++, from += GROUP) {
            float *to = tap < taps ? cpu_f32(dw) + at * taps + tap : cpu_f32(db) + at;
            size_t apart = tap < taps ? taps : 1;
            for (size_t j = 0; j < width && (tap < taps || s->bias); j++)
                to[j * apart] = (float)from[j];
        }
    }
    return GYRE_OK;
}
