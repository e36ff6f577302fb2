/* Batch norm with fused residual add and ReLU: sums over the pixels, what follows from them for
 * each channel, and one pass that applies it. */
#include "norm.h"
#include "operation.h"

/* ---- forward */

/* The shift is the first pixel. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_SUM_BLOCKS)
    norm_moments_kernel(gpu_tiles t, const void *x, float *work) {
    float shift[V] = {};
    gpu_tile_place p = gpu_tile_place_of(t);
    if (p.inside) gpu_load<V>((const T *)x + uint64_t(p.vector) * V, shift);
    norm_sum_moments<T, V>(t, x, shift, work, GPU_COLUMN_PARTS);
}
GPU_KERNELS(norm_moments_kernel);

/* What a batch fixes: `count` pixels, and the factor that makes a variance unbiased. */
struct norm_numbers {
    unsigned channels, parts;
    float count, unbiased, eps;
};

template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    norm_statistics_kernel(norm_numbers n, const void *x, const float *work, float *saved,
                           float *moments) {
    SHARED(gpu_totals, shared, [2]);
    gpu_two sum = gpu_column_total(work, 0, n.parts, n.channels, shared[0]);
    gpu_two squares = gpu_column_total(work, 1, n.parts, n.channels, shared[1]);
    unsigned j = gpu_total_column(), c = n.channels;
    if (threadIdx.y > 0 || j >= c) return;
    float shift[1];
    gpu_load<1>((const T *)x + j, shift);
    gpu_two d = gpu_over(sum, n.count), dd = gpu_square(d);
    float variance = gpu_value(gpu_plus(gpu_over(squares, n.count), {-dd.high, -dd.low}));
    if (variance < 0.0f) variance = 0.0f;
    float mean = gpu_value(gpu_plus(d, shift[0]));
    saved[j] = mean;
    saved[c + j] = norm_inverse(variance, n.eps);
    moments[j] = mean;
    moments[c + j] = variance * n.unbiased;
}
KERNEL(norm_statistics_kernel<float>);
KERNEL(norm_statistics_kernel<gpu_half>);

/* saved = {mean, 1 / deviation} of the running statistics */
__global__ void __launch_bounds__(GPU_BLOCK)
    norm_freeze_kernel(unsigned c, float eps, const float *running, float *saved) {
    for (uint64_t j = gpu_thread(); j < c; j += gpu_threads()) {
        saved[j] = running[j];
        saved[c + j] = norm_inverse(running[c + j], eps);
    }
}
KERNEL(norm_freeze_kernel);

/* Per-channel vectors. spread is 1 / deviation, or a variance (then eps >= 0 goes with it). */
struct norm_affine {
    const float *mean, *spread, *gamma, *beta;
    float eps;
    bool from_variance, relu;
};

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_MAP_BLOCKS)
    norm_apply_kernel(gpu_tiles t, norm_affine f, const void *x, const void *residual, void *y) {
    gpu_tile_place p = gpu_tile_place_of(t);
    if (!p.inside) return;
    float mean[V], a[V], b[V], spread[V];
    gpu_load_each<V>(f.mean + uint64_t(p.vector) * V, mean);
    gpu_load_each<V>(f.gamma + uint64_t(p.vector) * V, a);
    gpu_load_each<V>(f.beta + uint64_t(p.vector) * V, b);
    gpu_load_each<V>(f.spread + uint64_t(p.vector) * V, spread);
#pragma unroll
    for (int j = 0; j < V; j++) {
        a[j] *= f.from_variance ? norm_inverse(spread[j], f.eps) : spread[j];
    }
    auto act = [relu = f.relu](float v) { return relu && v < 0.0f ? 0.0f : v; }; /* NaN stays */
    norm_apply<T, V>(t, p, mean, a, b, act, x, residual, y);
}
GPU_KERNELS(norm_apply_kernel);

