/* Gated GELU: gyre/activation.h says what GELU computes. */
#include "element.h"
#include "gyre/activation.h"
#include "operation.h"
#include "tiles.h"

/* `vectors` of V numbers are half a pixel's channels in x, and all of them in y. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    geglu_kernel(uint64_t all, unsigned vectors, const void *x, void *y) {
    for (uint64_t i = gpu_thread(); i < all; i += gpu_threads()) {
        unsigned vector;
        uint64_t at = 2 * gpu_divide(i, vectors, &vector) * vectors + vector;
        float a[V], b[V];
        gpu_load<V>((const T *)x + at * V, a);
        gpu_load<V>((const T *)x + (at + vectors) * V, b);
#pragma unroll
        for (int j = 0; j < V; j++) a[j] *= gyre_gelu(0, b[j]);
        gpu_store<V>((T *)y + i * V, a);
    }
}
GPU_KERNELS(geglu_kernel);

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    geglu_dx_kernel(uint64_t all, unsigned vectors, const void *x, const void *dy, void *dx) {
    for (uint64_t i = gpu_thread(); i < all; i += gpu_threads()) {
        unsigned vector;
        uint64_t at = 2 * gpu_divide(i, vectors, &vector) * vectors + vector;
        float a[V], b[V], d[V], da[V], db[V];
        gpu_load<V>((const T *)x + at * V, a);
        gpu_load<V>((const T *)x + (at + vectors) * V, b);
        gpu_load<V>((const T *)dy + i * V, d);
#pragma unroll
        for (int j = 0; j < V; j++) {
            da[j] = d[j] * gyre_gelu(0, b[j]);
            db[j] = gyre_gelu_dx(0, b[j], d[j] * a[j]);
        }
        gpu_store<V>((T *)dx + at * V, da);
        gpu_store<V>((T *)dx + (at + vectors) * V, db);
    }
}
GPU_KERNELS(geglu_dx_kernel);

/* Vectors of y. */
static uint64_t vectors_of(const gyre_geglu_shape *s, int width) {
    return uint64_t(s->n) * uint64_t(s->h) * uint64_t(s->w) * (uint64_t(s->c) / uint64_t(width));
}

gyre_status gpu_geglu(gyre_queue *q, const gyre_geglu_shape *s, gyre_act x, gyre_act y) {
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, x, y);
    int width = gpu_vector_width(bf16, wide);
    uint64_t all = vectors_of(s, width);
    if (all == 0) return GYRE_OK;
    auto kernel = GPU_PICK(geglu_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(all), GPU_BLOCK, 0, gpu_stream(q), all, unsigned(s->c / width), x, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

gyre_status gpu_geglu_dx(gyre_queue *q, const gyre_geglu_shape *s, gyre_act x, gyre_act dy,
                         gyre_act dx) {
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, x, dy, dx);
    int width = gpu_vector_width(bf16, wide);
    uint64_t all = vectors_of(s, width);
    if (all == 0) return GYRE_OK;
    auto kernel = GPU_PICK(geglu_dx_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(all), GPU_BLOCK, 0, gpu_stream(q), all, unsigned(s->c / width), x, dy,
           dx);
    return gpu_result(q, cudaGetLastError(), __func__);
}
