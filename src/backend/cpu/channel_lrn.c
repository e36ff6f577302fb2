/* Local response normalisation across channels, pixel by pixel, on lines of c floats whose ends are
 * padded with zeros. */
#include "act.h"
#include "cpu.h"
#include "lrn.h"

/* One pixel at a time, in the queue's scratch. */
typedef struct {
    size_t c, size;
    float *line; /* (c + size - 1), what a channel sums begins at its place */
    float *s, *power, *sums, *x;
} lrn_work;

static gyre_status open_work(gyre_queue *q, const gyre_channel_lrn_shape *s, lrn_work *out) {
    size_t c = (size_t)s->c, line = c + (size_t)s->size - 1;
    void *memory;
    if (s->size < 1) {
        return gyre_fail(GYRE_EDEVICE,
                         "local response normalisation: expected a window of at least 1, found %d",
                         s->size);
    }
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, (line + 4 * c) * sizeof(float), &memory));
    *out = (lrn_work){.c = c, .size = (size_t)s->size, .line = memory};
    out->s = out->line + line;
    out->power = out->s + c;
    out->sums = out->power + c;
    out->x = out->sums + c;
    memset(out->line, 0, line * sizeof(float));
    return GYRE_OK;
}

/* sums[j] = of what lies in line from j on. */
CPU_CLONES
static void sum_windows(const lrn_work *w, float *sums) {
    memcpy(sums, w->line, w->c * sizeof *sums);
    for (size_t k = 1; k < w->size; k++) {
        const float *from = w->line + k;
        for (size_t j = 0; j < w->c; j++) sums[j] += from[j];
    }
}

/* The pixel at x[at], and its s and power. */
ACT_LOOP void load_pixel(bool bf16, const gyre_channel_lrn_shape *s, const lrn_work *w,
                         const void *x, size_t at) {
    float *inside = w->line + w->size / 2;
    memset(w->line, 0, (w->c + w->size - 1) * sizeof(float));
    for (size_t j = 0; j < w->c; j++) w->x[j] = act_get(bf16, x, at + j);
    for (size_t j = 0; j < w->c; j++) inside[j] = w->x[j] * w->x[j];
    sum_windows(w, w->s);
    lrn_power(s->beta, s->k, s->alpha / (float)s->size, w->c, w->s, w->power);
}

ACT_LOOP void values(bool bf16, const gyre_channel_lrn_shape *s, const lrn_work *w, size_t pixels,
                     const void *x, void *y) {
    for (size_t at = 0; at < pixels * w->c; at += w->c) {
        load_pixel(bf16, s, w, x, at);
        for (size_t j = 0; j < w->c; j++) act_put(bf16, y, at + j, w->x[j] * w->power[j]);
    }
}

/* A channel's share, dy x s^(-beta - 1), goes to the channels of its window: those whose windows,
 * mirrored, hold it. */
ACT_LOOP void gradients(bool bf16, const gyre_channel_lrn_shape *s, const lrn_work *w,
                        size_t pixels, const void *x, const void *dy, void *dx) {
    float factor = 2.0f * s->beta * (s->alpha / (float)s->size);
    float *inside = w->line + (w->size - 1) / 2;
    for (size_t at = 0; at < pixels * w->c; at += w->c) {
        load_pixel(bf16, s, w, x, at);
        memset(w->line, 0, (w->c + w->size - 1) * sizeof(float));
        for (size_t j = 0; j < w->c; j++) {
            inside[j] = act_get(bf16, dy, at + j) * w->x[j] * w->power[j] / w->s[j];
        }
        sum_windows(w, w->sums);
        for (size_t j = 0; j < w->c; j++) {
            float d = act_get(bf16, dy, at + j) * w->power[j] - factor * w->x[j] * w->sums[j];
            act_put(bf16, dx, at + j, d);
        }
    }
}

static size_t pixels_of(const gyre_channel_lrn_shape *s) {
    return (size_t)s->n * (size_t)s->h * (size_t)s->w;
}

gyre_status cpu_channel_lrn(gyre_queue *q, const gyre_channel_lrn_shape *s, gyre_act x,
                            gyre_act y) {
    lrn_work w;
    GYRE_TRY(open_work(q, s, &w));
    if (cpu_bf16(q))
        values(true, s, &w, pixels_of(s), x, y);
    else
        values(false, s, &w, pixels_of(s), x, y);
    return GYRE_OK;
}

gyre_status cpu_channel_lrn_dx(gyre_queue *q, const gyre_channel_lrn_shape *s, gyre_act x,
                               gyre_act dy, gyre_act dx) {
    lrn_work w;
    GYRE_TRY(open_work(q, s, &w));
    if (cpu_bf16(q))
        gradients(true, s, &w, pixels_of(s), x, dy, dx);
    else
        gradients(false, s, &w, pixels_of(s), x, dy, dx);
    return GYRE_OK;
}
