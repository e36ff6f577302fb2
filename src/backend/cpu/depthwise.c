/* Depthwise convolutions: each channel has a filter of its own.
 *
 * Own loops, because oneDNN 2.6 has no fast weight gradient for small images. Channels run along
 * the vector. Forward and dx are one loop: a pixel of the result adds up its taps, row by row of
 * the filter, from lists of the taps that lie inside the image. dw adds up to TERMS pixels in f32,
 * such sums in double. So each order is that of the source, whatever the vector's width. */
#include "depthwise.h"

#include "gyre/size.h"
#include "tile.h"
#include <math.h>

enum { TERMS = 256 };

/* ---- groups of TILE channels: the last one reaches back over channels of the one before, whose
 * results it writes a second time */

static size_t groups_of(const gyre_conv_shape *s) {
    return ((size_t)s->c + TILE - 1) / TILE;
}

static inline size_t group_begin(size_t channels, size_t i) {
    size_t at = i * TILE;
    return i > 0 && at + TILE > channels ? channels - TILE : at;
}

static inline size_t group_width(size_t channels) {
    return channels < TILE ? channels : TILE;
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

static void reaches_place(char *at, int lines, reaches *out) {
    out->first = (size_t *)(void *)at;
    out->list = (reach *)(void *)(out->first + lines + 1);
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
    size_t n, channels, groups, taps;
    size_t to_rows, to_columns, from_image; /* from_image: elements */
    reaches rows, columns;
    reach *pixel; /* the taps of one pixel, `count` of them; `column`: the first of its column's */
    size_t count, column;
} walk;

/* Finds the taps of the pixel in row i and column j. The result is by how much they read behind
 * what g->pixel says: where a column has the taps of the one before, all move by the same. */
static inline size_t find_taps(walk *g, size_t image, size_t i, size_t j) {
    const size_t begin = g->columns.first[j], end = g->columns.first[j + 1];
    const reach *columns = g->columns.list;
    bool as_before = j > 0 && end - begin == begin - g->columns.first[j - 1] && end > begin &&
                     columns[begin].tap == columns[g->columns.first[j - 1]].tap;
    if (as_before) return columns[begin].from - columns[g->column].from;
    g->count = 0;
    g->column = begin;
    for (size_t p = g->rows.first[i]; p < g->rows.first[i + 1]; p++) {
        const reach row = g->rows.list[p];
        for (size_t t = begin; t < end; t++) {
            g->pixel[g->count++] =
                (reach){image + row.from + columns[t].from, row.tap + columns[t].tap};
        }
    }
    return 0;
}

/* With room for `extra` bytes behind it. */
static gyre_status walk_open(gyre_queue *q, const gyre_conv_shape *s, bool back, size_t extra,
                             walk *out, char **rest) {
    const int oh = gyre_conv_rows(s), ow = gyre_conv_columns(s);
    const int lines = back ? s->h : oh, places = back ? s->w : ow;
    const size_t c = (size_t)s->c, across = (size_t)(back ? ow : s->w);
    const direction rows = {s->h,          oh,         s->r,       s->stride_h,
                            s->dilation_h, s->pad_top, across * c, (size_t)s->s * TILE};
    const direction columns = {s->w, ow, s->s, s->stride_w, s->dilation_w, s->pad_left, c, TILE};
    size_t first = gyre_size_align(reaches_size(lines, s->r), GYRE_ALIGNMENT);
    size_t second = gyre_size_align(reaches_size(places, s->s), GYRE_ALIGNMENT);
    size_t third = gyre_size_align(taps_of(s) * sizeof(reach), GYRE_ALIGNMENT);
    void *scratch;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, first + second + third + extra, &scratch));
    char *at = scratch;
    *out = (walk){.n = (size_t)s->n,
                  .channels = c,
                  .groups = groups_of(s),
                  .taps = taps_of(s),
                  .to_rows = (size_t)lines,
                  .to_columns = (size_t)places,
                  .from_image = (size_t)(back ? oh : s->h) * across * c};
    reaches_place(at, lines, &out->rows);
    reaches_place(at + first, places, &out->columns);
    out->pixel = (reach *)(void *)(at + first + second);
    find_reaches(&rows, back, &out->rows);
    find_reaches(&columns, back, &out->columns);
    *rest = at + first + second + third;
    return GYRE_OK;
}

/* ---- packed weights: for each group of channels, for each tap, TILE numbers in a tile's order
 */

size_t cpu_depthwise_pack_size(const gyre_conv_shape *s) {
    return groups_of(s) * taps_of(s) * TILE * sizeof(float);
}

/* w[0], w[apart]... in the order of a tile, rounded to bf16 where that is asked for. */
static void pack_tap(bool bf16, bool rounded, size_t width, size_t apart, const float *w,
                     float *packed) {
    float list[TILE] = {0};
    group g;
    for (size_t j = 0; j < width; j++) {
        float value = w[j * apart];
        if (rounded) value = bf16_widen(bf16_round(value));
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
        for (size_t tap = 0; tap < taps; tap++, to += TILE) {
            pack_tap(cpu_bf16(q), cpu_bf16(q), group_width(channels), taps, from + tap, to);
        }
    }
}

/* ---- forward and dx */

typedef struct {
    const float *weights; /* packed */
    const float *bias;    /* likewise, one number a channel; NULL: none */
    bool relu;
} filters;

