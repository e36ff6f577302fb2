/* Batch norm with fused residual add and ReLU.
 *
 * Own loops (norm.h), because the residual add is fused and the order of every sum is fixed by the
 * source. */
#include "act.h"
#include "norm.h"

#include <math.h>

static norm_extent extent_of(const gyre_batch_norm_shape *s) {
    return norm_extent_of((size_t)s->n * (size_t)s->h * (size_t)s->w, (size_t)s->c);
}

/* norm_apply() with its factor a = gamma / deviation in the queue's scratch. */
static gyre_status apply_norm(gyre_queue *q, const gyre_batch_norm_shape *s, gyre_act x,
                              gyre_act residual, const float *gamma, const float *beta,
                              const float *mean, const float *inverse, gyre_act y) {
    size_t c = (size_t)s->c;
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, c * sizeof(float), &work));
    float *a = work;
    for (size_t j = 0; j < c; j++) a[j] = gamma[j] * inverse[j];
    norm_apply(cpu_bf16(q), x, s->add ? residual : NULL, extent_of(s),
               (norm_affine){mean, a, beta, s->relu}, y);
    return GYRE_OK;
}

static gyre_status open_sums(gyre_queue *q, size_t c, size_t more_floats, norm_sums *out,
                             float **more) {
    void *work;
    size_t bytes = 2 * c * sizeof(double) + more_floats * sizeof(float);
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, bytes, &work));
    *out = (norm_sums){work, (double *)work + c};
    *more = (float *)(void *)((double *)work + 2 * c);
    memset(work, 0, 2 * c * sizeof(double));
    return GYRE_OK;
}

gyre_status cpu_batch_norm_train(gyre_queue *q, const gyre_batch_norm_shape *s, gyre_act x,
                                 gyre_act residual, gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved,
                                 gyre_f32 moments_, gyre_act y) {
    size_t c = (size_t)s->c, count = (size_t)s->n * (size_t)s->h * (size_t)s->w;
    float *mean = cpu_f32(saved), *inverse = mean + c, *moments = cpu_f32(moments_), *shift;
    double n = (double)count, unbiased = count > 1 ? n / (n - 1) : 1.0;
    norm_sums sums;
    GYRE_TRY(open_sums(q, c, c, &sums, &shift));
    /* the first pixel, so that the variance does not cancel when the mean is large */
    for (size_t j = 0; j < c; j++) shift[j] = act_get(cpu_bf16(q), x, j);
    norm_sum_moments(cpu_bf16(q), x, extent_of(s), shift, sums);
    for (size_t j = 0; j < c; j++) {
        double d = sums.first[j] / n, variance = sums.second[j] / n - d * d;
        if (variance < 0) variance = 0;
        mean[j] = (float)((double)shift[j] + d);
        inverse[j] = (float)(1.0 / sqrt(variance + (double)s->eps));
        moments[j] = mean[j];
        moments[c + j] = (float)(variance * unbiased);
    }
    return apply_norm(q, s, x, residual, cpu_f32(gamma), cpu_f32(beta), mean, inverse, y);
}

gyre_status cpu_batch_norm_eval(gyre_queue *q, const gyre_batch_norm_shape *s, gyre_act x,
                                gyre_act residual, gyre_f32 gamma, gyre_f32 beta, gyre_f32 running,
                                gyre_f32 saved, gyre_act y) {
    size_t c = (size_t)s->c;
    const float *mean = cpu_f32(running), *variance = mean + c;
    void *work;
    /* apply_norm takes its factor from the same scratch: these lie behind it */
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, 2 * c * sizeof(float), &work));
    float *inverse = s->frozen ? cpu_f32(saved) + c : (float *)work + c;
    for (size_t j = 0; j < c; j++) {
        inverse[j] = (float)(1.0 / sqrt((double)variance[j] + (double)s->eps));
    }
    if (s->frozen) memcpy(cpu_f32(saved), mean, c * sizeof(float));
    return apply_norm(q, s, x, residual, cpu_f32(gamma), cpu_f32(beta), mean, inverse, y);
}

gyre_status cpu_batch_norm_dx(gyre_queue *q, const gyre_batch_norm_shape *s, gyre_act x, gyre_act y,
                              gyre_act dy, gyre_f32 gamma, gyre_f32 saved, gyre_act dx,
                              gyre_act dresidual, gyre_f32 dgamma, gyre_f32 dbeta) {
    size_t c = (size_t)s->c;
    double n = (double)s->n * (double)s->h * (double)s->w;
    const float *mean = cpu_f32(saved), *inverse = mean + c;
    norm_backward f = {x, y, dy, mean, s->relu};
    norm_sums sums;
    float *work;
    GYRE_TRY(open_sums(q, c, 3 * c, &sums, &work));
    norm_slopes g = {work, work + c, work + 2 * c};
    norm_sum_gradients(cpu_bf16(q), f, extent_of(s), sums);
    for (size_t j = 0; j < c; j++) {
        double inv = (double)inverse[j], scale = (double)cpu_f32(gamma)[j] * inv;
        cpu_f32(dgamma)[j] = (float)(sums.second[j] * inv);
        cpu_f32(dbeta)[j] = (float)sums.first[j];
        g.k[j] = (float)scale;
        /* d mean and d variance, unless the statistics are constants */
        g.m[j] = s->frozen ? 0 : (float)(-scale * inv * inv * sums.second[j] / n);
        g.b[j] = s->frozen ? 0 : (float)(-scale * sums.first[j] / n);
    }
    norm_apply_gradient(cpu_bf16(q), f, extent_of(s), g, dx, s->add ? dresidual : NULL);
    return GYRE_OK;
}
