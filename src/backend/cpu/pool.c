/* Pooling, maximum and average, with Caffe's ceil mode.
 *
 * Own loops along the channels: a NaN must reach the loss so that the step is refused, and
 * oneDNN's maximum drops NaN on some processors and keeps it on others. */
#include "cpu.h"

#include <string.h>

enum { CHANNELS = 64 }; /* handled together; fewer leave the short loops to their beginnings */

/* The cells of output (i, j)'s window that lie inside the image. */
typedef struct {
    int y, y_end, x, x_end;
    int top, left; /* of the whole window: cell numbers count from here */
} window;

static window window_at(const gyre_pool_shape *s, int i, int j) {
    int top = i * s->stride - s->pad, left = j * s->stride - s->pad;
    return (window){top < 0 ? 0 : top,
                    top + s->r < s->h ? top + s->r : s->h,
                    left < 0 ? 0 : left,
                    left + s->r < s->w ? left + s->r : s->w,
                    top,
                    left};
}

static size_t cell_offset(const gyre_pool_shape *s, int y, int x) {
    return ((size_t)y * (size_t)s->w + (size_t)x) * (size_t)s->c;
}

static int cell_number(const gyre_pool_shape *s, const window *v, int y, int x) {
    return (y - v->top) * s->r + (x - v->left);
}

/* `width` <= CHANNELS channels of one window: the maximum and the number of its cell; the first of
 * equal ones, and NaN above all. */
CPU_CLONES
static void max_window(const gyre_pool_shape *s, const window *v, const float *x, int width,
                       uint16_t *saved, float *y) {
    float best[CHANNELS];
    int32_t from[CHANNELS], start = cell_number(s, v, v->y, v->x);
    const float *first = x + cell_offset(s, v->y, v->x);
    for (int c = 0; c < width; c++) {
        best[c] = first[c];
        from[c] = start;
    }
    for (int i = v->y; i < v->y_end; i++) {
        for (int j = v->x; j < v->x_end; j++) {
            const float *cell = x + cell_offset(s, i, j);
            int32_t number = cell_number(s, v, i, j);
            for (int c = 0; c < width; c++) {
                bool above = (cell[c] > best[c]) | (cell[c] != cell[c]);
                best[c] = above ? cell[c] : best[c];
                from[c] = above ? number : from[c];
            }
        }
    }
    for (int c = 0; c < width; c++) {
        y[c] = best[c];
        saved[c] = (uint16_t)from[c];
    }
}

CPU_CLONES
static void average_window(const gyre_pool_shape *s, const window *v, const float *x, int width,
                           float *y) {
    float sum[CHANNELS] = {0}, count = (float)((v->y_end - v->y) * (v->x_end - v->x));
    for (int i = v->y; i < v->y_end; i++) {
        for (int j = v->x; j < v->x_end; j++) {
            const float *cell = x + cell_offset(s, i, j);
            for (int c = 0; c < width; c++) sum[c] += cell[c];
        }
    }
    for (int c = 0; c < width; c++) y[c] = sum[c] / count;
}

CPU_CLONES
static void max_window_dx(const gyre_pool_shape *s, const window *v, const float *dy,
                          const uint16_t *saved, int width, float *dx) {
    for (int i = v->y; i < v->y_end; i++) {
        for (int j = v->x; j < v->x_end; j++) {
            float *cell = dx + cell_offset(s, i, j);
            int number = cell_number(s, v, i, j);
            for (int c = 0; c < width; c++) cell[c] += saved[c] == number ? dy[c] : 0.0f;
        }
    }
}

CPU_CLONES
static void average_window_dx(const gyre_pool_shape *s, const window *v, const float *dy, int width,
                              float *dx) {
    float count = (float)((v->y_end - v->y) * (v->x_end - v->x));
    for (int i = v->y; i < v->y_end; i++) {
        for (int j = v->x; j < v->x_end; j++) {
            float *cell = dx + cell_offset(s, i, j);
            for (int c = 0; c < width; c++) cell[c] += dy[c] / count;
        }
    }
}

size_t cpu_pool_saved_size(gyre_backend *b, const gyre_pool_shape *s) {
    (void)b;
    if (!s->max) return 0;
    return (size_t)s->n * (size_t)gyre_pool_out(s, s->h) * (size_t)gyre_pool_out(s, s->w) *
           (size_t)s->c * sizeof(uint16_t);
}

static gyre_status check_window(const gyre_pool_shape *s) {
    if (s->r >= 1 && s->r <= 255 && s->pad < s->r && s->stride >= 1) return GYRE_OK;
    return gyre_fail(GYRE_EDEVICE,
                     "pooling: window %d, stride %d, padding %d; a window of 1 to 255, a stride of "
                     "at least 1 and a padding below the window are supported",
                     s->r, s->stride, s->pad);
}

gyre_status cpu_pool(gyre_queue *q, const gyre_pool_shape *s, gyre_act x, gyre_raw saved,
                     gyre_act y) {
    (void)q;
    GYRE_TRY(check_window(s));
    int oh = gyre_pool_out(s, s->h), ow = gyre_pool_out(s, s->w);
    size_t image = (size_t)s->h * (size_t)s->w * (size_t)s->c, at = 0;
    uint16_t *from = (uint16_t *)(void *)saved;
    for (int n = 0; n < s->n; n++) {
        for (int pixel = 0; pixel < oh * ow; pixel++) {
            window v = window_at(s, pixel / ow, pixel % ow);
            for (int c = 0; c < s->c; c += CHANNELS) {
                int width = s->c - c < CHANNELS ? s->c - c : CHANNELS;
                const float *in = cpu_act(x) + (size_t)n * image + c;
                if (s->max)
                    max_window(s, &v, in, width, from + at, cpu_act(y) + at);
                else
                    average_window(s, &v, in, width, cpu_act(y) + at);
                at += (size_t)width;
            }
        }
    }
    return GYRE_OK;
}

gyre_status cpu_pool_dx(gyre_queue *q, const gyre_pool_shape *s, gyre_act dy, gyre_raw saved,
                        gyre_act dx) {
    (void)q;
    GYRE_TRY(check_window(s));
    int oh = gyre_pool_out(s, s->h), ow = gyre_pool_out(s, s->w);
    size_t image = (size_t)s->h * (size_t)s->w * (size_t)s->c, at = 0;
    const uint16_t *from = (const uint16_t *)(const void *)saved;
    memset(cpu_act(dx), 0, (size_t)s->n * image * sizeof(float));
    for (int n = 0; n < s->n; n++) {
        for (int pixel = 0; pixel < oh * ow; pixel++) {
            window v = window_at(s, pixel / ow, pixel % ow);
            for (int c = 0; c < s->c; c += CHANNELS) {
                int width = s->c - c < CHANNELS ? s->c - c : CHANNELS;
                float *out = cpu_act(dx) + (size_t)n * image + c;
                if (s->max)
                    max_window_dx(s, &v, cpu_act(dy) + at, from + at, width, out);
                else
                    average_window_dx(s, &v, cpu_act(dy) + at, width, out);
                at += (size_t)width;
            }
        }
    }
    return GYRE_OK;
}
