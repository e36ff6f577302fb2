/* Layer norm: a pixel's channels are its row. Neighbouring lanes of a warp share a row, as many as
 * it has vectors, up to the whole warp; they add by a tree. Gradients of gamma and beta are sums of
 * columns, as in batch norm. */
#include "operation.h"
#include "tiles.h"

struct layer_norm_rows {
    uint64_t rows;
    unsigned vectors; /* channels / V */
    unsigned across;  /* lanes of a row: a power of two up to 32 */
    float count;      /* channels */
    float eps;
};

/* A thread's place: its row, and its first vector. Lanes without a row take part in the sums. */
struct layer_norm_place {
    uint64_t row, step;
    unsigned lane;
};

__device__ __forceinline__ layer_norm_place place_of(const layer_norm_rows &s) {
    unsigned down = blockDim.x / s.across;
    return {uint64_t(blockIdx.x) * down + threadIdx.x / s.across, uint64_t(gridDim.x) * down,
            threadIdx.x % s.across};
}

/* Is there a row for any lane of the block? `row` is this lane's. */
__device__ __forceinline__ bool rows_left(const layer_norm_rows &s, uint64_t row) {
    return row - threadIdx.x / s.across < s.rows;
}

/* Over the lanes of a row; every one of them gets the sum. */
__device__ __forceinline__ gpu_two row_sum(gpu_two x, unsigned across) {
    for (unsigned bit = across / 2; bit > 0; bit /= 2) {
        gpu_two other = {__shfl_xor_sync(0xffffffffu, x.high, int(bit)),
                         __shfl_xor_sync(0xffffffffu, x.low, int(bit))};
        x = gpu_plus(x, other);
    }
    return x;
}

/* Numbers for each channel of the vector that a lane is at: short rows have one vector for each
 * lane, which is read once. */
template <int V> struct layer_norm_vector {
    unsigned at = ~0u;
    float value[V] = {};
    __device__ __forceinline__ void move(unsigned vector, const float *from) {
        if (vector == at) return;
        at = vector;
        gpu_load_each<V>(from + uint64_t(at) * V, value);
    }
};

/* ---- forward */

/* Sums over the row of x - from and (x - from)^2. */
template <class T, int V>
__device__ __forceinline__ void sum_moments(const layer_norm_rows &s, const T *row, unsigned lane,
                                            unsigned end, float from, gpu_two (&sums)[2]) {
    sums[0] = sums[1] = {0, 0};
    for (unsigned i = lane; i < end; i += s.across) {
        float v[V], sum = 0.0f, squares = 0.0f;
        gpu_load<V>(row + uint64_t(i) * V, v);
#pragma unroll
        for (int j = 0; j < V; j++) {
            float d = v[j] - from;
            sum += d;
            squares += d * d;
        }
        sums[0] = gpu_plus(sums[0], sum);
        sums[1] = gpu_plus(sums[1], squares);
    }
    sums[0] = row_sum(sums[0], s.across);
    sums[1] = row_sum(sums[1], s.across);
}

/* The mean is that of the distances from the first element, the variance that of those from the
 * rounded mean, as on the CPU: neither cancels when the mean is large. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_MAP_BLOCKS)
    layer_norm_kernel(layer_norm_rows s, const void *x_, const float *gamma, const float *beta,
                      float *saved, void *y_) {
    layer_norm_place p = place_of(s);
    layer_norm_vector<V> a, b;
    for (; rows_left(s, p.row); p.row += p.step) {
        bool inside = p.row < s.rows;
        unsigned end = inside ? s.vectors : 0;
        uint64_t begin = inside ? p.row * s.vectors * V : 0;
        const T *x = (const T *)x_ + begin;
        T *y = (T *)y_ + begin;
        float first[1];
        gpu_two sums[2];
        gpu_load<1>(x, first);
        sum_moments<T, V>(s, x, p.lane, end, first[0], sums);
        float mean = gpu_value(gpu_plus(gpu_over(sums[0], s.count), first[0]));
        sum_moments<T, V>(s, x, p.lane, end, mean, sums);
        gpu_two square = gpu_square(gpu_over(sums[0], s.count));
        float variance =
            gpu_value(gpu_plus(gpu_over(sums[1], s.count), {-square.high, -square.low}));
        if (variance < 0.0f) variance = 0.0f;
        float inverse = 1.0f / sqrtf(variance + s.eps);
        for (unsigned i = p.lane; i < end; i += s.across) {
            float v[V];
            a.move(i, gamma);
            b.move(i, beta);
            gpu_load<V>(x + uint64_t(i) * V, v);
#pragma unroll
            for (int j = 0; j < V; j++) v[j] = (v[j] - mean) * inverse * a.value[j] + b.value[j];
            gpu_store<V>(y + uint64_t(i) * V, v);
        }
        if (saved == nullptr || !inside || p.lane > 0) continue;
        saved[p.row] = mean;
        saved[s.rows + p.row] = inverse;
    }
}
GPU_KERNELS(layer_norm_kernel);

/* ---- backward */

