/* Squared error against one-hot labels. A warp takes a row and adds up its squares in pairs. */
#include "loss.h"
#include "sums.h"

/* work(n): losses of the rows; work(n) behind them: 1 where the largest logit is the label's. */
template <class T>
__global__ void __launch_bounds__(32 * LOSS_WARPS)
    squared_error_kernel(gyre_loss_shape s, loss_samples samples, const void *logits,
                         const int32_t *labels, float *work, void *dx) {
    int lane = int(threadIdx.x % 32);
    int64_t row = int64_t(blockIdx.x) * LOSS_WARPS + threadIdx.x / 32;
    if (row >= s.n) return; /* the whole warp */
    const T *z = (const T *)logits + row * s.classes;
    largest best = largest_of(z, s.classes, lane);
    int label = labels[row];
    if (label < 0) { /* no class: the whole warp */
        if (lane == 0) work[row] = work[s.n + row] = 0.0f;
        loss_clear<T>(dx, row, s.classes, lane);
        return;
    }
    float share = loss_share(samples, unsigned(row));
    s.scale *= share;
    gpu_two sum = {0, 0};
    for (int j = lane; j < s.classes; j += 32) {
        float d = logit(z, j) - (j == label ? 1.0f : 0.0f);
        float slope[1] = {s.scale * (2.0f * d / float(s.classes))};
        sum = gpu_plus(sum, d * d);
        if (dx != nullptr) gpu_store<1>((T *)dx + row * s.classes + j, slope);
    }
    sum = gpu_warp_sum(sum);
    if (lane != 0) return;
    work[row] = gpu_value(sum) / float(s.classes) * share;
    work[s.n + row] = best.index == label ? 1.0f : 0.0f;
}
KERNEL(squared_error_kernel<float>);
KERNEL(squared_error_kernel<gpu_half>);

gyre_status gpu_squared_error_loss(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                                   gyre_i32 labels, gyre_act dx, gyre_f32 stats) {
    float *work;
    loss_samples samples;
    GYRE_TRY(gpu_loss_begin(q, s, gpu_integers(labels), &work, &samples));
    if (s->n > 0) {
        auto kernel = gpu_bf16(q) ? &squared_error_kernel<gpu_half> : &squared_error_kernel<float>;
        unsigned blocks = (unsigned(s->n) + LOSS_WARPS - 1) / LOSS_WARPS;
        LAUNCH(kernel, blocks, 32 * LOSS_WARPS, 0, gpu_stream(q), *s, samples, logits,
               gpu_integers(labels), work, dx);
    }
    return gpu_loss_total(q, s->n, samples, s->scale, work, gpu_floats(stats));
}
