/* A number for each place of a sample, added to every sample. */
#include "act.h"
#include "cpu.h"

/* y may be x. */
ACT_LOOP void add_each(bool bf16, size_t samples, size_t size, const void *x, const float *w,
                       void *y) {
    for (size_t i = 0; i < samples; i++) {
        CPU_SAME_INDEX
        for (size_t j = 0; j < size; j++) {
            act_put(bf16, y, i * size + j, act_get(bf16, x, i * size + j) + w[j]);
        }
    }
}

static size_t size_of(const gyre_positions_shape *s) {
    return (size_t)s->h * (size_t)s->w * (size_t)s->c;
}

CPU_CLONES
gyre_status cpu_positions(gyre_queue *q, const gyre_positions_shape *s, gyre_act x, gyre_f32 w,
                          gyre_act y) {
    if (cpu_bf16(q))
        add_each(true, (size_t)s->n, size_of(s), x, cpu_f32(w), y);
    else
        add_each(false, (size_t)s->n, size_of(s), x, cpu_f32(w), y);
    return GYRE_OK;
}

gyre_status cpu_positions_dw(gyre_queue *q, const gyre_positions_shape *s, gyre_act dy,
                             gyre_f32 dw) {
    const size_t size = size_of(s);
    double *sums;
    GYRE_TRY(cpu_column_products(q, (size_t)s->n, size, NULL, dy, &sums));
    for (size_t j = 0; j < size; j++) cpu_f32(dw)[j] = (float)sums[j];
    return GYRE_OK;
}
