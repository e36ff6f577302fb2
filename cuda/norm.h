/* Loops that batch norm and group norm share: sums of each column over rows, and maps with numbers
 * for each column, in the tiles of tiles.h. */
#ifndef GYRE_CUDA_NORM_H
#define GYRE_CUDA_NORM_H

#include "element.h"
#include "gyre/activation.h"
#include "tiles.h"

__device__ __forceinline__ float norm_inverse(float variance, float eps) {
    return 1.0f / sqrtf(variance + eps);
}

/* Sums of x - shift and (x - shift)^2 to work(2, room, columns). A shift near the mean keeps the
 * variance free of cancellation when the mean is large. */
template <class T, int V>
__device__ __forceinline__ void
norm_sum_moments(gpu_tiles t, const void *x, const float (&shift)[V], float *work, unsigned room) {
    gpu_sum_part<V, 2>(
        t,
        [=](uint64_t row, unsigned vector, float(&sums)[2 * V]) {
            float v[V];
            gpu_load<V>((const T *)x + (row * t.vectors + vector) * V, v);
#pragma unroll
            for (int j = 0; j < V; j++) {
                float d = v[j] - shift[j];
                sums[j] += d;
                sums[V + j] += d * d;
            }
        },
        work, room);
}

/* y = act((x - mean) * a + b (+ residual)) for the thread's rows. The mean is taken off first:
 * folded into b it would cancel when it is large beside the deviation. */
template <class T, int V, class Act>
__device__ __forceinline__ void norm_apply(gpu_tiles t, gpu_tile_place p, const float (&mean)[V],
                                           const float (&a)[V], const float (&b)[V], Act act,
                                           const void *x, const void *residual, void *y) {
    for (; p.row < p.end; p.row += p.step) {
        uint64_t at = (p.row * t.vectors + p.vector) * V;
        float v[V], r[V] = {};
        gpu_load<V>((const T *)x + at, v);
        if (residual != nullptr) gpu_load<V>((const T *)residual + at, r);
#pragma unroll
        for (int j = 0; j < V; j++) {
            v[j] = (v[j] - mean[j]) * a[j] + b[j];
            if (residual != nullptr) v[j] += r[j];
            v[j] = act(v[j]);
        }
        gpu_store<V>((T *)y + at, v);
    }
}

/* What backward reads; y where relu. */
struct norm_backward {
    const void *x, *y, *dy;
    bool relu;
};

/* dy' = dy behind the ReLU; stays where y is NaN, so that it is seen. */
template <class T, int V>
__device__ __forceinline__ void norm_masked(const norm_backward &f, uint64_t at, float (&d)[V]) {
    gpu_load<V>((const T *)f.dy + at, d);
    if (!f.relu) return;
    float y[V];
    gpu_load<V>((const T *)f.y + at, y);
#pragma unroll
    for (int j = 0; j < V; j++) d[j] = y[j] <= 0.0f ? 0.0f : d[j];
}

/* Sums of dy' and dy' * (x - mean) to work(2, room, columns). */
template <class T, int V>
__device__ __forceinline__ void norm_sum_gradients(gpu_tiles t, const norm_backward &f,
                                                   const float (&mean)[V], float *work,
                                                   unsigned room) {
    gpu_sum_part<V, 2>(
        t,
        [=](uint64_t row, unsigned vector, float(&sums)[2 * V]) {
            uint64_t at = (row * t.vectors + vector) * V;
            float v[V], d[V];
            gpu_load<V>((const T *)f.x + at, v);
            norm_masked<T, V>(f, at, d);
#pragma unroll
            for (int j = 0; j < V; j++) {
                sums[j] += d[j];
                sums[V + j] += d[j] * (v[j] - mean[j]);
            }
        },
        work, room);
}

/* The same where y = silu((x - mean) * a + b): dy' is the gradient of what SiLU reads, and goes to
 * du, which may be dy. */
template <class T, int V>
__device__ __forceinline__ void norm_sum_silu_gradients(gpu_tiles t, const norm_backward &f,
                                                        const float (&mean)[V], const float (&a)[V],
                                                        const float (&b)[V], void *du, float *work,
                                                        unsigned room) {
    gpu_sum_part<V, 2>(
        t,
        [=](uint64_t row, unsigned vector, float(&sums)[2 * V]) {
            uint64_t at = (row * t.vectors + vector) * V;
            float v[V], d[V];
            gpu_load<V>((const T *)f.x + at, v);
            gpu_load<V>((const T *)f.dy + at, d);
#pragma unroll
            for (int j = 0; j < V; j++) {
                float x = v[j] - mean[j];
                d[j] = gyre_silu_dx(0.0f, x * a[j] + b[j], d[j]);
                sums[j] += d[j];
                sums[V + j] += d[j] * x;
            }
            gpu_store<V>((T *)du + at, d);
        },
        work, room);
}

/* dx = k dy' + (m (x - mean) + b) for the thread's rows, and dresidual = dy' (unless it is NULL).
 * Either may be dy: what is overwritten was read before. */
template <class T, int V>
__device__ __forceinline__ void
norm_apply_gradient(gpu_tiles t, gpu_tile_place p, const norm_backward &f, const float (&mean)[V],
                    const float (&k)[V], const float (&m)[V], const float (&b)[V], void *dx,
                    void *dresidual) {
    for (; p.row < p.end; p.row += p.step) {
        uint64_t at = (p.row * t.vectors + p.vector) * V;
        float x[V], d[V];
        gpu_load<V>((const T *)f.x + at, x);
        norm_masked<T, V>(f, at, d);
#pragma unroll
        for (int j = 0; j < V; j++) x[j] = k[j] * d[j] + (m[j] * (x[j] - mean[j]) + b[j]);
        if (dresidual != nullptr) gpu_store_exact<V>((T *)dresidual + at, d);
        gpu_store<V>((T *)dx + at, x);
    }
}

#endif
