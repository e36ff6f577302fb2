/* Sums in f32 that keep what rounding drops. A gpu_two is the unevaluated sum of its members, the
 * second one the rounding error of the first: about 48 bits, without double precision. Error-free
 * sums are Knuth's (TAOCP 4.2.2, theorem B), products use fma. */
#ifndef GYRE_CUDA_SUMS_H
#define GYRE_CUDA_SUMS_H

#include "port.h"

struct gpu_two {
    float high, low;
};

__device__ __forceinline__ gpu_two gpu_two_sum(float a, float b) {
    float sum = a + b, part = sum - a;
    return {sum, (a - (sum - part)) + (b - part)};
}

__device__ __forceinline__ gpu_two gpu_two_product(float a, float b) {
    float product = a * b;
    return {product, fmaf(a, b, -product)};
}

__device__ __forceinline__ gpu_two gpu_plus(gpu_two a, float b) {
    gpu_two s = gpu_two_sum(a.high, b);
    return {s.high, a.low + s.low};
}

__device__ __forceinline__ gpu_two gpu_plus(gpu_two a, gpu_two b) {
    gpu_two s = gpu_two_sum(a.high, b.high);
    return {s.high, s.low + (a.low + b.low)};
}

/* Infinity and NaN have no error: what was made up for them is NaN. */
__device__ __forceinline__ float gpu_value(gpu_two x) {
    float sum = x.high + x.low;
    return sum == sum ? sum : x.high;
}

/* a / n, to about 2^-44 */
__device__ __forceinline__ gpu_two gpu_over(gpu_two a, float n) {
    float quotient = a.high / n;
    float rest = fmaf(-quotient, n, a.high) + a.low;
    return {quotient, rest / n};
}

__device__ __forceinline__ gpu_two gpu_square(gpu_two a) {
    gpu_two p = gpu_two_product(a.high, a.high);
    return {p.high, p.low + 2.0f * a.high * a.low};
}

/* Over the lanes of a whole warp; every lane gets the sum. */
__device__ __forceinline__ gpu_two gpu_warp_sum(gpu_two x) {
#pragma unroll
    for (int bit = 16; bit > 0; bit /= 2) {
        gpu_two other = {__shfl_xor_sync(0xffffffffu, x.high, bit),
                         __shfl_xor_sync(0xffffffffu, x.low, bit)};
        x = gpu_plus(x, other);
    }
    return x;
}

/* Over the threads of a one-dimensional block of WARPS warps; thread 0 gets the sum. `shared` may
 * be used again after the next barrier. */
template <int WARPS>
__device__ __forceinline__ gpu_two gpu_block_sum(gpu_two x, gpu_two (&shared)[WARPS]) {
    x = gpu_warp_sum(x);
    if (threadIdx.x % 32 == 0) shared[threadIdx.x / 32] = x;
    __syncthreads();
    if (threadIdx.x != 0) return x;
#pragma unroll
    for (int i = 1; i < WARPS; i++) x = gpu_plus(x, shared[i]);
    return x;
}

#endif