/* ---- backward */

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_SUM_BLOCKS)
    norm_gradients_kernel(gpu_tiles t, norm_backward f, const float *means, float *work) {
    float mean[V] = {};
    gpu_tile_place p = gpu_tile_place_of(t);
    if (p.inside) gpu_load_each<V>(means + uint64_t(p.vector) * V, mean);
    norm_sum_gradients<T, V>(t, f, mean, work, GPU_COLUMN_PARTS);
}
GPU_KERNELS(norm_gradients_kernel);

/* Factors per channel, (3, c): dx = k dy' + (m (x - mean) + b) */
__global__ void __launch_bounds__(GPU_BLOCK)
    norm_slopes_kernel(norm_numbers n, bool frozen, const float *work, const float *gamma,
                       const float *inverse, float *slopes, float *dgamma, float *dbeta) {
    SHARED(gpu_totals, shared, [2]);
    float first = gpu_value(gpu_column_total(work, 0, n.parts, n.channels, shared[0]));
    float second = gpu_value(gpu_column_total(work, 1, n.parts, n.channels, shared[1]));
    unsigned j = gpu_total_column(), c = n.channels;
    if (threadIdx.y > 0 || j >= c) return;
    float scale = gamma[j] * inverse[j], normal = second * inverse[j];
    dgamma[j] = normal;
    dbeta[j] = first;
    slopes[j] = scale;
    /* d mean and d variance, unless the statistics are constants */
    slopes[c + j] = frozen ? 0.0f : -scale * (inverse[j] * (normal / n.count));
    slopes[2 * c + j] = frozen ? 0.0f : -scale * (first / n.count);
}
KERNEL(norm_slopes_kernel);

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_MAP_BLOCKS)
    norm_dx_kernel(gpu_tiles t, norm_backward f, const float *means, const float *slopes, void *dx,
                   void *dresidual) {
    gpu_tile_place p = gpu_tile_place_of(t);
    if (!p.inside) return;
    uint64_t first = uint64_t(p.vector) * V, channels = uint64_t(t.vectors) * V;
    float k[V], m[V], b[V], mean[V];
    gpu_load_each<V>(slopes + first, k);
    gpu_load_each<V>(slopes + channels + first, m);
    gpu_load_each<V>(slopes + 2 * channels + first, b);
    gpu_load_each<V>(means + first, mean);
    norm_apply_gradient<T, V>(t, p, f, mean, k, m, b, dx, dresidual);
}
GPU_KERNELS(norm_dx_kernel);

/* ---- on the host */

static uint64_t pixels_of(const gyre_batch_norm_shape *s) {
    return uint64_t(s->n) * uint64_t(s->h) * uint64_t(s->w);
}

static norm_numbers numbers_of(const gyre_batch_norm_shape *s, const gpu_tiles &t) {
    norm_numbers n = {};
    n.channels = unsigned(s->c);
    n.parts = t.parts;
    n.count = float(t.rows);
    n.unbiased = t.rows > 1 ? float(double(t.rows) / double(t.rows - 1)) : 1.0f;
    n.eps = s->eps;
    return n;
}

static gyre_status apply(gyre_queue *q, const gyre_batch_norm_shape *s, const norm_affine &f,
                         gyre_act x, gyre_act residual, gyre_act y) {
    const void *added = s->add ? residual : nullptr;
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, x, added, y);
    gpu_tiles t = gpu_map_tiles(pixels_of(s), unsigned(s->c), gpu_vector_width(bf16, wide));
    auto kernel = GPU_PICK(norm_apply_kernel, bf16, wide);
    LAUNCH(kernel, gpu_tiles_grid(t), gpu_tiles_block(t), 0, gpu_stream(q), t, f, x, added, y);
    return gpu_result(q, cudaGetLastError(), "norm_apply");
}

