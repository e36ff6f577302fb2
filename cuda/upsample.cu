/* Nearest-neighbour upsampling by a whole factor. */
#include "element.h"
#include "operation.h"

/* Pixels in vectors. */
struct upsample_vectors {
    uint64_t total; /* of what is written */
    unsigned w, vectors, factor;
};

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    upsample_kernel(upsample_vectors s, const void *x, void *y) {
    for (uint64_t i = gpu_thread(); i < s.total; i += gpu_threads()) {
        unsigned vector, column, rest;
        uint64_t line = gpu_divide(gpu_divide(i, s.vectors, &vector), s.w * s.factor, &column);
        uint64_t pixel = gpu_divide(line, s.factor, &rest) * s.w + column / s.factor;
        float v[V];
        gpu_load<V>((const T *)x + (pixel * s.vectors + vector) * V, v);
        gpu_store_exact<V>((T *)y + i * V, v);
    }
}
GPU_KERNELS(upsample_kernel);

/* The sum of a pixel's copies, in f32, line by line. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    upsample_dx_kernel(upsample_vectors s, const void *dy, void *dx) {
    for (uint64_t i = gpu_thread(); i < s.total; i += gpu_threads()) {
        unsigned vector, column;
        uint64_t row = gpu_divide(gpu_divide(i, s.vectors, &vector), s.w, &column);
        float sum[V] = {};
        for (unsigned k = 0; k < s.factor; k++) {
            uint64_t from = ((row * s.factor + k) * s.w + column) * s.factor;
            for (unsigned l = 0; l < s.factor; l++) {
                float d[V];
                gpu_load<V>((const T *)dy + ((from + l) * s.vectors + vector) * V, d);
#pragma unroll
                for (int j = 0; j < V; j++) sum[j] += d[j];
            }
        }
        gpu_store<V>((T *)dx + i * V, sum);
    }
}
GPU_KERNELS(upsample_dx_kernel);

static upsample_vectors vectors_of(const gyre_upsample_shape *s, int width, int times) {
    upsample_vectors u = {};
    u.w = unsigned(s->w);
    u.vectors = unsigned(s->c / width);
    u.factor = unsigned(s->factor);
    u.total = uint64_t(s->n) * uint64_t(s->h) * u.w * u.vectors * uint64_t(times);
    return u;
}

gyre_status gpu_upsample(gyre_queue *q, const gyre_upsample_shape *s, gyre_act x, gyre_act y) {
    bool bf16 = gpu_bf16(q),
         wide = s->c % gpu_vector_width(bf16, true) == 0 && gpu_common_shift(x, y) == 0;
    upsample_vectors u = vectors_of(s, gpu_vector_width(bf16, wide), s->factor * s->factor);
    if (u.total == 0) return GYRE_OK;
    auto kernel = GPU_PICK(upsample_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(u.total), GPU_BLOCK, 0, gpu_stream(q), u, x, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

gyre_status gpu_upsample_dx(gyre_queue *q, const gyre_upsample_shape *s, gyre_act dy, gyre_act dx) {
    bool bf16 = gpu_bf16(q),
         wide = s->c % gpu_vector_width(bf16, true) == 0 && gpu_common_shift(dy, dx) == 0;
    upsample_vectors u = vectors_of(s, gpu_vector_width(bf16, wide), 1);
    if (u.total == 0) return GYRE_OK;
    auto kernel = GPU_PICK(upsample_dx_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(u.total), GPU_BLOCK, 0, gpu_stream(q), u, dy, dx);
    return gpu_result(q, cudaGetLastError(), __func__);
}
