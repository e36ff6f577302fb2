/* A factor for each channel. */
#include "act.h"
#include "cpu.h"

/* y may be x. */
ACT_LOOP void scale_rows(bool bf16, size_t rows, size_t c, const void *x, const float *w, void *y) {
    for (size_t row = 0; row < rows; row++) {
        CPU_SAME_INDEX
        for (size_t j = 0; j < c; j++) {
            act_put(bf16, y, row * c + j, act_get(bf16, x, row * c + j) * w[j]);
        }
    }
}

static size_t rows_of(const gyre_scale_shape *s) {
    return (size_t)s->n * (size_t)s->h * (size_t)s->w;
}

CPU_CLONES
gyre_status cpu_scale(gyre_queue *q, const gyre_scale_shape *s, gyre_act x, gyre_f32 w,
                      gyre_act y) {
    if (cpu_bf16(q))
        scale_rows(true, rows_of(s), (size_t)s->c, x, cpu_f32(w), y);
    else
        scale_rows(false, rows_of(s), (size_t)s->c, x, cpu_f32(w), y);
    return GYRE_OK;
}

gyre_status cpu_scale_dw(gyre_queue *q, const gyre_scale_shape *s, gyre_act x, gyre_act dy,
                         gyre_f32 dw) {
    double *sums;
    GYRE_TRY(cpu_column_products(q, rows_of(s), (size_t)s->c, x, dy, &sums));
    for (int j = 0; j < s->c; j++) cpu_f32(dw)[j] = (float)sums[j];
    return GYRE_OK;
}
