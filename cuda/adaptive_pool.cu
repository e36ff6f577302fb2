/* Averages over bins, which may overlap. A thread handles a vector of an output pixel; backward, of
 * an input pixel, which gathers from the bins that hold it in the CPU's order. */
#include "element.h"
#include "operation.h"
#include "tiles.h"

struct adaptive_numbers {
    uint64_t total; /* vectors that are written */
    unsigned vectors;
    int h, w, oh, ow;
};

/* Bins of rows or columns: gyre_bin_begin and gyre_bin_end in 32 bits, and the first and the one
 * behind the last bin that hold a row. */
__device__ __forceinline__ int bin_begin(int i, int size, int bins) {
    return int(unsigned(i) * unsigned(size) / unsigned(bins));
}
__device__ __forceinline__ int bin_end(int i, int size, int bins) {
    return int((unsigned(i + 1) * unsigned(size) + unsigned(bins - 1)) / unsigned(bins));
}

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    adaptive_pool_kernel(adaptive_numbers s, const void *x, void *y) {
    for (uint64_t at = gpu_thread(); at < s.total; at += gpu_threads()) {
        unsigned vector, column, row;
        uint64_t image =
            gpu_divide(gpu_divide(gpu_divide(at, s.vectors, &vector), unsigned(s.ow), &column),
                       unsigned(s.oh), &row);
        int top = bin_begin(int(row), s.h, s.oh), end = bin_end(int(row), s.h, s.oh);
        int left = bin_begin(int(column), s.w, s.ow), right = bin_end(int(column), s.w, s.ow);
        float sum[V] = {}, cells = float((end - top) * (right - left));
        for (int i = top; i < end; i++) {
            for (int j = left; j < right; j++) {
                uint64_t pixel =
                    (image * unsigned(s.h) + unsigned(i)) * unsigned(s.w) + unsigned(j);
                float cell[V];
                gpu_load<V>((const T *)x + (pixel * s.vectors + vector) * V, cell);
#pragma unroll
                for (int k = 0; k < V; k++) sum[k] += cell[k];
            }
        }
#pragma unroll
        for (int k = 0; k < V; k++) sum[k] = sum[k] / cells;
        gpu_store<V>((T *)y + at * V, sum);
    }
}
GPU_KERNELS(adaptive_pool_kernel);

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    adaptive_pool_dx_kernel(adaptive_numbers s, const void *dy, void *dx) {
    for (uint64_t at = gpu_thread(); at < s.total; at += gpu_threads()) {
        unsigned vector, x, y;
        uint64_t image = gpu_divide(
            gpu_divide(gpu_divide(at, s.vectors, &vector), unsigned(s.w), &x), unsigned(s.h), &y);
        float sum[V] = {};
        int i_end = bin_end(int(y), s.oh, s.h), j_end = bin_end(int(x), s.ow, s.w);
        for (int i = bin_begin(int(y), s.oh, s.h); i < i_end; i++) {
            int rows = bin_end(i, s.h, s.oh) - bin_begin(i, s.h, s.oh);
            for (int j = bin_begin(int(x), s.ow, s.w); j < j_end; j++) {
                int columns = bin_end(j, s.w, s.ow) - bin_begin(j, s.w, s.ow);
                uint64_t pixel =
                    (image * unsigned(s.oh) + unsigned(i)) * unsigned(s.ow) + unsigned(j);
                float d[V], cells = float(rows * columns);
                gpu_load<V>((const T *)dy + (pixel * s.vectors + vector) * V, d);
#pragma unroll
                for (int k = 0; k < V; k++) sum[k] += d[k] / cells;
            }
        }
        gpu_store<V>((T *)dx + at * V, sum);
    }
}
GPU_KERNELS(adaptive_pool_dx_kernel);

static adaptive_numbers numbers_of(const gyre_adaptive_pool_shape *s, int width, int rows,
                                   int columns) {
    adaptive_numbers f = {};
    f.vectors = unsigned(s->c / width);
    f.h = s->h;
    f.w = s->w;
    f.oh = s->oh;
    f.ow = s->ow;
    f.total = uint64_t(s->n) * uint64_t(rows) * uint64_t(columns) * f.vectors;
    return f;
}

static bool supported(const gyre_adaptive_pool_shape *s) {
    const int64_t most = int64_t(1) << 31;
    return int64_t(s->h) * s->oh < most && int64_t(s->w) * s->ow < most;
}

gyre_status gpu_adaptive_pool(gyre_queue *q, const gyre_adaptive_pool_shape *s, gyre_act x,
                              gyre_act y) {
    if (!supported(s)) return gpu_result(q, cudaErrorInvalidValue, __func__);
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, x, y);
    adaptive_numbers f = numbers_of(s, gpu_vector_width(bf16, wide), s->oh, s->ow);
    if (f.total == 0) return GYRE_OK;
    auto kernel = GPU_PICK(adaptive_pool_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(f.total), GPU_BLOCK, 0, gpu_stream(q), f, x, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

gyre_status gpu_adaptive_pool_dx(gyre_queue *q, const gyre_adaptive_pool_shape *s, gyre_act dy,
                                 gyre_act dx) {
    if (!supported(s)) return gpu_result(q, cudaErrorInvalidValue, __func__);
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, dy, dx);
    adaptive_numbers f = numbers_of(s, gpu_vector_width(bf16, wide), s->h, s->w);
    if (f.total == 0) return GYRE_OK;
    auto kernel = GPU_PICK(adaptive_pool_dx_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(f.total), GPU_BLOCK, 0, gpu_stream(q), f, dy, dx);
    return gpu_result(q, cudaGetLastError(), __func__);
}
