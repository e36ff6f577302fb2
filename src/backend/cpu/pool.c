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
    int top = i * s->stride_h - s->pad_h, left = j * s->stride_w - s->pad_w;
    return (window){top < 0 ? 0 : top,
                    top + s->r < s->h ? top + s->r : s->h,
                    left < 0 ? 0 : left,
                    left + s->s < s->w ? left + s->s : s->w,
                    top,
                    left};
}

static size_t cell_offset(const gyre_pool_shape *s, int y, int x) {
    return ((size_t)y * (size_t)s->w + (size_t)x) * (size_t)s->c;
}

static int cell_number(const gyre_pool_shape *s, const window *v, int y, int x) {
    return (y - v->top) * s->s + (x - v->left);
}

/* What the average divides by. With ceil a window may reach beyond the padding, too. */
static float divisor(const gyre_pool_shape *s, const window *v) {
    int rows = v->y_end - v->y, columns = v->x_end - v->x;
    if (s->count_pad) {
        int down = s->h + s->pad_h - v->top, right = s->w + s->pad_w - v->left;
        rows = s->r < down ? s->r : down;
        columns = s->s < right ? s->s : right;
    }
    return (float)(rows * columns);
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
    float sum[CHANNELS] = {0}, count = divisor(s, v);
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
    float count = divisor(s, v);
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
    return (size_t)s->n * (size_t)gyre_pool_rows(s) * (size_t)gyre_pool_columns(s) * (size_t)s->c *
           sizeof(uint16_t);
}

static gyre_status check_window(const gyre_pool_shape *s) {
    if (gyre_pool_possible(s)) return GYRE_OK;
    return gyre_fail(
        GYRE_EDEVICE,
        "pooling: window %d x %d, stride %d x %d, padding %d x %d; windows of at least "
        "1 (of a maximum, with at most 65535 cells), strides of at least 1 and "
        "paddings below the window are supported",
        s->r, s->s, s->stride_h, s->stride_w, s->pad_h, s->pad_w);
}

/* Room for `n` floats beside the primitives' scratch, where activations are not f32 themselves. */
static gyre_status open_work(gyre_queue *q, size_t n, float **out) {
    void *work = NULL;
    if (cpu_bf16(q)) GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, n * sizeof(float), &work));
    *out = work;
    return GYRE_OK;
}

static size_t image_size(const gyre_pool_shape *s) {
    return (size_t)s->h * (size_t)s->w * (size_t)s->c;
}

static size_t result_size(const gyre_pool_shape *s) {
    return (size_t)gyre_pool_rows(s) * (size_t)gyre_pool_columns(s) * (size_t)s->c;
}

static void pool_image(const gyre_pool_shape *s, const float *x, uint16_t *saved, float *y) {
    int oh = gyre_pool_rows(s), ow = gyre_pool_columns(s);
    size_t at = 0;
    for (int pixel = 0; pixel < oh * ow; pixel++) {
        window v = window_at(s, pixel / ow, pixel % ow);
        for (int c = 0; c < s->c; c += CHANNELS) {
            int width = s->c - c < CHANNELS ? s->c - c : CHANNELS;
            if (s->max)
                max_window(s, &v, x + c, width, saved + at, y + at);
            else
                average_window(s, &v, x + c, width, y + at);
            at += (size_t)width;
        }
    }
}

gyre_status cpu_pool(gyre_queue *q, const gyre_pool_shape *s, gyre_act x, gyre_raw saved_,
                     gyre_act y) {
    GYRE_TRY(check_window(s));
    size_t image = image_size(s), result = result_size(s);
    float *work;
    GYRE_TRY(open_work(q, image + result, &work));
    for (size_t n = 0; n < (size_t)s->n; n++) {
        uint16_t *saved = s->max ? (uint16_t *)(void *)saved_ + n * result : NULL;
        void *to = cpu_act_at(q, y, n * result);
        float *results = cpu_results(q, to, work + image);
        pool_image(s, cpu_widened(q, cpu_act_at(q, x, n * image), image, work), saved, results);
        cpu_finish(q, results, result, to);
    }
    return GYRE_OK;
}

/* Windows overlap: in bf16 too their shares are added in f32, and rounded once. */
static void pool_image_dx(const gyre_pool_shape *s, const float *dy, const uint16_t *saved,
                          float *dx) {
    int oh = gyre_pool_rows(s), ow = gyre_pool_columns(s);
    size_t at = 0;
    memset(dx, 0, image_size(s) * sizeof *dx);
    for (int pixel = 0; pixel < oh * ow; pixel++) {
        window v = window_at(s, pixel / ow, pixel % ow);
        for (int c = 0; c < s->c; c += CHANNELS) {
            int width = s->c - c < CHANNELS ? s->c - c : CHANNELS;
            if (s->max)
                max_window_dx(s, &v, dy + at, saved + at, width, dx + c);
            else
                average_window_dx(s, &v, dy + at, width, dx + c);
            at += (size_t)width;
        }
    }
}

gyre_status cpu_pool_dx(gyre_queue *q, const gyre_pool_shape *s, gyre_act dy, gyre_raw saved_,
                        gyre_act dx) {
    GYRE_TRY(check_window(s));
    size_t image = image_size(s), result = result_size(s);
    float *work;
    GYRE_TRY(open_work(q, image + result, &work));
    for (size_t n = 0; n < (size_t)s->n; n++) {
        const uint16_t *saved = s->max ? (const uint16_t *)(const void *)saved_ + n * result : NULL;
        void *to = cpu_act_at(q, dx, n * image);
        float *results = cpu_results(q, to, work);
        pool_image_dx(s, cpu_widened(q, cpu_act_at(q, dy, n * result), result, work + image), saved,
                      results);
        cpu_finish(q, results, image, to);
    }
    return GYRE_OK;
}
