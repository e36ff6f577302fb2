/* Batch norm with fused residual add and ReLU.
 *
 * Own loops, because the residual add is fused and the order of every sum is fixed by the source:
 * a channel has its own accumulators, pixels are added in blocks, blocks in double. Channels run
 * along the vector, so the vector width does not reorder anything. */
#include "act.h"
#include "cpu.h"

#include <math.h>

enum {
    ROWS = 256 /* pixels summed in f32 before the sum goes to double: error <= 256 * 2^-24 of the
                  block's absolute sum, and far less on average */
};

typedef struct {
    size_t rows, c; /* pixels and channels */
} extent;

/* What is handled at a time: pixels `begin` to `end` of `width` channels from `c` on. The next tile
 * is that of the same pixels' next channels, which often share cache lines with these. */
typedef struct {
    size_t begin, end, c, width;
} tile;

static extent extent_of(const gyre_norm_shape *s) {
    return (extent){(size_t)s->n * (size_t)s->h * (size_t)s->w, (size_t)s->c};
}

static inline tile tile_at(extent e, size_t begin, size_t c) {
    size_t end = begin + ROWS < e.rows ? begin + ROWS : e.rows;
    return (tile){begin, end, c, e.c - c < LANES ? e.c - c : LANES};
}

static inline tile tile_after(extent e, tile t) {
    return t.c + LANES < e.c ? tile_at(e, t.begin, t.c + LANES) : tile_at(e, t.begin + ROWS, 0);
}

#define FOR_TILES(t, e) for (tile t = tile_at(e, 0, 0); t.begin < e.rows; t = tile_after(e, t))

/* Two sums for each channel. */
typedef struct {
    double *first, *second; /* (c) */
} channel_sums;

ACT_LOOP void add_tile(tile t, const lanes *first, const lanes *second, channel_sums out) {
    for (size_t j = 0; j < t.width; j++) {
        out.first[t.c + j] += (double)(*first)[j];
        out.second[t.c + j] += (double)(*second)[j];
    }
}

ACT_LOOP void moments_of_tile(bool bf16, const void *x, extent e, tile t, const float *shift,
                              channel_sums out) {
    lanes s = {0}, q = {0}, from, row;
    lanes_get(false, shift, t.c, t.width, &from);
    for (size_t i = t.begin; i < t.end; i++) {
        lanes_get(bf16, x, i * e.c + t.c, t.width, &row);
        row -= from;
        s += row;
        q += row * row;
    }
    add_tile(t, &s, &q, out);
}

/* Sums of x - shift and (x - shift)^2. The shift (the first pixel) keeps the variance free of
 * cancellation when the mean is large. */
CPU_CLONES
static void sum_moments(bool bf16, const void *x, extent e, const float *shift, channel_sums out) {
    FOR_TILES(t, e) ACT_CALL(bf16, moments_of_tile, x, e, t, shift, out);
}

/* The mean is taken off first: folded into b it would cancel when it is large beside the
 * deviation. */
typedef struct {
    const float *mean, *a, *b;
    bool relu;
} affine;

ACT_LOOP void apply_to_tile(bool bf16, const void *x, const void *residual, extent e, tile t,
                            affine f, void *y) {
    lanes mean, a, b, v, r, zero = {0};
    lanes_get(false, f.mean, t.c, t.width, &mean);
    lanes_get(false, f.a, t.c, t.width, &a);
    lanes_get(false, f.b, t.c, t.width, &b);
    for (size_t i = t.begin; i < t.end; i++) {
        size_t at = i * e.c + t.c;
        lanes_get(bf16, x, at, t.width, &v);
        v = (v - mean) * a + b;
        if (residual != NULL) {
            lanes_get(bf16, residual, at, t.width, &r);
            v += r;
        }
        if (f.relu) v = (lanes)((lanes_mask)v & ~(v < zero)); /* NaN stays NaN */
        lanes_put(bf16, y, at, t.width, &v);
    }
}

/* y = act((x - mean) * a + b (+ residual)) */
CPU_CLONES
static void apply(bool bf16, const void *x, const void *residual, extent e, affine f, void *y) {
    FOR_TILES(t, e) {
        if (residual != NULL)
            ACT_CALL(bf16, apply_to_tile, x, residual, e, t, f, y);
        else
            ACT_CALL(bf16, apply_to_tile, x, NULL, e, t, f, y);
    }
}

/* apply() with its factor a = gamma / deviation in the queue's scratch. */
static gyre_status apply_norm(gyre_queue *q, const gyre_norm_shape *s, gyre_act x,
                              gyre_act residual, const float *gamma, const float *beta,
                              const float *mean, const float *inverse, gyre_act y) {
    size_t c = (size_t)s->c;
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, c * sizeof(float), &work));
    float *a = work;
    for (size_t j = 0; j < c; j++) a[j] = gamma[j] * inverse[j];
    apply(cpu_bf16(q), x, s->add ? residual : NULL, extent_of(s),
          (affine){mean, a, beta, s->relu}, y);
    return GYRE_OK;
}

static gyre_status open_sums(gyre_queue *q, size_t c, size_t more_floats, channel_sums *out,
                             float **more) {
    void *work;
    size_t bytes = 2 * c * sizeof(double) + more_floats * sizeof(float);
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, bytes, &work));
    *out = (channel_sums){work, (double *)work + c};
    *more = (float *)((double *)work + 2 * c);
    memset(work, 0, 2 * c * sizeof(double));
    return GYRE_OK;
}

