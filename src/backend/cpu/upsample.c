/* Nearest-neighbour upsampling by a whole factor. */
#include "act.h"
#include "cpu.h"

gyre_status cpu_upsample(gyre_queue *q, const gyre_upsample_shape *s, gyre_act x, gyre_act y) {
    size_t factor = (size_t)s->factor, w = (size_t)s->w, c = (size_t)s->c;
    size_t rows = (size_t)s->n * (size_t)s->h, pixel = c * q->backend->act_size;
    for (size_t row = 0; row < rows; row++) {
        char *first = cpu_act_at(q, y, row * factor * w * factor * c), *to = first;
        for (size_t i = 0; i < w * factor; i++, to += pixel) {
            memcpy(to, cpu_act_at(q, x, (row * w + i / factor) * c), pixel);
        }
        size_t line = w * factor * pixel;
        for (size_t k = 1; k < factor; k++) memcpy(first + k * line, first, line);
    }
    return GYRE_OK;
}

/* The sum of a pixel's copies, in f32, line by line. */
ACT_LOOP void gradients(bool bf16, const gyre_upsample_shape *s, const void *dy, void *dx) {
    size_t factor = (size_t)s->factor, w = (size_t)s->w, c = (size_t)s->c;
    size_t pixels = (size_t)s->n * (size_t)s->h * w, line = w * factor * c;
    for (size_t p = 0; p < pixels; p++) {
        size_t from = p / w * factor * line + p % w * factor * c;
        for (size_t j = 0; j < c; j++) {
            float sum = 0;
            for (size_t k = 0; k < factor * factor; k++) {
                sum += act_get(bf16, dy, from + k / factor * line + k % factor * c + j);
            }
            act_put(bf16, dx, p * c + j, sum);
        }
    }
}

gyre_status cpu_upsample_dx(gyre_queue *q, const gyre_upsample_shape *s, gyre_act dy, gyre_act dx) {
    if (cpu_bf16(q))
        gradients(true, s, dy, dx);
    else
        gradients(false, s, dy, dx);
    return GYRE_OK;
}
