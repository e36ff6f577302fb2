/* What conv.c needs beside cuDNN's plans: bias and ReLU on an f32 sum, and numbers between f32 and
 * bf16. */
#include "element.h"
#include "kernels.h"

/* x may be y. V divides the columns. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    bias_kernel(uint64_t groups, unsigned columns, int relu, const float *x, const float *bias,
                T *y) {
    for (uint64_t g = gpu_thread(); g < groups; g += gpu_threads()) {
        unsigned column;
        float v[V], b[V];
        gpu_divide(g, columns / V, &column);
        gpu_load<V>(x + g * V, v);
        gpu_load_each<V>(bias + uint64_t(column) * V, b);
#pragma unroll
        for (int j = 0; j < V; j++) {
            v[j] += b[j];
            if (relu) v[j] = v[j] < 0.0f ? 0.0f : v[j]; /* NaN stays */
        }
        gpu_store<V>(y + g * V, v);
    }
}
KERNEL(bias_kernel<float, 1>);
KERNEL(bias_kernel<float, 4>);
KERNEL(bias_kernel<gpu_half, 1>);
KERNEL(bias_kernel<gpu_half, 4>);

template <int V>
__global__ void __launch_bounds__(GPU_BLOCK) widen_kernel(uint64_t n, const gpu_half *x, float *y) {
    gpu_each_group<V>(n, 0, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W];
        gpu_load<W>(x + at, v);
        gpu_store<W>(y + at, v);
    });
}
KERNEL(widen_kernel<1>);
KERNEL(widen_kernel<4>);

template <int V>
__global__ void __launch_bounds__(GPU_BLOCK) round_kernel(uint64_t n, const float *x, void *y) {
    gpu_each_group<V>(n, 0, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W];
        gpu_load<W>(x + at, v);
        gpu_store<W>((gpu_half *)y + at, v);
    });
}
KERNEL(round_kernel<1>);
KERNEL(round_kernel<4>);

template <class T>
static void launch_bias(cudaStream_t stream, size_t n, size_t columns, bool relu, const float *x,
                        const float *bias, T *y) {
    bool wide = columns % 4 == 0 && gpu_behind(x, 16) == 0 && gpu_behind(y, 4 * sizeof(T)) == 0;
    auto kernel = wide ? &bias_kernel<T, 4> : &bias_kernel<T, 1>;
    uint64_t groups = wide ? n / 4 : n;
    LAUNCH(kernel, gpu_grid(groups), GPU_BLOCK, 0, stream, groups, unsigned(columns), int(relu), x,
           bias, y);
}

cudaError_t gpu_bias_launch(cudaStream_t stream, bool bf16, size_t rows, size_t columns, bool relu,
                            const float *x, const float *bias, void *y) {
    if (rows == 0 || columns == 0) return cudaSuccess;
    if (bf16)
        launch_bias(stream, rows * columns, columns, relu, x, bias, (gpu_half *)y);
    else
        launch_bias(stream, rows * columns, columns, relu, x, bias, (float *)y);
    return cudaGetLastError();
}

cudaError_t gpu_widen_launch(cudaStream_t stream, size_t n, const void *x, float *y) {
    if (n == 0) return cudaSuccess;
    bool wide = gpu_behind(x, 8) == 0 && gpu_behind(y, 16) == 0;
    auto kernel = wide ? &widen_kernel<4> : &widen_kernel<1>;
    LAUNCH(kernel, gpu_grid(wide ? n / 4 + 1 : n), GPU_BLOCK, 0, stream, n, (const gpu_half *)x, y);
    return cudaGetLastError();
}

cudaError_t gpu_round_launch(cudaStream_t stream, size_t n, const float *x, void *y) {
    if (n == 0) return cudaSuccess;
    bool wide = gpu_behind(x, 16) == 0 && gpu_behind(y, 8) == 0;
    auto kernel = wide ? &round_kernel<4> : &round_kernel<1>;
    LAUNCH(kernel, gpu_grid(wide ? n / 4 + 1 : n), GPU_BLOCK, 0, stream, n, x, y);
    return cudaGetLastError();
}
