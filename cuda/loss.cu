/* The sum of a batch's losses, for every loss over classes. */
#include "loss.h"
#include "sums.h"

/* One block. */
__global__ void __launch_bounds__(GPU_BLOCK)
    loss_total_kernel(int n, float pixels, float scale, const float *work, float *stats) {
    SHARED(gpu_two, shared, [2][GPU_BLOCK / 32]);
    gpu_two loss = {0, 0}, right = {0, 0};
    for (int64_t i = threadIdx.x; i < n; i += GPU_BLOCK) {
        loss = gpu_plus(loss, work[i]);
        right = gpu_plus(right, work[n + i]);
    }
    loss = gpu_block_sum(loss, shared[0]);
    right = gpu_block_sum(right, shared[1]);
    if (threadIdx.x != 0) return;
    stats[0] = scale * gpu_value(loss);
    stats[1] = gpu_value(right) / pixels;
}
KERNEL(loss_total_kernel);

gyre_status gpu_loss_total(gyre_queue *q, int n, int pixels, float scale, const float *work,
                           float *stats) {
    LAUNCH(loss_total_kernel, 1, GPU_BLOCK, 0, gpu_stream(q), n, float(pixels > 1 ? pixels : 1),
           scale, work, stats);
    return gpu_result(q, cudaGetLastError(), __func__);
}
