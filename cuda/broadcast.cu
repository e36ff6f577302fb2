/* Sums and products of two tensors, the second of which may be one number for all pixels of a
 * sample or for all channels of a pixel. */
#include "operation.h"
#include "tiles.h"

/* a in rows of `vectors` vectors; row r takes row r / per_sample of b, or its one number. */
struct broadcast_rows {
    uint64_t total; /* vectors */
    unsigned vectors, per_sample;
    bool multiply, single;
};

/* y may be a: a vector is read before it is written. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    broadcast_kernel(broadcast_rows s, const void *a, const void *b, void *y) {
    for (uint64_t i = gpu_thread(); i < s.total; i += gpu_threads()) {
        unsigned vector, rest;
        uint64_t row = gpu_divide(i, s.vectors, &vector);
        float u[V], v[V];
        gpu_load<V>((const T *)a + i * V, u);
        if (s.single) {
            float one[1];
            gpu_load<1>((const T *)b + row, one);
#pragma unroll
            for (int j = 0; j < V; j++) v[j] = one[0];
        } else {
            uint64_t sample = gpu_divide(row, s.per_sample, &rest);
            gpu_load<V>((const T *)b + (sample * s.vectors + vector) * V, v);
        }
#pragma unroll
        for (int j = 0; j < V; j++) u[j] = s.multiply ? u[j] * v[j] : u[j] + v[j];
        gpu_store<V>((T *)y + i * V, u);
    }
}
GPU_KERNELS(broadcast_kernel);

/* b has the same size. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    combine_kernel(uint64_t n, int shift, bool multiply, const void *a, const void *b, void *y) {
    gpu_each_group<V>(n, shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float u[W], v[W];
        gpu_load<W>((const T *)a + at, u);
        gpu_load<W>((const T *)b + at, v);
#pragma unroll
        for (int j = 0; j < W; j++) u[j] = multiply ? u[j] * v[j] : u[j] + v[j];
        gpu_store<W>((T *)y + at, u);
    });
}
GPU_KERNELS(combine_kernel);

/* db(row) = sum over the c channels of dy, or of dy a: a warp for a row. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    channel_sum_kernel(uint64_t rows, unsigned vectors, bool multiply, const void *a,
                       const void *dy, void *db) {
    unsigned lane = threadIdx.x % 32;
    for (uint64_t row = gpu_thread() / 32; row < rows; row += gpu_threads() / 32) {
        gpu_two total = {0, 0};
        for (unsigned i = lane; i < vectors; i += 32) {
            float d[V], v[V], sum = 0.0f;
            uint64_t at = (row * vectors + i) * V;
            gpu_load<V>((const T *)dy + at, d);
            if (multiply) gpu_load<V>((const T *)a + at, v);
#pragma unroll
            for (int j = 0; j < V; j++) sum += multiply ? d[j] * v[j] : d[j];
            total = gpu_plus(total, sum);
        }
        total = gpu_warp_sum(total);
        float value[1] = {gpu_value(total)};
        if (lane == 0) gpu_store<1>((T *)db + row, value);
    }
}
GPU_KERNELS(channel_sum_kernel);

/* ---- on the host */

static uint64_t pixels_of(const gyre_broadcast_shape *s) {
    return uint64_t(s->h) * uint64_t(s->w);
}
static uint64_t rows_of(const gyre_broadcast_shape *s) {
    return uint64_t(s->n) * pixels_of(s);
}

static gyre_status combine(gyre_queue *q, const gyre_broadcast_shape *s, const void *a,
                           const void *b, void *y) {
    bool bf16 = gpu_bf16(q);
    uint64_t n = rows_of(s) * uint64_t(s->c);
    if (n == 0) return GYRE_OK;
    int width = gpu_vector_width(bf16, true), bytes = gpu_common_shift(a, b, y);
    auto kernel = GPU_PICK(combine_kernel, bf16, bytes >= 0);
    LAUNCH(kernel, gpu_group_grid(n, width, bytes), GPU_BLOCK, 0, gpu_stream(q), n,
           gpu_group_shift(width, bytes), s->multiply, a, b, y);
    return gpu_result(q, cudaGetLastError(), "gpu_broadcast");
}

gyre_status gpu_broadcast(gyre_queue *q, const gyre_broadcast_shape *s, gyre_act a, gyre_act b,
                          gyre_act y) {
    if (s->over == GYRE_BROADCAST_NONE) return combine(q, s, a, b, y);
    bool bf16 = gpu_bf16(q), single = s->over == GYRE_BROADCAST_CHANNELS;
    bool wide = gpu_in_vectors(bf16, s->c, a, y) && (single || gpu_common_shift(b) == 0);
    unsigned vectors = unsigned(s->c) / unsigned(gpu_vector_width(bf16, wide));
    broadcast_rows r = {rows_of(s) * vectors, vectors, unsigned(pixels_of(s)), s->multiply, single};
    if (r.total == 0) return GYRE_OK;
    auto kernel = GPU_PICK(broadcast_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(r.total), GPU_BLOCK, 0, gpu_stream(q), r, a, b, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

/* One number for each channel of a sample. */
static gyre_status add_pixels(gyre_queue *q, const gyre_broadcast_shape *s, const void *a,
                              const void *dy, void *db) {
    cudaStream_t stream = gpu_stream(q);
    bool bf16 = gpu_bf16(q);
    size_t count = size_t(s->n) * size_t(s->c);
    void *work = db;
    if (bf16) GYRE_TRY(gpu_work(q, count * sizeof(float), &work));
    cudaError_t error =
        gpu_sample_products_launch(stream, bf16, size_t(s->n), pixels_of(s), size_t(s->c),
                                   s->multiply ? a : nullptr, dy, (float *)work);
    if (error == cudaSuccess && bf16 && count > 0)
        error = gpu_round_launch(stream, count, (const float *)work, db);
    return gpu_result(q, error, "gpu_broadcast_db");
}

gyre_status gpu_broadcast_db(gyre_queue *q, const gyre_broadcast_shape *s, gyre_act a, gyre_act dy,
                             gyre_act db) {
    bool bf16 = gpu_bf16(q);
    uint64_t rows = rows_of(s);
    if (s->over == GYRE_BROADCAST_PIXELS) return add_pixels(q, s, a, dy, db);
    if (s->over == GYRE_BROADCAST_NONE && s->multiply) return combine(q, s, dy, a, db);
    if (s->over == GYRE_BROADCAST_NONE)
        return gpu_copy(q, db, dy, rows * size_t(s->c) * q->backend->act_size);
    if (rows == 0) return GYRE_OK;
    bool wide = gpu_in_vectors(bf16, s->c, dy, s->multiply ? (const void *)a : nullptr);
    unsigned vectors = unsigned(s->c) / unsigned(gpu_vector_width(bf16, wide));
    auto kernel = GPU_PICK(channel_sum_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(rows * 32), GPU_BLOCK, 0, gpu_stream(q), rows, vectors, s->multiply, a,
           dy, db);
    return gpu_result(q, cudaGetLastError(), __func__);
}
