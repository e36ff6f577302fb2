/* Averages of the weights over the steps. */
#include "element.h"
#include "operation.h"

/* average += share (x - average), where the step is finite */
template <int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    average_kernel(uint64_t n, int shift, const float *x, const float *scalars, float *average) {
    if (!(scalars[GYRE_SCALAR_FINITE] > 0.0f)) return;
    const float share = scalars[GYRE_SCALAR_SHARE];
    gpu_each_group<V>(n, shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float fresh[W], mean[W];
        gpu_load<W>(x + at, fresh);
        gpu_load<W>(average + at, mean);
#pragma unroll
        for (int j = 0; j < W; j++) mean[j] += share * (fresh[j] - mean[j]);
        gpu_store<W>(average + at, mean);
    });
}
KERNEL(average_kernel<1>);
KERNEL(average_kernel<4>);

gyre_status gpu_update_average(gyre_queue *q, size_t n, gyre_f32 x, gyre_f32 scalars,
                               gyre_f32 average) {
    if (n == 0) return GYRE_OK;
    int bytes = gpu_common_shift(x, average);
    auto kernel = bytes < 0 ? &average_kernel<1> : &average_kernel<4>;
    LAUNCH(kernel, gpu_group_grid(n, 4, bytes), GPU_BLOCK, 0, gpu_stream(q), n,
           gpu_group_shift(4, bytes), gpu_floats(x), gpu_floats(scalars), gpu_floats(average));
    return gpu_result(q, cudaGetLastError(), __func__);
}
