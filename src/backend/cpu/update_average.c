/* Averages of the weights over the steps. */
#include "cpu.h"

typedef struct {
    const float *x;
    float *average, share;
} averages;

CPU_CLONES
static void average_body(void *context, size_t begin, size_t end) {
    const averages *v = context;
    const float *x = v->x, share = v->share;
    float *average = v->average;
    CPU_SAME_INDEX
    for (size_t i = begin; i < end; i++) average[i] += share * (x[i] - average[i]);
}

gyre_status cpu_update_average(gyre_queue *q, size_t n, gyre_f32 x, gyre_f32 scalars,
                               gyre_f32 average) {
    averages v = {cpu_f32(x), cpu_f32(average), cpu_f32(scalars)[GYRE_SCALAR_SHARE]};
    if (!(cpu_f32(scalars)[GYRE_SCALAR_FINITE] > 0)) return GYRE_OK;
    return cpu_for(q, n, average_body, &v);
}