gyre_status cpu_norm_train(gyre_queue *q, const gyre_norm_shape *s, gyre_act x, gyre_act residual,
                           gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved, gyre_f32 moments_,
                           gyre_act y) {
    extent e = extent_of(s);
    float *mean = cpu_f32(saved), *inverse = mean + e.c, *moments = cpu_f32(moments_), *shift;
    double rows = (double)e.rows, unbiased = e.rows > 1 ? rows / (rows - 1) : 1.0;
    channel_sums sums;
    GYRE_TRY(open_sums(q, e.c, e.c, &sums, &shift));
    for (size_t j = 0; j < e.c; j++) shift[j] = act_get(cpu_bf16(q), x, j);
    sum_moments(cpu_bf16(q), x, e, shift, sums);
    for (size_t j = 0; j < e.c; j++) {
        double d = sums.first[j] / rows, variance = sums.second[j] / rows - d * d;
        if (variance < 0) variance = 0;
        mean[j] = (float)((double)shift[j] + d);
        inverse[j] = (float)(1.0 / sqrt(variance + (double)s->eps));
        moments[j] = mean[j];
        moments[e.c + j] = (float)(variance * unbiased);
    }
    return apply_norm(q, s, x, residual, cpu_f32(gamma), cpu_f32(beta), mean, inverse, y);
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
    return apply_norm(q, s, x, residual, cpu_f32(gamma), cpu_f32(beta), mean, inverse, y);
}

/* What backward reads. */
typedef struct {
    const void *x, *y, *dy;
    const float *mean;
    bool relu;
} backward;

/* dy' is 0 where y <= 0, else dy; a NaN in y lets dy pass, so that it is seen. Without ReLU y is
 * not read. */
ACT_LOOP void masked_gradient(bool bf16, backward f, size_t at, size_t width, lanes *out) {
    lanes y, zero = {0};
    lanes_get(bf16, f.dy, at, width, out);
    if (!f.relu) return;
    lanes_get(bf16, f.y, at, width, &y);
    *out = (lanes)((lanes_mask)*out & ~(y <= zero));
}

ACT_LOOP void gradients_of_tile(bool bf16, backward f, extent e, tile t, channel_sums out) {
    lanes s = {0}, q = {0}, from, x, d;
    lanes_get(false, f.mean, t.c, t.width, &from);
    for (size_t i = t.begin; i < t.end; i++) {
        size_t at = i * e.c + t.c;
        lanes_get(bf16, f.x, at, t.width, &x);
        masked_gradient(bf16, f, at, t.width, &d);
        s += d;
        q += d * (x - from);
    }
    add_tile(t, &s, &q, out);
}

/* Sums of dy' and dy' * (x - mean). */
CPU_CLONES
static void sum_gradients(bool bf16, backward f, extent e, channel_sums out) {
    FOR_TILES(t, e) ACT_CALL(bf16, gradients_of_tile, f, e, t, out);
}

/* Factors per channel: dx = k dy' + m (x - mean) + b */
typedef struct {
    float *k, *m, *b;
} slopes;

ACT_LOOP void gradient_to_tile(bool bf16, backward f, extent e, tile t, slopes g, void *dx,
                               void *dresidual) {
    lanes k, m, b, mean, x, d;
    lanes_get(false, g.k, t.c, t.width, &k);
    lanes_get(false, g.m, t.c, t.width, &m);
    lanes_get(false, g.b, t.c, t.width, &b);
    lanes_get(false, f.mean, t.c, t.width, &mean);
    for (size_t i = t.begin; i < t.end; i++) {
        size_t at = i * e.c + t.c;
        lanes_get(bf16, f.x, at, t.width, &x);
        masked_gradient(bf16, f, at, t.width, &d);
        x = k * d + (m * (x - mean) + b);
        if (dresidual != NULL) lanes_put(bf16, dresidual, at, t.width, &d);
        lanes_put(bf16, dx, at, t.width, &x);
    }
}

/* dx, and dresidual = dy'. Either may be dy: what is overwritten was read before. */
CPU_CLONES
static void apply_gradient(bool bf16, backward f, extent e, slopes g, void *dx,
                           void *dresidual) {
    FOR_TILES(t, e) ACT_CALL(bf16, gradient_to_tile, f, e, t, g, dx, dresidual);
}

gyre_status cpu_norm_dx(gyre_queue *q, const gyre_norm_shape *s, gyre_act x, gyre_act y,
                        gyre_act dy, gyre_f32 gamma, gyre_f32 saved, gyre_act dx,
                        gyre_act dresidual, gyre_f32 dgamma, gyre_f32 dbeta) {
    extent e = extent_of(s);
    const float *mean = cpu_f32(saved), *inverse = mean + e.c;
    backward f = {x, y, dy, mean, s->relu};
    channel_sums sums;
    float *work;
    GYRE_TRY(open_sums(q, e.c, 3 * e.c, &sums, &work));
    slopes g = {work, work + e.c, work + 2 * e.c};
    sum_gradients(cpu_bf16(q), f, e, sums);
    for (size_t j = 0; j < e.c; j++) {
        double inv = (double)inverse[j], scale = (double)cpu_f32(gamma)[j] * inv;
        cpu_f32(dgamma)[j] = (float)(sums.second[j] * inv);
        cpu_f32(dbeta)[j] = (float)sums.first[j];
        g.k[j] = (float)scale;
        /* d mean and d variance, unless the statistics are constants */
        g.m[j] = s->frozen ? 0 : (float)(-scale * inv * inv * sums.second[j] / (double)e.rows);
        g.b[j] = s->frozen ? 0 : (float)(-scale * sums.first[j] / (double)e.rows);
    }
    apply_gradient(cpu_bf16(q), f, e, g, dx, s->add ? dresidual : NULL);
    return GYRE_OK;
}
