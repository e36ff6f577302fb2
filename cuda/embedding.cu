/* Rows of a table by the samples' labels, and the table's gradient: a thread takes an element of
 * the table and goes through the samples in their order. */
#include "noise.h"

template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    embedding_kernel(gyre_embedding_shape s, const uint32_t *draws, const int32_t *labels,
                     const float *w, void *y) {
    for (uint64_t i = gpu_thread(); i < uint64_t(s.n) * unsigned(s.c); i += gpu_threads()) {
        unsigned channel;
        uint64_t sample = gpu_divide(i, unsigned(s.c), &channel);
        uint32_t place = noise_place(draws, s.first, sample);
        int64_t row = gyre_embedding_row(&s, draws, place, labels[sample]);
        float v[1] = {w[row * s.c + channel]};
        gpu_store<1>((T *)y + i, v);
    }
}
KERNEL(embedding_kernel<float>);
KERNEL(embedding_kernel<gpu_half>);

template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    embedding_dw_kernel(gyre_embedding_shape s, const uint32_t *draws, const int32_t *labels,
                        const void *dy, float *dw) {
    for (uint64_t i = gpu_thread(); i < uint64_t(s.rows) * unsigned(s.c); i += gpu_threads()) {
        unsigned channel;
        uint64_t row = gpu_divide(i, unsigned(s.c), &channel);
        float sum = 0;
        for (int k = 0; k < s.n; k++) {
            uint32_t place = noise_place(draws, s.first, uint64_t(k));
            if (uint64_t(gyre_embedding_row(&s, draws, place, labels[k])) != row) continue;
            float v[1];
            gpu_load<1>((const T *)dy + int64_t(k) * s.c + channel, v);
            sum += v[0];
        }
        dw[i] = sum;
    }
}
KERNEL(embedding_dw_kernel<float>);
KERNEL(embedding_dw_kernel<gpu_half>);

gyre_status gpu_embedding(gyre_queue *q, const gyre_embedding_shape *s, gyre_i32 draws,
                          gyre_i32 labels, gyre_f32 w, gyre_act y) {
    uint64_t total = uint64_t(s->n) * unsigned(s->c);
    if (total == 0) return GYRE_OK;
    auto kernel = gpu_bf16(q) ? &embedding_kernel<gpu_half> : &embedding_kernel<float>;
    LAUNCH(kernel, gpu_grid(total), GPU_BLOCK, 0, gpu_stream(q), *s,
           (const uint32_t *)gpu_integers(draws), gpu_integers(labels), gpu_floats(w), y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

gyre_status gpu_embedding_dw(gyre_queue *q, const gyre_embedding_shape *s, gyre_i32 draws,
                             gyre_i32 labels, gyre_act dy, gyre_f32 dw) {
    uint64_t total = uint64_t(s->rows) * unsigned(s->c);
    if (total == 0) return GYRE_OK;
    auto kernel = gpu_bf16(q) ? &embedding_dw_kernel<gpu_half> : &embedding_dw_kernel<float>;
    LAUNCH(kernel, gpu_grid(total), GPU_BLOCK, 0, gpu_stream(q), *s,
           (const uint32_t *)gpu_integers(draws), gpu_integers(labels), dy, gpu_floats(dw));
    return gpu_result(q, cudaGetLastError(), __func__);
}
