/* Local response normalisation within a channel, image by image.
 *
 * Window sums are separable: the window's rows first, then its columns, on lines of w * c floats
 * whose ends are padded with zeros. So every loop runs along contiguous memory that stays in the
 * cache, whatever the number of channels, and the order of each sum is that of the source. */
#include "cpu.h"

#include "gyre/realmath.h"
#include "lrn.h"
#include <math.h>
#include <string.h>

/* One image at a time, in the queue's scratch. */
typedef struct {
    const gyre_lrn_shape *shape;
    size_t row, image; /* floats */
    float factor;      /* alpha / size^2 */
    float *line;       /* a row between size / 2 pixels of zeros on each side */
    float *sums;       /* (w, c): of a row's windows, then s */
    float *squares;    /* (h, w, c) */
    float *power;      /* s^-beta: (h, w, c) for backward, forward uses its first row */
    float *shares;     /* (h, w, c), backward: what each pixel hands to its window's cells */
    float *x, *dy;     /* (h, w, c), bf16: widened; results take their place */
} lrn_work;

static gyre_status open_work(gyre_queue *q, const gyre_lrn_shape *s, bool backward, lrn_work *out) {
    if (s->size < 1 || s->size % 2 == 0) {
        return gyre_fail(GYRE_EDEVICE,
                         "local response normalisation: an odd window is expected, found %d",
                         s->size);
    }
    size_t c = (size_t)s->c, row = (size_t)s->w * c, image = (size_t)s->h * row;
    size_t line = row + (size_t)(s->size - 1) * c, power = backward ? image : row;
    size_t copies = !cpu_bf16(q) ? 0 : backward ? 2 : 1;
    size_t floats = line + row + image + power + (backward ? image : 0) + copies * image;
    void *memory;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, floats * sizeof(float), &memory));
    *out = (lrn_work){.shape = s,
                      .row = row,
                      .image = image,
                      .factor = s->alpha / (float)(s->size * s->size),
                      .line = memory};
    out->sums = out->line + line;
    out->squares = out->sums + row;
    out->power = out->squares + image;
    out->shares = out->power + power;
    out->x = out->shares + (backward ? image : 0);
    out->dy = out->x + image;
    memset(out->line, 0, line * sizeof(float));
    return GYRE_OK;
}

CPU_CLONES
static void square(const float *x, size_t n, bool relu, float *y) {
    float floor_value = relu ? 0.0f : -INFINITY;
    for (size_t i = 0; i < n; i++) {
        float v = x[i] < floor_value ? floor_value : x[i]; /* NaN stays NaN */
        y[i] = v * v;
    }
}

/* Sums of an (h, w, c) image over the window around each pixel of row y; cells outside are 0. */
CPU_CLONES
static void sum_windows(const lrn_work *w, const float *image, int y) {
    const gyre_lrn_shape *s = w->shape;
    int reach = s->size / 2, begin = y < reach ? 0 : y - reach;
    int end = y + reach + 1 < s->h ? y + reach + 1 : s->h;
    size_t n = w->row, c = (size_t)s->c;
    float *inside = w->line + (size_t)reach * c, *sums = w->sums;
    memcpy(inside, image + (size_t)begin * n, n * sizeof(float));
    for (int i = begin + 1; i < end; i++) {
        const float *from = image + (size_t)i * n;
        for (size_t k = 0; k < n; k++) inside[k] += from[k];
    }
    memcpy(sums, w->line, n * sizeof(float));
    for (int j = 1; j < s->size; j++) {
        const float *from = w->line + (size_t)j * c;
        for (size_t k = 0; k < n; k++) sums[k] += from[k];
    }
}

/* Three quarters, as in AlexNet and Caffe's nets, are two roots and a division, each correctly
 * rounded; any other power goes through exp and log in double, element by element. */
CPU_CLONES
void lrn_power(float beta, float bias, float factor, size_t n, float *s, float *power) {
    for (size_t i = 0; i < n; i++) s[i] = bias + factor * s[i];
    if (beta == 0.75f) {
        for (size_t i = 0; i < n; i++) {
            float root = sqrtf(s[i]);
            power[i] = 1.0f / (root * sqrtf(root));
        }
    } else {
        for (size_t i = 0; i < n; i++) {
            power[i] = (float)gyre_exp(-(double)beta * gyre_log((double)s[i]));
        }
    }
}

