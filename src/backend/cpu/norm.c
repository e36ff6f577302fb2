/* Batch norm with fused residual add and ReLU.
 *
 * Own loops, because the residual add is fused and the order of every sum is fixed by the source:
 * a channel has its own accumulators, pixels are added in blocks, blocks in double. Channels run
 * along the vector, so the vector width does not reorder anything. */
#include "cpu.h"

#include <math.h>
#include <string.h>

enum {
    LANES = 16, /* channels handled together: one AVX-512 register, two of AVX2 */
    ROWS = 256  /* pixels summed in f32 before the sum goes to double: error <= 256 * 2^-24 of the
                   block's absolute sum, and far less on average */
};

typedef struct {
    double sum[LANES], other[LANES];
} channel_sums;

/* LANES channels of a pixel. Said outright, since compilers keep arrays of sums in memory, which
 * made these loops twice as slow. */
typedef float lanes __attribute__((vector_size(LANES * sizeof(float))));
typedef int32_t lanes_mask __attribute__((vector_size(LANES * sizeof(float))));

static void add_sums(const float *s, const float *q, channel_sums *out) {
    for (size_t j = 0; j < LANES; j++) {
        out->sum[j] += (double)s[j];
        out->other[j] += (double)q[j];
    }
}

/* Sums of x - shift and (x - shift)^2 over `rows` pixels of `width` <= 16 channels. The shift (the
 * first pixel) keeps the variance free of cancellation when the mean is large. */
CPU_CLONES
static void sum_moments(const float *x, size_t rows, size_t stride, size_t width,
                        const float *shift, channel_sums *out) {
    memset(out, 0, sizeof *out);
    for (size_t begin = 0; begin < rows; begin += ROWS) {
        size_t end = begin + ROWS < rows ? begin + ROWS : rows;
        float s[LANES] = {0}, q[LANES] = {0};
        if (width == LANES) {
            lanes vs = {0}, vq = {0}, from, row;
            memcpy(&from, shift, sizeof from);
            for (size_t i = begin; i < end; i++) {
                memcpy(&row, x + i * stride, sizeof row);
                row -= from;
                vs += row;
                vq += row * row;
            }
            memcpy(s, &vs, sizeof s);
            memcpy(q, &vq, sizeof q);
        } else {
            for (size_t i = begin; i < end; i++) {
                for (size_t j = 0; j < width; j++) {
                    float d = x[i * stride + j] - shift[j];
                    s[j] += d;
                    q[j] += d * d;
                }
            }
        }
        add_sums(s, q, out);
    }
}

/* y = act((x - mean) * a + b (+ residual)) for all rows of c channels. The mean is taken off first:
 * folded into b it would cancel when it is large beside the deviation. */
CPU_CLONES
static void apply(const float *x, const float *residual, size_t rows, size_t c, const float *mean,
                  const float *a, const float *b, bool relu, float *y) {
    float floor_value = relu ? 0.0f : -INFINITY;
    for (size_t i = 0; i < rows; i++) {
        const float *row = x + i * c;
        float *to = y + i * c;
        if (residual != NULL) {
            const float *add = residual + i * c;
            CPU_SAME_INDEX
            for (size_t j = 0; j < c; j++) {
                float v = (row[j] - mean[j]) * a[j] + b[j] + add[j];
                to[j] = v < floor_value ? floor_value : v; /* NaN stays NaN */
            }
        } else {
            CPU_SAME_INDEX
            for (size_t j = 0; j < c; j++) {
                float v = (row[j] - mean[j]) * a[j] + b[j];
                to[j] = v < floor_value ? floor_value : v;
            }
        }
    }
}

/* apply() with its factor a = gamma / deviation in the queue's scratch. */
static gyre_status apply_norm(gyre_queue *q, const gyre_norm_shape *s, const float *x,
                              const float *residual, const float *gamma, const float *beta,
                              const float *mean, const float *inverse, float *y) {
    size_t c = (size_t)s->c, rows = (size_t)s->n * (size_t)s->h * (size_t)s->w;
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, c * sizeof(float), &work));
    float *a = work;
    for (size_t j = 0; j < c; j++) a[j] = gamma[j] * inverse[j];
    apply(x, s->add ? residual : NULL, rows, c, mean, a, beta, s->relu, y);
    return GYRE_OK;
}

gyre_status cpu_norm_train(gyre_queue *q, const gyre_norm_shape *s, gyre_act x_, gyre_act residual,
                           gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved_, gyre_f32 moments_,
                           gyre_act y) {
    size_t c = (size_t)s->c, rows = (size_t)s->n * (size_t)s->h * (size_t)s->w;
    const float *x = cpu_act(x_);
    float *mean = cpu_f32(saved_), *inverse = mean + c;
    float *moments = cpu_f32(moments_);
    double unbiased = rows > 1 ? (double)rows / (double)(rows - 1) : 1.0;
    for (size_t first = 0; first < c; first += LANES) {
        size_t width = c - first < LANES ? c - first : LANES;
        channel_sums sums;
        sum_moments(x + first, rows, c, width, x + first, &sums);
        for (size_t j = 0; j < width; j++) {
            double shift = (double)x[first + j], d = sums.sum[j] / (double)rows;
            double variance = sums.other[j] / (double)rows - d * d;
            if (variance < 0) variance = 0;
            mean[first + j] = (float)(shift + d);
            inverse[first + j] = (float)(1.0 / sqrt(variance + (double)s->eps));
            moments[first + j] = mean[first + j];
            moments[c + first + j] = (float)(variance * unbiased);
        }
    }
    return apply_norm(q, s, x, cpu_act(residual), cpu_f32(gamma), cpu_f32(beta), mean, inverse,
                      cpu_act(y));
}

