/* Averages over bins, which may overlap; image by image, in f32. */
#include "cpu.h"

#include <string.h>

/* Rows and columns of the bin of output pixel (i, j). */
typedef struct {
    int y, y_end, x, x_end;
    float cells;
} bin;

static bin bin_at(const gyre_adaptive_pool_shape *s, int i, int j) {
    bin b = {gyre_bin_begin(i, s->h, s->oh), gyre_bin_end(i, s->h, s->oh),
             gyre_bin_begin(j, s->w, s->ow), gyre_bin_end(j, s->w, s->ow), 0};
    b.cells = (float)((b.y_end - b.y) * (b.x_end - b.x));
    return b;
}

static size_t cell_at(const gyre_adaptive_pool_shape *s, int y, int x) {
    return ((size_t)y * (size_t)s->w + (size_t)x) * (size_t)s->c;
}

CPU_CLONES
static void average(const gyre_adaptive_pool_shape *s, const float *x, float *y) {
    size_t c = (size_t)s->c;
    for (int pixel = 0; pixel < s->oh * s->ow; pixel++, y += c) {
        bin b = bin_at(s, pixel / s->ow, pixel % s->ow);
        memset(y, 0, c * sizeof *y);
        for (int i = b.y; i < b.y_end; i++) {
            for (int j = b.x; j < b.x_end; j++) {
                const float *cell = x + cell_at(s, i, j);
                for (size_t k = 0; k < c; k++) y[k] += cell[k];
            }
        }
        for (size_t k = 0; k < c; k++) y[k] = y[k] / b.cells;
    }
}

CPU_CLONES
static void spread(const gyre_adaptive_pool_shape *s, const float *dy, float *dx) {
    size_t c = (size_t)s->c;
    memset(dx, 0, (size_t)s->h * (size_t)s->w * c * sizeof *dx);
    for (int pixel = 0; pixel < s->oh * s->ow; pixel++, dy += c) {
        bin b = bin_at(s, pixel / s->ow, pixel % s->ow);
        for (int i = b.y; i < b.y_end; i++) {
            for (int j = b.x; j < b.x_end; j++) {
                float *cell = dx + cell_at(s, i, j);
                for (size_t k = 0; k < c; k++) cell[k] += dy[k] / b.cells;
            }
        }
    }
}

typedef void (*function)(const gyre_adaptive_pool_shape *s, const float *from, float *to);

/* Of all images: `in` and `out` numbers each. */
static gyre_status each_image(gyre_queue *q, const gyre_adaptive_pool_shape *s, function f,
                              size_t in, size_t out, gyre_act from, gyre_act to) {
    float *work = NULL;
    if (cpu_bf16(q)) {
        void *memory;
        GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, (in + out) * sizeof(float), &memory));
        work = memory;
    }
    for (size_t n = 0; n < (size_t)s->n; n++) {
        void *place = cpu_act_at(q, to, n * out);
        float *results = cpu_results(q, place, work == NULL ? NULL : work + in);
        f(s, cpu_widened(q, cpu_act_at(q, from, n * in), in, work), results);
        cpu_finish(q, results, out, place);
    }
    return GYRE_OK;
}

static size_t image_size(const gyre_adaptive_pool_shape *s) {
    return (size_t)s->h * (size_t)s->w * (size_t)s->c;
}
static size_t result_size(const gyre_adaptive_pool_shape *s) {
    return (size_t)s->oh * (size_t)s->ow * (size_t)s->c;
}

gyre_status cpu_adaptive_pool(gyre_queue *q, const gyre_adaptive_pool_shape *s, gyre_act x,
                              gyre_act y) {
    return each_image(q, s, average, image_size(s), result_size(s), x, y);
}

gyre_status cpu_adaptive_pool_dx(gyre_queue *q, const gyre_adaptive_pool_shape *s, gyre_act dy,
                                 gyre_act dx) {
    return each_image(q, s, spread, result_size(s), image_size(s), dy, dx);
}
