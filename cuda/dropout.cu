/* Dropout: gyre/dropout.h says what is drawn. A thread draws for the elements of its vector; a
 * vector of 4 or 8 that begins at a multiple of them takes whole blocks of words. */
#include "element.h"
#include "gyre/dropout.h"
#include "operation.h"

/* Vectors of a pixel; all of them. */
struct dropout_vectors {
    uint64_t total;
    unsigned vectors, pixels;
};

template <int V>
__device__ __forceinline__ void factors_of(const gyre_dropout_shape &s, const uint32_t *draws,
                                           uint32_t sample, uint64_t element, float (&factor)[V]) {
    uint32_t key0 = draws[GYRE_DRAW_KEY], key1 = draws[GYRE_DRAW_KEY + 1];
    uint32_t block = uint32_t(element / 4);
    if constexpr (V == 1) {
        gyre_philox_block words = gyre_dropout_words(&s, key0, key1, sample, block);
        unsigned place = unsigned(element % 4);
        uint32_t low = place & 1 ? words.w[1] : words.w[0];
        uint32_t high = place & 1 ? words.w[3] : words.w[2];
        factor[0] = gyre_dropout_factor(&s, place & 2 ? high : low);
    } else {
#pragma unroll
        for (int i = 0; i < V; i += 4) {
            gyre_philox_block words =
                gyre_dropout_words(&s, key0, key1, sample, block + uint32_t(i / 4));
#pragma unroll
            for (int j = 0; j < 4; j++) factor[i + j] = gyre_dropout_factor(&s, words.w[j]);
        }
    }
}

/* y may be x: a vector is read before it is written. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    dropout_kernel(gyre_dropout_shape s, dropout_vectors u, const uint32_t *draws, const void *x,
                   void *y) {
    uint32_t first = draws[GYRE_DRAW_FIRST] + s.first;
    for (uint64_t i = gpu_thread(); i < u.total; i += gpu_threads()) {
        unsigned vector, pixel;
        uint64_t image = gpu_divide(gpu_divide(i, u.vectors, &vector), u.pixels, &pixel);
        uint32_t sample = first + uint32_t(image);
        uint64_t channel = uint64_t(vector) * V;
        float v[V], factor[V];
        gpu_load<V>((const T *)x + i * V, v);
        if (s.unit == GYRE_DROP_SAMPLES) {
            float one[1];
            factors_of<1>(s, draws, sample, 0, one);
#pragma unroll
            for (int j = 0; j < V; j++) factor[j] = one[0];
        } else {
            uint64_t before = s.unit == GYRE_DROP_ELEMENTS ? uint64_t(pixel) * s.c : 0;
            factors_of<V>(s, draws, sample, before + channel, factor);
        }
#pragma unroll
        for (int j = 0; j < V; j++) v[j] *= factor[j];
        gpu_store<V>((T *)y + i * V, v);
    }
}
GPU_KERNELS(dropout_kernel);

gyre_status gpu_dropout(gyre_queue *q, const gyre_dropout_shape *s, gyre_i32 draws, gyre_act x,
                        gyre_act y) {
    bool bf16 = gpu_bf16(q);
    bool wide = s->c % size_t(gpu_vector_width(bf16, true)) == 0 && gpu_common_shift(x, y) == 0;
    dropout_vectors u = {};
    u.vectors = unsigned(s->c) / unsigned(gpu_vector_width(bf16, wide));
    u.pixels = unsigned(s->pixels);
    u.total = uint64_t(s->n) * u.pixels * u.vectors;
    if (u.total == 0) return GYRE_OK;
    auto kernel = GPU_PICK(dropout_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(u.total), GPU_BLOCK, 0, gpu_stream(q), *s, u,
           (const uint32_t *)gpu_integers(draws), x, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}