CPU_CLONES
static void scale(const float *x, const float *power, size_t n, bool relu, float *y) {
    float floor_value = relu ? 0.0f : -INFINITY;
    CPU_SAME_INDEX
    for (size_t i = 0; i < n; i++) {
        float v = x[i] < floor_value ? floor_value : x[i];
        y[i] = v * power[i];
    }
}

gyre_status cpu_lrn(gyre_queue *q, const gyre_lrn_shape *s, gyre_act x, gyre_act y) {
    lrn_work w;
    GYRE_TRY(open_work(q, s, false, &w));
    for (int n = 0; n < s->n; n++) {
        size_t first = (size_t)n * w.image;
        const float *from = cpu_widened(q, cpu_act_at(q, x, first), w.image, w.x);
        float *to = cpu_results(q, cpu_act_at(q, y, first), w.x);
        square(from, w.image, s->relu, w.squares);
        for (int i = 0; i < s->h; i++) {
            size_t at = (size_t)i * w.row;
            sum_windows(&w, w.squares, i);
            lrn_power(s->beta, 1.0f, w.factor, w.row, w.sums, w.power);
            scale(from + at, w.power, w.row, s->relu, to + at);
        }
        cpu_finish(q, to, w.image, cpu_act_at(q, y, first));
    }
    return GYRE_OK;
}

/* dy x s^(-beta - 1): d loss / d s up to a constant factor. */
CPU_CLONES
static void share(const float *x, const float *dy, const float *power, const float *s, size_t n,
                  bool relu, float *out) {
    float floor_value = relu ? 0.0f : -INFINITY;
    for (size_t i = 0; i < n; i++) {
        float v = x[i] < floor_value ? floor_value : x[i];
        out[i] = dy[i] * v * power[i] / s[i];
    }
}

/* Without ReLU the threshold is NaN, which nothing is below. */
CPU_CLONES
static void combine(const float *x, const float *dy, const float *power, const float *sums,
                    size_t n, float factor, bool relu, float *dx) {
    float threshold = relu ? 0.0f : NAN;
    CPU_SAME_INDEX
    for (size_t i = 0; i < n; i++) {
        float d = dy[i] * power[i] - factor * x[i] * sums[i];
        dx[i] = x[i] <= threshold ? 0.0f : d;
    }
}

/* s is computed anew: keeping it and its power would save 1 % of a step of cifar10_full, and take
 * twice the tensor's memory. */
gyre_status cpu_lrn_dx(gyre_queue *q, const gyre_lrn_shape *s, gyre_act x, gyre_act dy,
                       gyre_act dx) {
    lrn_work w;
    GYRE_TRY(open_work(q, s, true, &w));
    float factor = 2.0f * s->beta * w.factor;
    for (int n = 0; n < s->n; n++) {
        size_t first = (size_t)n * w.image;
        const float *from = cpu_widened(q, cpu_act_at(q, x, first), w.image, w.x);
        const float *above = cpu_widened(q, cpu_act_at(q, dy, first), w.image, w.dy);
        float *to = cpu_results(q, cpu_act_at(q, dx, first), w.dy);
        square(from, w.image, s->relu, w.squares);
        for (size_t i = 0, at = 0; i < (size_t)s->h; i++, at += w.row) {
            sum_windows(&w, w.squares, (int)i);
            lrn_power(s->beta, 1.0f, w.factor, w.row, w.sums, w.power + at);
            share(from + at, above + at, w.power + at, w.sums, w.row, s->relu, w.shares + at);
        }
        for (size_t i = 0, at = 0; i < (size_t)s->h; i++, at += w.row) {
            sum_windows(&w, w.shares, (int)i);
            combine(from + at, above + at, w.power + at, w.sums, w.row, factor, s->relu, to + at);
        }
        cpu_finish(q, to, w.image, cpu_act_at(q, dx, first));
    }
    return GYRE_OK;
}
