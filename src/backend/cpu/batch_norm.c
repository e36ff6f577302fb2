/* Batch norm with fused residual add and ReLU.
 *
 * Own loops, because the residual add is fused and the order of every sum is fixed by the source:
 * a channel has its own accumulators, pixels are added in blocks, blocks in double. Channels run
 * along the vector, so neither its width nor the type's order in a group reorders anything. */
#include "act.h"
#include "cpu.h"

#include <math.h>

enum {
    ROWS = 256 /* numbers summed in f32 before the sum goes to double: error <= 256 * 2^-24 of the
                  block's absolute sum, and far less on average */
};

/* Rows of `width` elements, whose channels repeat after `channels`: few channels are taken together
 * for several pixels, to fill a group. */
typedef struct {
    size_t rows, width, channels;
} extent;

/* What is handled at a time: rows `begin` to `end` of the `width` elements from `at` on. The next
 * tile is that of the same rows' next elements, while those are still in the cache. */
typedef struct {
    size_t begin, end, at, width;
} tile;

static extent extent_of(const gyre_batch_norm_shape *s) {
    extent e = {(size_t)s->n * (size_t)s->h * (size_t)s->w, (size_t)s->c, (size_t)s->c};
    for (; GROUP % (2 * e.width) == 0 && e.rows % 2 == 0; e.rows /= 2) e.width *= 2;
    return e;
}

static inline tile tile_at(extent e, size_t begin, size_t at) {
    size_t end = begin + ROWS < e.rows ? begin + ROWS : e.rows;
    return (tile){begin, end, at, e.width - at < GROUP ? e.width - at : GROUP};
}

static inline tile tile_after(extent e, tile t) {
    return t.at + GROUP < e.width ? tile_at(e, t.begin, t.at + GROUP)
                                  : tile_at(e, t.begin + ROWS, 0);
}

#define FOR_TILES(t, e) for (tile t = tile_at(e, 0, 0); t.begin < e.rows; t = tile_after(e, t))

static inline size_t channel_after(extent e, size_t c) {
    return c + 1 < e.channels ? c + 1 : 0;
}

/* A number for each channel, in the places of a tile's elements. */
ACT_LOOP void per_element(bool bf16, size_t width, const float *per_channel, extent e, tile t,
                          group *out) {
    float list[GROUP] = {0};
    for (size_t j = 0, c = t.at % e.channels; j < width; j++, c = channel_after(e, c)) {
        float value = per_channel[c];
        list[j] = value == value ? value : NAN; /* the plain one, as round_lanes takes it */
    }
    group_of(bf16, list, out);
}

/* Two sums for each channel. */
typedef struct {
    double *first, *second;
} channel_sums;

ACT_LOOP void add_tile(bool bf16, size_t width, extent e, tile t, const group *first,
                       const group *second, channel_sums out) {
    float f[GROUP], s[GROUP];
    group_list(bf16, first, f);
    group_list(bf16, second, s);
    for (size_t j = 0, c = t.at % e.channels; j < width; j++, c = channel_after(e, c)) {
        out.first[c] += (double)f[j];
        out.second[c] += (double)s[j];
    }
}

ACT_LOOP void add_moments(lanes *x, const lanes *shift, lanes *s, lanes *q) {
    *x -= *shift;
    *s += *x;
    *q += *x * *x;
}

ACT_LOOP void moments_of_tile(bool bf16, size_t width, const void *x, extent e, tile t,
                              const float *shift, channel_sums out) {
    group s = {0}, q = {0}, from, row;
    per_element(bf16, width, shift, e, t, &from);
    for (size_t i = t.begin; i < t.end; i++) {
        group_get(bf16, width, x, i * e.width + t.at, &row);
        add_moments(&row.a, &from.a, &s.a, &q.a);
        add_moments(&row.b, &from.b, &s.b, &q.b);
    }
    add_tile(bf16, width, e, t, &s, &q, out);
}

