/* ReLU: memory traffic and nothing else. NaN stays NaN. */
#include "element.h"
#include "operation.h"

/* Results may take an operand's place: a group is read before it is written. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    relu_kernel(uint64_t n, int shift, const void *x, void *y) {
    gpu_each_group<V>(n, shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W];
        gpu_load<W>((const T *)x + at, v);
#pragma unroll
        for (int j = 0; j < W; j++) v[j] = v[j] < 0.0f ? 0.0f : v[j]; /* NaN stays */
        gpu_store_exact<W>((T *)y + at, v);
    });
}
GPU_KERNELS(relu_kernel);

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    relu_dx_kernel(uint64_t n, int shift, const void *y, const void *dy, void *dx) {
    gpu_each_group<V>(n, shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W], d[W];
        gpu_load<W>((const T *)y + at, v);
        gpu_load<W>((const T *)dy + at, d);
#pragma unroll
        for (int j = 0; j < W; j++) d[j] = v[j] <= 0.0f ? 0.0f : d[j]; /* stays where y is NaN */
        gpu_store_exact<W>((T *)dx + at, d);
    });
}
GPU_KERNELS(relu_dx_kernel);

gyre_status gpu_relu(gyre_queue *q, size_t n, gyre_act x, gyre_act y) {
    if (n == 0) return GYRE_OK;
    bool bf16 = gpu_bf16(q);
    int width = gpu_vector_width(bf16, true), bytes = gpu_common_shift(x, y);
    auto kernel = GPU_PICK(relu_kernel, bf16, bytes >= 0);
    LAUNCH(kernel, gpu_group_grid(n, width, bytes), GPU_BLOCK, 0, gpu_stream(q), n,
           gpu_group_shift(width, bytes), x, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

/* dx may be dy */
gyre_status gpu_relu_dx(gyre_queue *q, size_t n, gyre_act y, gyre_act dy, gyre_act dx) {
    if (n == 0) return GYRE_OK;
    bool bf16 = gpu_bf16(q);
    int width = gpu_vector_width(bf16, true), bytes = gpu_common_shift(y, dy, dx);
    auto kernel = GPU_PICK(relu_dx_kernel, bf16, bytes >= 0);
    LAUNCH(kernel, gpu_group_grid(n, width, bytes), GPU_BLOCK, 0, gpu_stream(q), n,
           gpu_group_shift(width, bytes), y, dy, dx);
    return gpu_result(q, cudaGetLastError(), __func__);
}