gyre_status cpu_norm_eval(gyre_queue *q, const gyre_norm_shape *s, gyre_act x, gyre_act residual,
                          gyre_f32 gamma, gyre_f32 beta, gyre_f32 running, gyre_f32 saved,
                          gyre_act y) {
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
    return apply_norm(q, s, cpu_act(x), cpu_act(residual), cpu_f32(gamma), cpu_f32(beta), mean,
                      inverse, cpu_act(y));
}

/* Sums of dy' and dy' * (x - mean) over rows; dy' is 0 where y <= 0, else dy. Without ReLU the
 * threshold is NaN, which nothing is below; and a NaN in y lets dy pass, so that it is seen. */
CPU_CLONES
static void sum_gradients(const float *x, const float *y, const float *dy, size_t rows,
                          size_t stride, size_t width, const float *mean, bool relu,
                          channel_sums *out) {
    memset(out, 0, sizeof *out);
    float threshold = relu ? 0.0f : NAN;
    for (size_t begin = 0; begin < rows; begin += ROWS) {
        size_t end = begin + ROWS < rows ? begin + ROWS : rows;
        float s[LANES] = {0}, q[LANES] = {0};
        if (width == LANES) {
            lanes vs = {0}, vq = {0}, from, px, py, d;
            memcpy(&from, mean, sizeof from);
            for (size_t i = begin; i < end; i++) {
                memcpy(&px, x + i * stride, sizeof px);
                memcpy(&py, y + i * stride, sizeof py);
                memcpy(&d, dy + i * stride, sizeof d);
                d = (lanes)((lanes_mask)d & ~(py <= threshold));
                vs += d;
                vq += d * (px - from);
            }
            memcpy(s, &vs, sizeof s);
            memcpy(q, &vq, sizeof q);
        } else {
            for (size_t i = begin; i < end; i++) {
                for (size_t j = 0; j < width; j++) {
                    size_t at = i * stride + j;
                    float d = y[at] <= threshold ? 0.0f : dy[at];
                    s[j] += d;
                    q[j] += d * (x[at] - mean[j]);
                }
            }
        }
        add_sums(s, q, out);
    }
}

/* dx = k dy' + m (x - mean) + b per channel; dresidual = dy'. dx and dresidual may be dy: a row is
 * read before it is written. */
CPU_CLONES
static void apply_gradient(const float *x, const float *y, const float *dy, size_t rows, size_t c,
                           const float *k, const float *m, const float *b, const float *mean,
                           bool relu, float *dx, float *dresidual) {
    float threshold = relu ? 0.0f : NAN;
    for (size_t i = 0; i < rows; i++) {
        const float *px = x + i * c, *py = y + i * c, *pd = dy + i * c;
        float *to = dx + i * c;
        if (dresidual != NULL) {
            float *res = dresidual + i * c;
            CPU_SAME_INDEX
            for (size_t j = 0; j < c; j++) {
                float d = py[j] <= threshold ? 0.0f : pd[j];
                float v = k[j] * d + (m[j] * (px[j] - mean[j]) + b[j]);
                res[j] = d;
                to[j] = v;
            }
        } else {
            CPU_SAME_INDEX
            for (size_t j = 0; j < c; j++) {
                float d = py[j] <= threshold ? 0.0f : pd[j];
                to[j] = k[j] * d + (m[j] * (px[j] - mean[j]) + b[j]);
            }
        }
    }
}

gyre_status cpu_norm_dx(gyre_queue *q, const gyre_norm_shape *s, gyre_act x_, gyre_act y_,
                        gyre_act dy_, gyre_f32 gamma, gyre_f32 saved, gyre_act dx,
                        gyre_act dresidual, gyre_f32 dgamma, gyre_f32 dbeta) {
    size_t c = (size_t)s->c, rows = (size_t)s->n * (size_t)s->h * (size_t)s->w;
    const float *x = cpu_act(x_), *y = cpu_act(y_), *dy = cpu_act(dy_);
    const float *mean = cpu_f32(saved), *inverse = mean + c;
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, 3 * c * sizeof(float), &work));
    float *k = work, *m = k + c, *b = m + c;
    for (size_t first = 0; first < c; first += LANES) {
        size_t width = c - first < LANES ? c - first : LANES;
        channel_sums sums;
        sum_gradients(x + first, y + first, dy + first, rows, c, width, mean + first, s->relu,
                      &sums);
        for (size_t j = 0; j < width; j++) {
            size_t at = first + j;
            double inv = (double)inverse[at], scale = (double)cpu_f32(gamma)[at] * inv;
            cpu_f32(dgamma)[at] = (float)(sums.other[j] * inv);
            cpu_f32(dbeta)[at] = (float)sums.sum[j];
            k[at] = (float)scale;
            /* d mean and d variance, unless the statistics are constants */
            m[at] = s->frozen ? 0 : (float)(-scale * inv * inv * sums.other[j] / (double)rows);
            b[at] = s->frozen ? 0 : (float)(-scale * sums.sum[j] / (double)rows);
        }
    }
    apply_gradient(x, y, dy, rows, c, k, m, b, mean, s->relu, cpu_act(dx),
                   s->add ? cpu_act(dresidual) : NULL);
    return GYRE_OK;
}