/* Sums of x - shift and (x - shift)^2. The shift (the first pixel) keeps the variance free of
 * cancellation when the mean is large. */
CPU_CLONES
static void sum_moments(bool bf16, const void *x, extent e, const float *shift, channel_sums out) {
    FOR_TILES(t, e) ACT_CALL(bf16, t.width, moments_of_tile, x, e, t, shift, out);
}

/* The mean is taken off first: folded into b it would cancel when it is large beside the
 * deviation. */
typedef struct {
    const float *mean, *a, *b;
    bool relu;
} affine;

ACT_LOOP void apply_to_tile(bool bf16, size_t width, const void *x, const void *residual, extent e,
                            tile t, affine f, void *y) {
    group mean, a, b, v, r;
    per_element(bf16, width, f.mean, e, t, &mean);
    per_element(bf16, width, f.a, e, t, &a);
    per_element(bf16, width, f.b, e, t, &b);
    for (size_t i = t.begin; i < t.end; i++) {
        size_t at = i * e.width + t.at;
        group_get(bf16, width, x, at, &v);
        v.a = (v.a - mean.a) * a.a + b.a;
        v.b = (v.b - mean.b) * a.b + b.b;
        if (residual != NULL) {
            group_get(bf16, width, residual, at, &r);
            v.a += r.a;
            v.b += r.b;
        }
        if (f.relu) {
            rectify_lanes(&v.a);
            rectify_lanes(&v.b);
        }
        group_put(bf16, width, &v, y, at);
    }
}

/* y = act((x - mean) * a + b (+ residual)) */
CPU_CLONES
static void apply(bool bf16, const void *x, const void *residual, extent e, affine f, void *y) {
    FOR_TILES(t, e) {
        if (residual != NULL)
            ACT_CALL(bf16, t.width, apply_to_tile, x, residual, e, t, f, y);
        else
            ACT_CALL(bf16, t.width, apply_to_tile, x, NULL, e, t, f, y);
    }
}

/* apply() with its factor a = gamma / deviation in the queue's scratch. */
static gyre_status apply_norm(gyre_queue *q, const gyre_batch_norm_shape *s, gyre_act x,
                              gyre_act residual, const float *gamma, const float *beta,
                              const float *mean, const float *inverse, gyre_act y) {
    size_t c = (size_t)s->c;
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, c * sizeof(float), &work));
    float *a = work;
    for (size_t j = 0; j < c; j++) a[j] = gamma[j] * inverse[j];
    apply(cpu_bf16(q), x, s->add ? residual : NULL, extent_of(s), (affine){mean, a, beta, s->relu},
          y);
    return GYRE_OK;
}

static gyre_status open_sums(gyre_queue *q, size_t c, size_t more_floats, channel_sums *out,
                             float **more) {
    void *work;
    size_t bytes = 2 * c * sizeof(double) + more_floats * sizeof(float);
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, bytes, &work));
    *out = (channel_sums){work, (double *)work + c};
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
    channel_sums sums;
    GYRE_TRY(open_sums(q, c, c, &sums, &shift));
    for (size_t j = 0; j < c; j++) shift[j] = act_get(cpu_bf16(q), x, j);
    sum_moments(cpu_bf16(q), x, extent_of(s), shift, sums);
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

/* What backward reads. */
typedef struct {
    const void *x, *y, *dy;
    const float *mean;
    bool relu;
} backward;

/* dy' = dy behind the ReLU */
ACT_LOOP void masked_gradient(bool bf16, size_t width, backward f, size_t at, group *out) {
    group y;
    group_get(bf16, width, f.dy, at, out);
    if (!f.relu) return;
    group_get(bf16, width, f.y, at, &y);
    mask_lanes(&out->a, &y.a);
    mask_lanes(&out->b, &y.b);
}

