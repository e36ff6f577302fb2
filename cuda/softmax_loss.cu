/* Softmax and cross-entropy. A warp takes a row. The CPU computes in double; here all logits count
 * from the largest one as there, as exact pairs (sums.h), and the sum of the other exponentials is
 * kept apart from the largest one's 1: so a loss, or a gradient p - 1, that is nearly 0 keeps its
 * digits. */
#include "element.h"
#include "operation.h"
#include "realmath.h"

constexpr int LOSS_WARPS = 4;

struct loss_numbers {
    int n, classes;
    float smoothing, spread; /* spread: smoothing / classes */
    float scale;
};

__device__ __forceinline__ float logit(const float *z, int64_t i) {
    return z[i];
}
__device__ __forceinline__ float logit(const gpu_half *z, int64_t i) {
    float v[1];
    gpu_load<1>(z + i, v);
    return v[0];
}

struct largest {
    float value;
    int index;
};

/* The first of the largest logits; a NaN is never larger, and nothing is larger than a NaN that
 * comes first. */
template <class T>
__device__ __forceinline__ largest largest_of(const T *z, int classes, int lane) {
    largest best = {logit(z, 0), 0};
    for (int j = lane; j < classes; j += 32) {
        float value = logit(z, j);
        if (value > best.value) best = {value, j};
    }
#pragma unroll
    for (int bit = 16; bit > 0; bit /= 2) {
        largest other = {__shfl_xor_sync(0xffffffffu, best.value, bit),
                         __shfl_xor_sync(0xffffffffu, best.index, bit)};
        bool first = other.value == best.value && other.index < best.index;
        if (other.value > best.value || first) best = other;
    }
    return best;
}

/* z - top, exactly */
__device__ __forceinline__ gpu_two below(float z, float top) {
    gpu_two d = gpu_two_sum(z, -top);
    return {d.high, d.low == d.low ? d.low : 0.0f}; /* of infinity */
}

/* (p - target) * scale of class j, p = exp(z - top) / (1 + rest). */
__device__ __forceinline__ float slope_of(const loss_numbers &s, gpu_two z, gpu_two log_sum,
                                          float rest, bool top, bool label) {
    if (top && label) return s.scale * (-rest / (1.0f + rest) + (s.smoothing - s.spread));
    gpu_two x = gpu_plus(z, {-log_sum.high, -log_sum.low});
    float target = s.spread + (label ? 1.0f - s.smoothing : 0.0f);
    return s.scale * (gpu_exp(x) - target);
}

/* work(n): losses of the rows; work(n) behind them: 1 where the largest logit is the label's. */
template <class T>
__global__ void __launch_bounds__(32 * LOSS_WARPS)
    loss_rows_kernel(loss_numbers s, const void *logits, const int32_t *labels, float *work,
                     void *dx) {
    int lane = int(threadIdx.x % 32), label;
    int64_t row = int64_t(blockIdx.x) * LOSS_WARPS + threadIdx.x / 32;
    if (row >= s.n) return; /* the whole warp */
    const T *z = (const T *)logits + row * s.classes;
    largest best = largest_of(z, s.classes, lane);
    gpu_two rest = {0, 0}, sum = {0, 0};
    for (int j = lane; j < s.classes; j += 32) {
        gpu_two x = below(logit(z, j), best.value);
        if (j != best.index || x.high != x.high) rest = gpu_plus(rest, gpu_exp(x));
        sum = gpu_plus(sum, x);
    }
    rest = gpu_warp_sum(rest);
    sum = gpu_warp_sum(sum);
    label = labels[row];
    gpu_two log_sum = gpu_log(gpu_plus(gpu_two_sum(1.0f, rest.high), rest.low));
    gpu_two mine = below(logit(z, label), best.value);
    if (lane == 0) {
        float mean = gpu_value(sum) / float(s.classes);
        float hit = (1.0f - s.smoothing) * gpu_value(mine);
        work[row] = (gpu_value(log_sum) - hit) - s.smoothing * mean;
        work[s.n + row] = best.index == label ? 1.0f : 0.0f;
    }
    for (int j = lane; dx != nullptr && j < s.classes; j += 32) {
        gpu_two x = below(logit(z, j), best.value);
        float slope[1] = {slope_of(s, x, log_sum, gpu_value(rest), j == best.index, j == label)};
        gpu_store<1>((T *)dx + row * s.classes + j, slope);
    }
}
KERNEL(loss_rows_kernel<float>);
KERNEL(loss_rows_kernel<gpu_half>);

/* One block. */
__global__ void __launch_bounds__(GPU_BLOCK)
    loss_total_kernel(int n, float scale, const float *work, float *stats) {
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
    stats[1] = gpu_value(right);
}
KERNEL(loss_total_kernel);

gyre_status gpu_softmax_loss(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                             gyre_i32 labels, gyre_act dx, gyre_f32 stats) {
    loss_numbers numbers = {s->n, s->classes, s->smoothing, s->smoothing / float(s->classes),
                            s->scale};
    void *memory;
    GYRE_TRY(gpu_work(q, 2 * size_t(s->n) * sizeof(float), &memory));
    float *work = (float *)memory;
    if (s->n > 0) {
        auto kernel = gpu_bf16(q) ? &loss_rows_kernel<gpu_half> : &loss_rows_kernel<float>;
        unsigned blocks = (unsigned(s->n) + LOSS_WARPS - 1) / LOSS_WARPS;
        LAUNCH(kernel, blocks, 32 * LOSS_WARPS, 0, gpu_stream(q), numbers, logits,
               gpu_integers(labels), work, dx);
    }
    LAUNCH(loss_total_kernel, 1, GPU_BLOCK, 0, gpu_stream(q), s->n, s->scale, (const float *)work,
           gpu_floats(stats));
    return gpu_result(q, cudaGetLastError(), __func__);
}
