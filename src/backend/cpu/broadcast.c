/* Sums and products of two tensors, the second of which may be one number for all pixels of a
 * sample or for all channels of a pixel. */
#include "act.h"
#include "cpu.h"

enum { RUN = 256 }; /* terms that are added in f32 */

/* Rows of `width` elements, and the place in b where those of a row begin. */
typedef struct {
    size_t rows, width, per_sample;
    bool multiply, single; /* single: b has one element for a row */
} layout;

static layout layout_of(const gyre_broadcast_shape *s) {
    size_t pixels = (size_t)s->h * (size_t)s->w, rows = (size_t)s->n * pixels;
    size_t c = (size_t)s->c;
    if (s->over == GYRE_BROADCAST_NONE) return (layout){1, rows * c, 1, s->multiply, false};
    bool single = s->over == GYRE_BROADCAST_CHANNELS;
    return (layout){rows, c, single ? 1 : pixels, s->multiply, single};
}

/* y may be a. */
ACT_LOOP void combine_row(bool bf16, bool multiply, bool single, size_t width, size_t at,
                          size_t b_at, const void *a, const void *b, void *y) {
    float one = single ? act_get(bf16, b, b_at) : 0;
    CPU_SAME_INDEX
    for (size_t i = 0; i < width; i++) {
        float u = act_get(bf16, a, at + i), v = single ? one : act_get(bf16, b, b_at + i);
        act_put(bf16, y, at + i, multiply ? u * v : u + v);
    }
}

ACT_LOOP void combine_rows(bool bf16, bool multiply, bool single, const layout *l, const void *a,
                           const void *b, void *y) {
    for (size_t row = 0; row < l->rows; row++) {
        size_t b_at = row / l->per_sample * (single ? 1 : l->width);
        combine_row(bf16, multiply, single, l->width, row * l->width, b_at, a, b, y);
    }
}

ACT_LOOP void combine_type(bool bf16, const layout *l, const void *a, const void *b, void *y) {
    if (l->multiply && l->single)
        combine_rows(bf16, true, true, l, a, b, y);
    else if (l->multiply)
        combine_rows(bf16, true, false, l, a, b, y);
    else if (l->single)
        combine_rows(bf16, false, true, l, a, b, y);
    else
        combine_rows(bf16, false, false, l, a, b, y);
}

CPU_CLONES
static void combine(bool bf16, const layout *l, const void *a, const void *b, void *y) {
    if (bf16)
        combine_type(true, l, a, b, y);
    else
        combine_type(false, l, a, b, y);
}

gyre_status cpu_broadcast(gyre_queue *q, const gyre_broadcast_shape *s, gyre_act a, gyre_act b,
                          gyre_act y) {
    layout l = layout_of(s);
    combine(cpu_bf16(q), &l, a, b, y);
    return GYRE_OK;
}

/* ---- the gradient of b */

/* One number for each pixel. */
ACT_LOOP void add_channels(bool bf16, const layout *l, const void *a, const void *dy, void *db) {
    for (size_t row = 0; row < l->rows; row++) {
        double total = 0;
        for (size_t i = 0; i < l->width; i += RUN) {
            float run = 0;
            for (size_t j = i; j < l->width && j < i + RUN; j++) {
                float d = act_get(bf16, dy, row * l->width + j);
                run += l->multiply ? d * act_get(bf16, a, row * l->width + j) : d;
            }
            total += (double)run;
        }
        act_put(bf16, db, row, (float)total);
    }
}

/* One number for each channel of a sample. */
static gyre_status add_pixels(gyre_queue *q, const gyre_broadcast_shape *s, gyre_act a, gyre_act dy,
                              gyre_act db) {
    size_t pixels = (size_t)s->h * (size_t)s->w, c = (size_t)s->c;
    for (size_t i = 0; i < (size_t)s->n; i++) {
        double *sums;
        const void *first = s->multiply ? cpu_act_at(q, a, i * pixels * c) : NULL;
        GYRE_TRY(
            cpu_column_products(q, pixels, c, first, cpu_act_at(q, dy, i * pixels * c), &sums));
        for (size_t j = 0; j < c; j++) act_put(cpu_bf16(q), db, i * c + j, (float)sums[j]);
    }
    return GYRE_OK;
}

gyre_status cpu_broadcast_db(gyre_queue *q, const gyre_broadcast_shape *s, gyre_act a, gyre_act dy,
                             gyre_act db) {
    layout l = layout_of(s);
    if (s->over == GYRE_BROADCAST_PIXELS) return add_pixels(q, s, a, dy, db);
    if (s->over == GYRE_BROADCAST_CHANNELS && cpu_bf16(q))
        add_channels(true, &l, a, dy, db);
    else if (s->over == GYRE_BROADCAST_CHANNELS)
        add_channels(false, &l, a, dy, db);
    else if (s->multiply)
        combine(cpu_bf16(q), &l, dy, a, db);
    else
        memcpy((void *)db, (const void *)dy, l.width * q->backend->act_size);
    return GYRE_OK;
}