ACT_LOOP void gradients_of_tile(bool bf16, size_t width, backward f, extent e, tile t,
                                channel_sums out) {
    group s = {0}, q = {0}, from, x, d;
    per_element(bf16, width, f.mean, e, t, &from);
    for (size_t i = t.begin; i < t.end; i++) {
        size_t at = i * e.width + t.at;
        group_get(bf16, width, f.x, at, &x);
        masked_gradient(bf16, width, f, at, &d);
        s.a += d.a;
        s.b += d.b;
        q.a += d.a * (x.a - from.a);
        q.b += d.b * (x.b - from.b);
    }
    add_tile(bf16, width, e, t, &s, &q, out);
}

/* Sums of dy' and dy' * (x - mean). */
CPU_CLONES
static void sum_gradients(bool bf16, backward f, extent e, channel_sums out) {
    FOR_TILES(t, e) ACT_CALL(bf16, t.width, gradients_of_tile, f, e, t, out);
}

/* Factors per channel: dx = k dy' + m (x - mean) + b */
typedef struct {
    float *k, *m, *b;
} slopes;

ACT_LOOP void gradient_to_tile(bool bf16, size_t width, backward f, extent e, tile t, slopes g,
                               void *dx, void *dresidual) {
    group k, m, b, mean, x, d;
    per_element(bf16, width, g.k, e, t, &k);
    per_element(bf16, width, g.m, e, t, &m);
    per_element(bf16, width, g.b, e, t, &b);
    per_element(bf16, width, f.mean, e, t, &mean);
    for (size_t i = t.begin; i < t.end; i++) {
        size_t at = i * e.width + t.at;
        group_get(bf16, width, f.x, at, &x);
        masked_gradient(bf16, width, f, at, &d);
        x.a = k.a * d.a + (m.a * (x.a - mean.a) + b.a);
        x.b = k.b * d.b + (m.b * (x.b - mean.b) + b.b);
        if (dresidual != NULL) group_put_exact(bf16, width, &d, dresidual, at);
        group_put(bf16, width, &x, dx, at);
    }
}

/* dx, and dresidual = dy'. Either may be dy: what is overwritten was read before. */
CPU_CLONES
static void apply_gradient(bool bf16, backward f, extent e, slopes g, void *dx, void *dresidual) {
    FOR_TILES(t, e) {
        if (dresidual != NULL)
            ACT_CALL(bf16, t.width, gradient_to_tile, f, e, t, g, dx, dresidual);
        else
            ACT_CALL(bf16, t.width, gradient_to_tile, f, e, t, g, dx, NULL);
    }
}

gyre_status cpu_batch_norm_dx(gyre_queue *q, const gyre_batch_norm_shape *s, gyre_act x, gyre_act y,
                              gyre_act dy, gyre_f32 gamma, gyre_f32 saved, gyre_act dx,
                              gyre_act dresidual, gyre_f32 dgamma, gyre_f32 dbeta) {
    size_t c = (size_t)s->c;
    double n = (double)s->n * (double)s->h * (double)s->w;
    const float *mean = cpu_f32(saved), *inverse = mean + c;
    backward f = {x, y, dy, mean, s->relu};
    channel_sums sums;
    float *work;
    GYRE_TRY(open_sums(q, c, 3 * c, &sums, &work));
    slopes g = {work, work + c, work + 2 * c};
    sum_gradients(cpu_bf16(q), f, extent_of(s), sums);
    for (size_t j = 0; j < c; j++) {
        double inv = (double)inverse[j], scale = (double)cpu_f32(gamma)[j] * inv;
        cpu_f32(dgamma)[j] = (float)(sums.second[j] * inv);
        cpu_f32(dbeta)[j] = (float)sums.first[j];
        g.k[j] = (float)scale;
        /* d mean and d variance, unless the statistics are constants */
        g.m[j] = s->frozen ? 0 : (float)(-scale * inv * inv * sums.second[j] / n);
        g.b[j] = s->frozen ? 0 : (float)(-scale * sums.first[j] / n);
    }
    apply_gradient(cpu_bf16(q), f, extent_of(s), g, dx, s->add ? dresidual : NULL);
    return GYRE_OK;
}
