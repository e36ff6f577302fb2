/* What losses do before and behind their rows: count the labelled ones of each sample, and add
 * up. */
#include "loss.h"
#include "sums.h"

/* A warp takes a sample. Integers: any order gives the same. */
__global__ void __launch_bounds__(32 * LOSS_WARPS)
    loss_labelled_kernel(int samples, int pixels, const int32_t *labels, int32_t *labelled) {
    int lane = int(threadIdx.x % 32), count = 0;
    int64_t sample = int64_t(blockIdx.x) * LOSS_WARPS + threadIdx.x / 32;
    if (sample >= samples) return; /* the whole warp */
    for (int i = lane; i < pixels; i += 32) count += labels[sample * pixels + i] >= 0;
#pragma unroll
    for (int bit = 16; bit > 0; bit /= 2) count += __shfl_xor_sync(0xffffffffu, count, bit);
    if (lane == 0) labelled[sample] = count;
}
KERNEL(loss_labelled_kernel);

/* One block. A hit counts pixels / labelled times, as a pair: else all right would not be 1. */
__global__ void __launch_bounds__(GPU_BLOCK)
    loss_total_kernel(int n, loss_samples s, float scale, const float *work, float *stats) {
    SHARED(gpu_two, shared, [2][GPU_BLOCK / 32]);
    gpu_two loss = {0, 0}, right = {0, 0};
#pragma unroll 1 /* spares registers */
    for (unsigned i = threadIdx.x; i < unsigned(n); i += GPU_BLOCK) {
        loss = gpu_plus(loss, work[i]);
        gpu_two hit = {work[size_t(n) + i], 0};
        if (hit.high != 0.0f && s.labelled != nullptr) {
            hit = gpu_over({float(s.pixels), 0}, float(s.labelled[i / unsigned(s.pixels)]));
        }
        right = gpu_plus(right, hit);
    }
    loss = gpu_block_sum(loss, shared[0]);
    right = gpu_block_sum(right, shared[1]);
    if (threadIdx.x != 0) return;
    stats[0] = scale * gpu_value(loss);
    stats[1] = gpu_value(right) / float(s.pixels);
}
KERNEL(loss_total_kernel);

gyre_status gpu_loss_begin(gyre_queue *q, const gyre_loss_shape *s, const int32_t *labels,
                           float **work, loss_samples *samples) {
    int pixels = s->pixels > 1 ? s->pixels : 1, count = pixels > 1 ? s->n / pixels : 0;
    void *memory;
    GYRE_TRY(gpu_work(q, (2 * size_t(s->n) + size_t(count)) * sizeof(float), &memory));
    *work = (float *)memory;
    *samples = {pixels, nullptr};
    if (count == 0) return GYRE_OK;
    int32_t *labelled = (int32_t *)(*work + 2 * size_t(s->n));
    unsigned blocks = (unsigned(count) + LOSS_WARPS - 1) / LOSS_WARPS;
    LAUNCH(loss_labelled_kernel, blocks, 32 * LOSS_WARPS, 0, gpu_stream(q), count, pixels, labels,
           labelled);
    samples->labelled = labelled;
    return gpu_result(q, cudaGetLastError(), __func__);
}

gyre_status gpu_loss_total(gyre_queue *q, int n, loss_samples samples, float scale,
                           const float *work, float *stats) {
    LAUNCH(loss_total_kernel, 1, GPU_BLOCK, 0, gpu_stream(q), n, samples, scale, work, stats);
    return gpu_result(q, cudaGetLastError(), __func__);
}
