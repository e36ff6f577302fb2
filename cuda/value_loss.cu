/* Losses of outputs against values. A warp takes a sample and adds up its losses in pairs. */
#include "loss.h"
#include "realmath.h"
#include "sums.h"

/* One output's loss, its slope, and what it adds to the second sum. */
struct term {
    gpu_two loss;
    float slope, own;
};

/* log(1 + e^-|z|) does not overflow, and keeps its digits where it is small. */
__device__ __forceinline__ term binary(float z, float target) {
    float e = gpu_exp({-fabsf(z), 0.0f});
    float yes = z >= 0 ? 1.0f / (1.0f + e) : e / (1.0f + e);
    gpu_two loss = gpu_log(gpu_two_sum(1.0f, e));
    loss = gpu_plus(loss, gpu_two_sum(z > 0 ? z : 0.0f, -z * target));
    return {loss, yes - target, (z > 0) == (target > 0.5f) ? 1.0f : 0.0f};
}

__device__ __forceinline__ term term_of(gyre_value_loss_kind kind, float z, float target) {
    float d = z - target, size = fabsf(d), sign = d > 0 ? 1.0f : d < 0 ? -1.0f : d; /* NaN stays */
    if (kind == GYRE_VALUE_LOSS_BINARY) return binary(z, target);
    if (kind == GYRE_VALUE_LOSS_SQUARED) return {{d * d, 0.0f}, 2.0f * d, size};
    if (kind == GYRE_VALUE_LOSS_HUBER && size < 1) return {{d * d * 0.5f, 0.0f}, d, size};
    float cut = kind == GYRE_VALUE_LOSS_HUBER ? 0.5f : 0.0f;
    return {{size - cut, 0.0f}, sign, size};
}

/* work(n): losses of the samples; work(n) behind them: the means of the second sum's terms. */
template <class T>
__global__ void __launch_bounds__(32 * LOSS_WARPS)
    value_loss_kernel(gyre_value_loss_shape s, float each, const void *x, const float *targets,
                      float *work, void *dx) {
    int lane = int(threadIdx.x % 32);
    int64_t sample = int64_t(blockIdx.x) * LOSS_WARPS + threadIdx.x / 32;
    if (sample >= s.n) return; /* the whole warp */
    const int64_t first = sample * s.values;
    const T *z = (const T *)x + first;
    gpu_two loss = {0, 0}, own = {0, 0};
    for (int j = lane; j < s.values; j += 32) {
        term one = term_of(s.kind, logit(z, j), targets[first + j]);
        float slope[1] = {each * one.slope};
        loss = gpu_plus(loss, one.loss);
        own = gpu_plus(own, one.own);
        if (dx != nullptr) gpu_store<1>((T *)dx + first + j, slope);
    }
    loss = gpu_warp_sum(loss);
    own = gpu_warp_sum(own);
    if (lane != 0) return;
    work[sample] = gpu_value(loss) / float(s.values);
    work[s.n + sample] = gpu_value(own) / float(s.values);
}
KERNEL(value_loss_kernel<float>);
KERNEL(value_loss_kernel<gpu_half>);

gyre_status gpu_value_loss(gyre_queue *q, const gyre_value_loss_shape *s, gyre_act x,
                           gyre_f32 targets, gyre_act dx, gyre_f32 stats) {
    void *work;
    GYRE_TRY(gpu_work(q, 2 * size_t(s->n) * sizeof(float), &work));
    if (s->n > 0) {
        auto kernel = gpu_bf16(q) ? &value_loss_kernel<gpu_half> : &value_loss_kernel<float>;
        unsigned blocks = (unsigned(s->n) + LOSS_WARPS - 1) / LOSS_WARPS;
        LAUNCH(kernel, blocks, 32 * LOSS_WARPS, 0, gpu_stream(q), *s, s->scale / float(s->values),
               x, gpu_floats(targets), (float *)work, dx);
    }
    return gpu_loss_total(q, s->n, {1, nullptr}, s->scale, (float *)work, gpu_floats(stats));
}
