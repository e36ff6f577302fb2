/* 64 bits that tell one vector from another. Their sum is of integers, whose order does not matter.
 */
#include "element.h"
#include "operation.h"

#include "gyre/digest.h"

constexpr unsigned DIGEST_BLOCKS = 1024;

/* Over a block, by a tree; thread 0 gets the sum. */
__device__ __forceinline__ uint64_t digest_block(uint64_t x, uint64_t (&shared)[GPU_BLOCK]) {
    shared[threadIdx.x] = x;
    __syncthreads();
    for (unsigned width = GPU_BLOCK / 2; width > 0; width /= 2) {
        if (threadIdx.x < width) shared[threadIdx.x] += shared[threadIdx.x + width];
        __syncthreads();
    }
    return shared[0];
}

__global__ void __launch_bounds__(GPU_BLOCK)
    digest_kernel(uint64_t n, int shift, const float *x, uint64_t *work) {
    SHARED(uint64_t, shared, [GPU_BLOCK]);
    uint64_t sum = 0;
    gpu_each_group<4>(n, shift, [&](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W];
        gpu_load<W>(x + at, v);
#pragma unroll
        for (int j = 0; j < W; j++) sum += gyre_digest_share(at + j, __float_as_uint(v[j]));
    });
    sum = digest_block(sum, shared);
    if (threadIdx.x == 0) work[blockIdx.x] = sum;
}
KERNEL(digest_kernel);

/* One block; out is two words, of which only the alignment of one is known. */
__global__ void __launch_bounds__(GPU_BLOCK)
    digest_total_kernel(unsigned blocks, const uint64_t *work, float *out) {
    SHARED(uint64_t, shared, [GPU_BLOCK]);
    uint64_t sum = 0;
    for (unsigned i = threadIdx.x; i < blocks; i += GPU_BLOCK) sum += work[i];
    sum = digest_block(sum, shared);
    if (threadIdx.x != 0) return;
    out[0] = __uint_as_float(uint32_t(sum));
    out[1] = __uint_as_float(uint32_t(sum >> 32));
}
KERNEL(digest_total_kernel);

gyre_status gpu_digest(gyre_queue *q, size_t n, gyre_f32 x, gyre_f32 out) {
    int bytes = gpu_common_shift(x);
    unsigned wanted = unsigned(gpu_group_grid(n, 4, bytes));
    unsigned blocks = wanted < DIGEST_BLOCKS ? wanted : DIGEST_BLOCKS;
    void *work;
    GYRE_TRY(gpu_work(q, DIGEST_BLOCKS * sizeof(uint64_t), &work));
    LAUNCH(digest_kernel, blocks, GPU_BLOCK, 0, gpu_stream(q), n, gpu_group_shift(4, bytes),
           gpu_floats(x), (uint64_t *)work);
    LAUNCH(digest_total_kernel, 1, GPU_BLOCK, 0, gpu_stream(q), blocks, (const uint64_t *)work,
           gpu_floats(out));
    return gpu_result(q, cudaGetLastError(), __func__);
}
