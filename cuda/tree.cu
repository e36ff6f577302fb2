/* The sum over ranks as a fixed tree, for the exact reduction (collective.c): halves of RANKS
 * vectors, unrolled. */
#include "element.h"
#include "kernels.h"

template <int RANKS, int W>
__device__ __forceinline__ void tree_sum(const float *x, uint64_t stride, float (&sum)[W]) {
    if constexpr (RANKS == 1) {
        gpu_load<W>(x, sum);
    } else {
        float other[W];
        tree_sum<RANKS / 2, W>(x, stride, sum);
        tree_sum<RANKS / 2, W>(x + RANKS / 2 * stride, stride, other);
#pragma unroll
        for (int j = 0; j < W; j++) sum[j] += other[j];
    }
}

/* The vector for ranks r, r + 1... is read whole before the sum is written over one of them. */
template <int RANKS, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    tree_kernel(uint64_t n, int shift, uint64_t stride, const float *x, float *y) {
    gpu_each_group<V>(n, shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float sum[W];
        tree_sum<RANKS, W>(x + at, stride, sum);
        gpu_store<W>(y + at, sum);
    });
}
KERNEL(tree_kernel<1, 1>);
KERNEL(tree_kernel<1, 4>);
KERNEL(tree_kernel<2, 1>);
KERNEL(tree_kernel<2, 4>);
KERNEL(tree_kernel<4, 1>);
KERNEL(tree_kernel<4, 4>);
KERNEL(tree_kernel<8, 1>);
KERNEL(tree_kernel<8, 4>);

/* More ranks, by eights: a counter in binary, whose digits hold the sums of 1, 2, 4... eights that
 * wait for their neighbour. */
constexpr int TREE_LEVELS = 8;
static_assert(8 << (TREE_LEVELS - 1) == GPU_TREE_RANKS, "");

__global__ void __launch_bounds__(GPU_BLOCK)
    tree_of_eights_kernel(uint64_t n, unsigned eights, uint64_t stride, const float *x, float *y) {
    for (uint64_t at = gpu_thread(); at < n; at += gpu_threads()) {
        float waiting[TREE_LEVELS] = {}, sum[1] = {};
        for (unsigned i = 0; i < eights; i++) {
            bool carry = true;
            tree_sum<8, 1>(x + at + i * 8 * stride, stride, sum);
#pragma unroll
            for (int level = 0; level < TREE_LEVELS; level++) {
                bool set = (i >> level & 1) != 0;
                float above = waiting[level] + sum[0];
                if (carry && !set) waiting[level] = sum[0];
                if (carry && set) sum[0] = above;
                carry = carry && set;
            }
        }
        /* a power of two of eights: only the highest digit is left, and `sum` went there */
        y[at] = sum[0];
    }
}
KERNEL(tree_of_eights_kernel);

template <int RANKS>
static void launch_tree(cudaStream_t stream, size_t n, size_t stride, const float *x, float *y) {
    int bytes = stride % 4 == 0 || RANKS == 1 ? gpu_common_shift(x, y) : -1;
    auto kernel = bytes < 0 ? &tree_kernel<RANKS, 1> : &tree_kernel<RANKS, 4>;
    LAUNCH(kernel, gpu_group_grid(n, 4, bytes), GPU_BLOCK, 0, stream, n, gpu_group_shift(4, bytes),
           stride, x, y);
}

cudaError_t gpu_tree_launch(cudaStream_t stream, size_t n, int ranks, size_t stride, const float *x,
                            float *y) {
    if (ranks < 1 || ranks > GPU_TREE_RANKS || (ranks & (ranks - 1)) != 0) {
        return cudaErrorInvalidValue;
    }
    if (n == 0) return cudaSuccess;
    switch (ranks) {
    case 1: launch_tree<1>(stream, n, stride, x, y); break;
    case 2: launch_tree<2>(stream, n, stride, x, y); break;
    case 4: launch_tree<4>(stream, n, stride, x, y); break;
    case 8: launch_tree<8>(stream, n, stride, x, y); break;
    default:
        LAUNCH(tree_of_eights_kernel, gpu_grid(n), GPU_BLOCK, 0, stream, n, unsigned(ranks / 8),
               stride, x, y);
    }
    return cudaGetLastError();
}
