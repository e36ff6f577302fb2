/* Flat f32 vectors: filled, and added along the tree over shards. */
#include "element.h"
#include "operation.h"

template <int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    fill_kernel(uint64_t n, int shift, float value, float *x) {
    gpu_each_group<V>(n, shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W];
#pragma unroll
        for (int j = 0; j < W; j++) v[j] = value;
        gpu_store<W>(x + at, v);
    });
}
KERNEL(fill_kernel<1>);
KERNEL(fill_kernel<4>);

template <int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    add_kernel(uint64_t n, int shift, const float *a, const float *b, float *y) {
    gpu_each_group<V>(n, shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W], w[W];
        gpu_load<W>(a + at, v);
        gpu_load<W>(b + at, w);
#pragma unroll
        for (int j = 0; j < W; j++) v[j] += w[j];
        gpu_store<W>(y + at, v);
    });
}
KERNEL(add_kernel<1>);
KERNEL(add_kernel<4>);

gyre_status gpu_fill(gyre_queue *q, size_t n, float value, gyre_f32 x) {
    if (n == 0) return GYRE_OK;
    int bytes = gpu_common_shift(x);
    LAUNCH(fill_kernel<4>, gpu_group_grid(n, 4, bytes), GPU_BLOCK, 0, gpu_stream(q), n,
           gpu_group_shift(4, bytes), value, gpu_floats(x));
    return gpu_result(q, cudaGetLastError(), __func__);
}

gyre_status gpu_add(gyre_queue *q, size_t n, gyre_f32 a, gyre_f32 b, gyre_f32 y) {
    if (n == 0) return GYRE_OK;
    int bytes = gpu_common_shift(a, b, y);
    auto kernel = bytes < 0 ? &add_kernel<1> : &add_kernel<4>;
    LAUNCH(kernel, gpu_group_grid(n, 4, bytes), GPU_BLOCK, 0, gpu_stream(q), n,
           gpu_group_shift(4, bytes), gpu_floats(a), gpu_floats(b), gpu_floats(y));
    return gpu_result(q, cudaGetLastError(), __func__);
}