gyre_status gpu_batch_norm_train(gyre_queue *q, const gyre_batch_norm_shape *s, gyre_act x,
                                 gyre_act residual, gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved_,
                                 gyre_f32 moments, gyre_act y) {
    unsigned c = unsigned(s->c);
    if (pixels_of(s) * c == 0) return GYRE_OK;
    void *work;
    GYRE_TRY(gpu_work(q, gpu_columns_work(c), &work));
    float *sums = (float *)work, *saved = gpu_floats(saved_);
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, x);
    gpu_tiles t = gpu_sum_tiles(pixels_of(s), c, gpu_vector_width(bf16, wide));
    auto moments_of = GPU_PICK(norm_moments_kernel, bf16, wide);
    LAUNCH(moments_of, gpu_tiles_grid(t), gpu_tiles_block(t), 0, gpu_stream(q), t, x, sums);
    auto statistics = bf16 ? &norm_statistics_kernel<gpu_half> : &norm_statistics_kernel<float>;
    LAUNCH(statistics, gpu_total_grid(c), gpu_total_block(), 0, gpu_stream(q), numbers_of(s, t), x,
           (const float *)sums, saved, gpu_floats(moments));
    GYRE_TRY(gpu_result(q, cudaGetLastError(), __func__));
    norm_affine f = {saved, saved + c, gpu_floats(gamma), gpu_floats(beta), 0.0f, false, s->relu};
    return apply(q, s, f, x, residual, y);
}

gyre_status gpu_batch_norm_eval(gyre_queue *q, const gyre_batch_norm_shape *s, gyre_act x,
                                gyre_act residual, gyre_f32 gamma, gyre_f32 beta, gyre_f32 running_,
                                gyre_f32 saved, gyre_act y) {
    const float *running = gpu_floats(running_);
    unsigned c = unsigned(s->c);
    if (pixels_of(s) * c == 0) return GYRE_OK;
    if (s->frozen) {
        LAUNCH(norm_freeze_kernel, gpu_grid(c), GPU_BLOCK, 0, gpu_stream(q), c, s->eps, running,
               gpu_floats(saved));
        GYRE_TRY(gpu_result(q, cudaGetLastError(), __func__));
    }
    norm_affine f = {running, running + c, gpu_floats(gamma), gpu_floats(beta), s->eps,
                     true,    s->relu};
    return apply(q, s, f, x, residual, y);
}

gyre_status gpu_batch_norm_dx(gyre_queue *q, const gyre_batch_norm_shape *s, gyre_act x, gyre_act y,
                              gyre_act dy, gyre_f32 gamma, gyre_f32 saved_, gyre_act dx,
                              gyre_act dresidual, gyre_f32 dgamma, gyre_f32 dbeta) {
    unsigned c = unsigned(s->c);
    uint64_t pixels = pixels_of(s);
    if (pixels * c == 0) return GYRE_OK;
    void *work;
    GYRE_TRY(gpu_work(q, gpu_columns_work(c), &work));
    float *sums = (float *)work, *slopes = sums + 2 * size_t(GPU_COLUMN_PARTS) * c;
    const float *saved = gpu_floats(saved_);
    void *to_residual = s->add ? dresidual : nullptr;
    norm_backward f = {x, s->relu ? y : nullptr, dy, s->relu};
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, x, f.y, dy, dx, to_residual);
    int v = gpu_vector_width(bf16, wide);
    gpu_tiles t = gpu_sum_tiles(pixels, c, v), map = gpu_map_tiles(pixels, c, v);
    auto gradients = GPU_PICK(norm_gradients_kernel, bf16, wide);
    LAUNCH(gradients, gpu_tiles_grid(t), gpu_tiles_block(t), 0, gpu_stream(q), t, f, saved, sums);
    LAUNCH(norm_slopes_kernel, gpu_total_grid(c), gpu_total_block(), 0, gpu_stream(q),
           numbers_of(s, t), s->frozen, (const float *)sums, gpu_floats(gamma), saved + c, slopes,
           gpu_floats(dgamma), gpu_floats(dbeta));
    GYRE_TRY(gpu_result(q, cudaGetLastError(), __func__));
    auto kernel = GPU_PICK(norm_dx_kernel, bf16, wide);
    LAUNCH(kernel, gpu_tiles_grid(map), gpu_tiles_block(map), 0, gpu_stream(q), map, f, saved,
           (const float *)slopes, dx, to_residual);
    return gpu_result(q, cudaGetLastError(), __func__);
}
