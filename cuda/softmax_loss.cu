/* Softmax and cross-entropy. A warp takes a row. The CPU computes in double; here all logits count
 * from the largest one as there, as exact pairs (sums.h), and the sum of the other exponentials is
 * kept apart from the largest one's 1: so a loss, or a gradient p - 1, that is nearly 0 keeps its
 * digits. */
#include "element.h"
#include "loss.h"
#include "operation.h"
#include "realmath.h"

struct loss_numbers {
    int n, classes;
    float smoothing, spread; /* spread: smoothing / classes */
    float scale;
    const int32_t *mix; /* (n, 2), or NULL */
};

/* z - top, exactly */
__device__ __forceinline__ gpu_two below(float z, float top) {
    gpu_two d = gpu_two_sum(z, -top);
    return {d.high, d.low == d.low ? d.low : 0.0f}; /* of infinity */
}

/* x w; infinity has no error */
__device__ __forceinline__ gpu_two times(gpu_two x, float w) {
    gpu_two p = gpu_two_product(x.high, w);
    float low = p.low + x.low * w;
    return {p.high, low == low ? low : 0.0f};
}

/* What a row's target is with weights w of the classes: hit = (1 - s) w_label, others = s / classes
 * * sum of w, and both together; without, 1 - s, s and 1. Of a row with two labels hit is shared
 * between them. */
struct row_target {
    const float *weights; /* or NULL */
    float hit, others, total;
    int second; /* label; -1: none */
    float second_hit;
};

__device__ __forceinline__ float weight_of(const row_target &t, int j) {
    return t.weights == nullptr ? 1.0f : t.weights[j];
}

__device__ __forceinline__ row_target target_of(const loss_numbers &s, const float *weights,
                                                int label, int lane) {
    if (weights == nullptr) return {nullptr, 1.0f - s.smoothing, s.smoothing, 1.0f, -1, 0.0f};
    gpu_two all = {0, 0};
    for (int j = lane; j < s.classes; j += 32) all = gpu_plus(all, weights[j]);
    float hit = (1.0f - s.smoothing) * weights[label];
    float others = s.spread * gpu_value(gpu_warp_sum(all));
    return {weights, hit, others, hit + others, -1, 0.0f};
}

__device__ __forceinline__ void add_second(const loss_numbers &s, int64_t row, int label,
                                           row_target &t) {
    if (s.mix == nullptr || s.mix[2 * row] == label) return;
    float share = __uint_as_float(uint32_t(s.mix[2 * row + 1]));
    t.second = s.mix[2 * row];
    float whole = t.weights == nullptr ? t.hit : (1.0f - s.smoothing) * t.weights[t.second];
    t.hit *= share;
    t.second_hit = (1.0f - share) * whole;
    if (t.weights != nullptr) t.total = t.hit + t.second_hit + t.others;
}

/* (total p - target) * scale of class j, p = exp(z - top) / (1 + rest). */
__device__ __forceinline__ float slope_of(const loss_numbers &s, const row_target &t, gpu_two z,
                                          gpu_two log_sum, float rest, int j, bool top,
                                          bool label) {
    float spread = s.spread * weight_of(t, j);
    if (top && label)
        return s.scale * (-rest / (1.0f + rest) * t.total + (t.others - spread + t.second_hit));
    gpu_two x = gpu_plus(z, {-log_sum.high, -log_sum.low});
    float hits = (label ? t.hit : 0.0f) + (j == t.second ? t.second_hit : 0.0f);
    return s.scale * (t.total * gpu_exp(x) - (spread + hits));
}

/* work(n): losses of the rows; work(n) behind them: 1 where the largest logit is the label's. */
template <class T>
__global__ void __launch_bounds__(32 * LOSS_WARPS)
    loss_rows_kernel(loss_numbers s, loss_samples samples, const void *logits,
                     const int32_t *labels, const float *weights, float *work, void *dx) {
    int lane = int(threadIdx.x % 32), label;
    int64_t row = int64_t(blockIdx.x) * LOSS_WARPS + threadIdx.x / 32;
    if (row >= s.n) return; /* the whole warp */
    const T *z = (const T *)logits + row * s.classes;
    label = labels[row];
    if (label < 0) { /* no class: the whole warp */
        if (lane == 0) work[row] = work[s.n + row] = 0.0f;
        loss_clear<T>(dx, row, s.classes, lane);
        return;
    }
    float share = loss_share(samples, unsigned(row));
    s.scale *= share;
    largest best = largest_of(z, s.classes, lane);
    row_target target = target_of(s, weights, label, lane);
    add_second(s, row, label, target);
    gpu_two rest = {0, 0}, sum = {0, 0};
    for (int j = lane; j < s.classes; j += 32) {
        gpu_two x = below(logit(z, j), best.value);
        if (j != best.index || x.high != x.high) rest = gpu_plus(rest, gpu_exp(x));
        sum = gpu_plus(sum, weights == nullptr ? x : times(x, weights[j]));
    }
    rest = gpu_warp_sum(rest);
    sum = gpu_warp_sum(sum);
    gpu_two log_sum = gpu_log(gpu_plus(gpu_two_sum(1.0f, rest.high), rest.low));
    gpu_two mine = below(logit(z, label), best.value);
    if (lane == 0) {
        float mean = gpu_value(sum) / float(s.classes);
        float hit = target.hit * gpu_value(mine);
        if (target.second >= 0) {
            hit += target.second_hit * gpu_value(below(logit(z, target.second), best.value));
        }
        work[row] = ((target.total * gpu_value(log_sum) - hit) - s.smoothing * mean) * share;
        work[s.n + row] = best.index == label ? 1.0f : 0.0f;
    }
    for (int j = lane; dx != nullptr && j < s.classes; j += 32) {
        gpu_two x = below(logit(z, j), best.value);
        float slope[1] = {
            slope_of(s, target, x, log_sum, gpu_value(rest), j, j == best.index, j == label)};
        gpu_store<1>((T *)dx + row * s.classes + j, slope);
    }
}
KERNEL(loss_rows_kernel<float>);
KERNEL(loss_rows_kernel<gpu_half>);

gyre_status gpu_softmax_loss(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                             gyre_i32 labels, gyre_f32 weights, gyre_act dx, gyre_f32 stats) {
    loss_numbers numbers = {s->n,         s->classes,
                            s->smoothing, s->smoothing / float(s->classes),
                            s->scale,     s->mixed ? gpu_integers(labels) + s->n : nullptr};
    float *work;
    loss_samples samples;
    GYRE_TRY(gpu_loss_begin(q, s, gpu_integers(labels), &work, &samples));
    if (s->n > 0) {
        auto kernel = gpu_bf16(q) ? &loss_rows_kernel<gpu_half> : &loss_rows_kernel<float>;
        unsigned blocks = (unsigned(s->n) + LOSS_WARPS - 1) / LOSS_WARPS;
        LAUNCH(kernel, blocks, 32 * LOSS_WARPS, 0, gpu_stream(q), numbers, samples, logits,
               gpu_integers(labels), gpu_floats(weights), work, dx);
    }
    return gpu_loss_total(q, s->n, samples, s->scale, work, gpu_floats(stats));
}
