/* The verdict on a step: the gradient's norm, and whether loss and norm are finite. */
#include "cpu.h"

#include <math.h>

typedef struct {
    const float *g;
    double *partial; /* of each block */
} squares;

enum { SUMS = 16 }; /* accumulators of a block, added pairwise at its end */

CPU_CLONES
static void square_body(void *context, size_t begin, size_t end) {
    const squares *v = context;
    double sums[SUMS] = {0};
    size_t i = begin;
    for (; i + SUMS <= end; i += SUMS) {
        for (size_t j = 0; j < SUMS; j++) {
            double x = (double)v->g[i + j];
            sums[j] += x * x;
        }
    }
    for (size_t j = 0; i < end; i++, j++) {
        double x = (double)v->g[i];
        sums[j] += x * x;
    }
    for (size_t width = SUMS / 2; width >= 1; width /= 2) {
        for (size_t j = 0; j < width; j++) sums[j] += sums[j + width];
    }
    v->partial[begin / CPU_BLOCK] = sums[0];
}

gyre_status cpu_check_step(gyre_queue *q, size_t n, gyre_f32 g, gyre_f32 stats, float clip_norm,
                           gyre_f32 scalars_) {
    size_t blocks = (n + CPU_BLOCK - 1) / CPU_BLOCK;
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, blocks * sizeof(double), &work));
    squares v = {cpu_f32(g), work};
    GYRE_TRY(cpu_for(q, n, square_body, &v));
    double sum = 0;
    for (size_t i = 0; i < blocks; i++) sum += v.partial[i];
    float *scalars = cpu_f32(scalars_);
    float loss = cpu_f32(stats)[0], norm = (float)sqrt(sum);
    scalars[GYRE_SCALAR_LOSS] = loss;
    scalars[GYRE_SCALAR_SUM] = cpu_f32(stats)[1];
    scalars[GYRE_SCALAR_NORM] = norm;
    scalars[GYRE_SCALAR_SHRINK] = clip_norm > 0 && norm > clip_norm ? clip_norm / norm : 1.0f;
    if (!isfinite(loss) || !isfinite(norm)) scalars[GYRE_SCALAR_FINITE] = 0;
    return GYRE_OK;
}
