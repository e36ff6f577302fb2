/* What the losses over classes share: a warp takes a row of logits, one block adds up the rows. */
#ifndef GYRE_CUDA_LOSS_H
#define GYRE_CUDA_LOSS_H

#include "element.h"
#include "operation.h"

constexpr int LOSS_WARPS = 4;

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

/* A row without a class has no gradient. */
template <class T>
__device__ __forceinline__ void loss_clear(void *dx, int64_t row, int classes, int lane) {
    const float none[1] = {0.0f};
    for (int j = lane; dx != nullptr && j < classes; j += 32) {
        gpu_store<1>((T *)dx + row * classes + j, none);
    }
}

/* Rows of several samples, `pixels` each; labelled(samples): how many of them have a label. NULL
 * where a sample is one row. */
struct loss_samples {
    int pixels;
    const int32_t *labelled;
};

/* How often a labelled row counts, so that a sample's rows weigh as much as if all had a label. */
__device__ __forceinline__ float loss_share(loss_samples s, unsigned row) {
    return s.labelled == nullptr ? 1.0f
                                 : float(s.pixels) / float(s.labelled[row / unsigned(s.pixels)]);
}

/* loss.cu: memory for the two below, and the samples of the shape, counted. */
gyre_status gpu_loss_begin(gyre_queue *q, const gyre_loss_shape *s, const int32_t *labels,
                           float **work, loss_samples *samples);

/* From work(n), the losses of the rows, and work(n) behind them, what each adds to the metric,
 * where samples have many rows 0 or 1: stats(2) = {scale * sum of losses, sum over samples of the
 * second ones / labelled rows}. */
gyre_status gpu_loss_total(gyre_queue *q, int n, loss_samples samples, float scale,
                           const float *work, float *stats);

#endif