/* Sums over rows of dy and dy * x', where x' = (x - mean) * inverse. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_SUM_BLOCKS)
    layer_norm_gradients_kernel(gpu_tiles t, const void *x, const void *dy, const float *saved,
                                float *work) {
    gpu_sum_part<V, 2>(
        t,
        [=](uint64_t row, unsigned vector, float(&sums)[2 * V]) {
            uint64_t at = (row * t.vectors + vector) * V;
            float v[V], d[V], mean = saved[row], inverse = saved[t.rows + row];
            gpu_load<V>((const T *)x + at, v);
            gpu_load<V>((const T *)dy + at, d);
#pragma unroll
            for (int j = 0; j < V; j++) {
                sums[j] += d[j];
                sums[V + j] += d[j] * ((v[j] - mean) * inverse);
            }
        },
        work);
}
GPU_KERNELS(layer_norm_gradients_kernel);

/* dy' = dy * gamma and x' = (x - mean) * inverse of one vector. */
template <class T, int V>
__device__ __forceinline__ void slopes_of(const T *x, const T *dy,
                                          const layer_norm_vector<V> &gamma, float mean,
                                          float inverse, float (&hat)[V], float (&d)[V]) {
    gpu_load<V>(x + uint64_t(gamma.at) * V, hat);
    gpu_load<V>(dy + uint64_t(gamma.at) * V, d);
#pragma unroll
    for (int j = 0; j < V; j++) {
        hat[j] = (hat[j] - mean) * inverse;
        d[j] *= gamma.value[j];
    }
}

/* dx = (dy' - (mean of dy' + x' * mean of dy' x')) * inverse; it may be dy, whose row was read. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_MAP_BLOCKS)
    layer_norm_dx_kernel(layer_norm_rows s, const void *x_, const void *dy_, const float *gamma,
                         const float *saved, void *dx_) {
    layer_norm_place p = place_of(s);
    layer_norm_vector<V> a;
    for (; rows_left(s, p.row); p.row += p.step) {
        bool inside = p.row < s.rows;
        unsigned end = inside ? s.vectors : 0;
        uint64_t row = inside ? p.row : 0, begin = row * s.vectors * V;
        const T *x = (const T *)x_ + begin, *dy = (const T *)dy_ + begin;
        T *dx = (T *)dx_ + begin;
        float mean = saved[row], inverse = saved[s.rows + row], hat[V], d[V];
        gpu_two sums[2] = {};
        for (unsigned i = p.lane; i < end; i += s.across) {
            a.move(i, gamma);
            slopes_of<T, V>(x, dy, a, mean, inverse, hat, d);
            float sum = 0.0f, products = 0.0f;
#pragma unroll
            for (int j = 0; j < V; j++) {
                sum += d[j];
                products += d[j] * hat[j];
            }
            sums[0] = gpu_plus(sums[0], sum);
            sums[1] = gpu_plus(sums[1], products);
        }
        float first = gpu_value(gpu_over(row_sum(sums[0], s.across), s.count));
        float second = gpu_value(gpu_over(row_sum(sums[1], s.across), s.count));
        for (unsigned i = p.lane; i < end; i += s.across) {
            a.move(i, gamma);
            slopes_of<T, V>(x, dy, a, mean, inverse, hat, d);
#pragma unroll
            for (int j = 0; j < V; j++) d[j] = (d[j] - (first + hat[j] * second)) * inverse;
            gpu_store<V>(dx + uint64_t(i) * V, d);
        }
    }
}
GPU_KERNELS(layer_norm_dx_kernel);

/* ---- on the host */

static uint64_t row_count(const gyre_layer_norm_shape *s) {
    return uint64_t(s->n) * uint64_t(s->h) * uint64_t(s->w);
}

static layer_norm_rows rows_of(const gyre_layer_norm_shape *s, int v) {
    layer_norm_rows r = {row_count(s), unsigned(s->c) / unsigned(v), 1, float(s->c), s->eps};
    while (r.across < 32 && r.across < r.vectors) r.across *= 2;
    return r;
}

gyre_status gpu_layer_norm(gyre_queue *q, const gyre_layer_norm_shape *s, gyre_act x,
                           gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved, gyre_act y) {
    if (row_count(s) * uint64_t(s->c) == 0) return GYRE_OK;
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, x, y);
    layer_norm_rows r = rows_of(s, gpu_vector_width(bf16, wide));
    auto kernel = GPU_PICK(layer_norm_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(r.rows * r.across), GPU_BLOCK, 0, gpu_stream(q), r, x,
           gpu_floats(gamma), gpu_floats(beta), gpu_floats(saved), y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

/* The columns first: dx may take dy's place. */
gyre_status gpu_layer_norm_dx(gyre_queue *q, const gyre_layer_norm_shape *s, gyre_act x,
                              gyre_act dy, gyre_f32 gamma, gyre_f32 saved_, gyre_act dx,
                              gyre_f32 dgamma, gyre_f32 dbeta) {
    unsigned c = unsigned(s->c);
    if (row_count(s) * c == 0) return GYRE_OK;
    void *work;
    GYRE_TRY(gpu_work(q, gpu_columns_work(c), &work));
    float *sums = (float *)work;
    const float *saved = gpu_floats(saved_);
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, x, dy, dx);
    int v = gpu_vector_width(bf16, wide);
    gpu_tiles t = gpu_sum_tiles(row_count(s), c, v);
    layer_norm_rows r = rows_of(s, v);
    auto gradients = GPU_PICK(layer_norm_gradients_kernel, bf16, wide);
    LAUNCH(gradients, gpu_tiles_grid(t), gpu_tiles_block(t), 0, gpu_stream(q), t, x, dy, saved,
           sums);
    GYRE_TRY(gpu_result(q,
                        gpu_column_pairs_launch(gpu_stream(q), GPU_COLUMN_PARTS, t.parts, c, sums,
                                                gpu_floats(dbeta), gpu_floats(dgamma)),
                        __func__));
    auto kernel = GPU_PICK(layer_norm_dx_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(r.rows * r.across), GPU_BLOCK, 0, gpu_stream(q), r, x, dy,
           gpu_floats(gamma), saved, dx);
    return gpu_result(q, cudaGetLastError(), __func__);
}
