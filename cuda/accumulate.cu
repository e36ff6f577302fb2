/* y += x on activations: where two ways through a net meet again. */
#include "element.h"
#include "operation.h"

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    accumulate_kernel(uint64_t n, int shift, const void *x, void *y) {
    gpu_each_group<V>(n, shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W], sum[W];
        gpu_load<W>((const T *)x + at, v);
        gpu_load<W>((const T *)y + at, sum);
#pragma unroll
        for (int j = 0; j < W; j++) sum[j] += v[j];
        gpu_store<W>((T *)y + at, sum);
    });
}
GPU_KERNELS(accumulate_kernel);

gyre_status gpu_accumulate(gyre_queue *q, size_t n, gyre_act x, gyre_act y) {
    if (n == 0) return GYRE_OK;
    bool bf16 = gpu_bf16(q);
    int width = gpu_vector_width(bf16, true), bytes = gpu_common_shift(x, y);
    auto kernel = GPU_PICK(accumulate_kernel, bf16, bytes >= 0);
    LAUNCH(kernel, gpu_group_grid(n, width, bytes), GPU_BLOCK, 0, gpu_stream(q), n,
           gpu_group_shift(width, bytes), x, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}
