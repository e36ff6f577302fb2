/* A number for each place of a sample, added to every sample. A thread keeps its places and goes
 * over samples. */
#include "element.h"
#include "operation.h"
#include "sums.h"
#include "tiles.h"

/* `size` numbers are a sample. y may be x. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    positions_kernel(unsigned samples, uint64_t size, const void *x, const float *w, void *y) {
    for (uint64_t at = gpu_thread() * V; at < size; at += gpu_threads() * V) {
        float added[V];
        gpu_load_each<V>(w + at, added);
        for (unsigned i = 0; i < samples; i++) {
            float v[V];
            gpu_load<V>((const T *)x + i * size + at, v);
#pragma unroll
            for (int j = 0; j < V; j++) v[j] += added[j];
            gpu_store<V>((T *)y + i * size + at, v);
        }
    }
}
GPU_KERNELS(positions_kernel);

/* dw = the sum over samples of dy */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    positions_dw_kernel(unsigned samples, uint64_t size, const void *dy, float *dw) {
    for (uint64_t at = gpu_thread() * V; at < size; at += gpu_threads() * V) {
        gpu_two sum[V] = {};
        for (unsigned i = 0; i < samples; i++) {
            float v[V];
            gpu_load<V>((const T *)dy + i * size + at, v);
#pragma unroll
            for (int j = 0; j < V; j++) sum[j] = gpu_plus(sum[j], v[j]);
        }
#pragma unroll
        for (int j = 0; j < V; j++) dw[at + unsigned(j)] = gpu_value(sum[j]);
    }
}
GPU_KERNELS(positions_dw_kernel);

static uint64_t size_of(const gyre_positions_shape *s) {
    return uint64_t(s->h) * uint64_t(s->w) * uint64_t(s->c);
}

gyre_status gpu_positions(gyre_queue *q, const gyre_positions_shape *s, gyre_act x, gyre_f32 w,
                          gyre_act y) {
    uint64_t size = size_of(s);
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, x, y);
    if (size == 0 || s->n == 0) return GYRE_OK;
    auto kernel = GPU_PICK(positions_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(size / uint64_t(gpu_vector_width(bf16, wide))), GPU_BLOCK, 0,
           gpu_stream(q), unsigned(s->n), size, x, gpu_floats(w), y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

gyre_status gpu_positions_dw(gyre_queue *q, const gyre_positions_shape *s, gyre_act dy,
                             gyre_f32 dw) {
    uint64_t size = size_of(s);
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, dy);
    if (size == 0) return GYRE_OK;
    auto kernel = GPU_PICK(positions_dw_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(size / uint64_t(gpu_vector_width(bf16, wide))), GPU_BLOCK, 0,
           gpu_stream(q), unsigned(s->n), size, dy, gpu_floats(dw));
    return gpu_result(q, cudaGetLastError(), __func__);
}