/* The channels from `at` on of one pixel, the sum of its taps; `moved`: find_taps. */
ACT_LOOP void gather_taps(bool bf16, size_t width, const walk *g, size_t moved, size_t at,
                          const void *from, filters f, void *to, size_t to_pixel) {
    tile sum = {0}, x, w;
    for (size_t t = 0; t < g->count; t++) {
        tile_get(bf16, width, from, g->pixel[t].from + moved + at, &x);
        tile_get(false, TILE, f.weights, g->pixel[t].tap, &w);
        tile_add_product(&x, &w, &sum);
    }
    if (f.bias != NULL) {
        tile_get(false, TILE, f.bias, 0, &x);
        tile_add(&x, &sum);
    }
    if (f.relu) tile_rectify(&sum);
    tile_put(bf16, width, &sum, to, to_pixel + at);
}

/* Memory is walked through from front to back; by groups it came in pieces of TILE channels, which
 * took up to three times as long. */
CPU_CLONES
static void gather(bool bf16, walk *g, const void *from, const filters f, void *to) {
    const size_t width = group_width(g->channels), pixels = g->n * g->to_rows * g->to_columns;
    for (size_t pixel = 0; pixel < pixels; pixel++) {
        size_t row = pixel / g->to_columns, image = row / g->to_rows * g->from_image;
        size_t moved = find_taps(g, image, row % g->to_rows, pixel % g->to_columns);
        for (size_t i = 0; i < g->groups; i++) {
            filters own = {f.weights + i * g->taps * TILE, f.bias, f.relu};
            if (own.bias != NULL) own.bias += i * TILE;
            ACT_CALL(bf16, width, gather_taps, g, moved, group_begin(g->channels, i), from, own, to,
                     pixel * g->channels);
        }
    }
}

gyre_status cpu_depthwise(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_raw packed,
                          gyre_f32 bias, gyre_act y) {
    const size_t groups = groups_of(s), c = (size_t)s->c;
    walk g;
    char *rest;
    GYRE_TRY(walk_open(q, s, false, groups * TILE * sizeof(float), &g, &rest));
    filters f = {(const float *)(void *)packed, NULL, s->relu};
    if (s->bias) {
        float *own = (float *)(void *)rest;
        for (size_t i = 0; i < groups; i++) {
            pack_tap(cpu_bf16(q), false, group_width(c), 1, cpu_f32(bias) + group_begin(c, i),
                     own + i * TILE);
        }
        f.bias = own;
    }
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

/* For each group of channels TILE numbers for each tap, and behind them TILE for the bias: sums of
 * one block of pixels in f32, of all in double. */
typedef struct {
    tile *block;
    double *all;
    bool bias;
} sums;

ACT_LOOP void add_pixel(bool bf16, size_t width, const walk *g, size_t moved, size_t at,
                        const void *x, const void *dy, size_t dy_pixel, tile *block, bool bias) {
    tile d, v;
    tile_get(bf16, width, dy, dy_pixel + at, &d);
    for (size_t t = 0; t < g->count; t++) {
        tile_get(bf16, width, x, g->pixel[t].from + moved + at, &v);
        tile_add_product(&v, &d, block + g->pixel[t].tap / TILE);
    }
    if (bias) tile_add(&d, block + g->taps);
}

static void end_block(bool bf16, size_t count, sums s) {
    double *all = s.all;
    for (size_t i = 0; i < count; i++, all += TILE) {
        float list[TILE];
        group found;
        memcpy(&found, &s.block[i], sizeof found);
        group_list(bf16, &found, list);
        for (size_t j = 0; j < TILE; j++) all[j] += (double)list[j];
    }
    memset(s.block, 0, count * sizeof *s.block);
}

CPU_CLONES
static void correlate(bool bf16, walk *g, const void *x, const void *dy, sums s) {
    const size_t width = group_width(g->channels), pixels = g->n * g->to_rows * g->to_columns;
    for (size_t pixel = 0; pixel < pixels; pixel++) {
        size_t row = pixel / g->to_columns, image = row / g->to_rows * g->from_image;
        size_t moved = find_taps(g, image, row % g->to_rows, pixel % g->to_columns);
        for (size_t i = 0; i < g->groups; i++) {
            ACT_CALL(bf16, width, add_pixel, g, moved, group_begin(g->channels, i), x, dy,
                     pixel * g->channels, s.block + i * (g->taps + 1), s.bias);
        }
        if (pixel % TERMS == TERMS - 1 || pixel == pixels - 1)
            end_block(bf16, g->groups * (g->taps + 1), s);
    }
}

gyre_status cpu_depthwise_dw(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                             gyre_f32 dw, gyre_f32 db) {
    const size_t taps = taps_of(s), c = (size_t)s->c, width = group_width(c);
    const size_t count = groups_of(s) * (taps + 1);
    const size_t block = count * sizeof(tile), all = count * TILE * sizeof(double);
    walk g;
    char *rest;
    GYRE_TRY(walk_open(q, s, false, block + all, &g, &rest));
    sums found = {(tile *)(void *)rest, (double *)(void *)(rest + block), s->bias};
    memset(rest, 0, block + all);
    correlate(cpu_bf16(q), &g, x, dy, found);
    const double *from = found.all;
    for (size_t i = 0; i < groups_of(s); i++) {
        size_t at = group_begin(c, i);
        for (size_t tap = 0; tap <= taps; tap++, from += TILE) {
            float *to = tap < taps ? cpu_f32(dw) + at * taps + tap : cpu_f32(db) + at;
            size_t apart = tap < taps ? taps : 1;
            for (size_t j = 0; j < width && (tap < taps || s->bias); j++)
                to[j * apart] = (float)from[j];
        }
    }
    return GYRE_OK;
}
