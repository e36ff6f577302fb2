/* Rows of a table by the samples' times: gyre/diffusion.h says what is drawn. */
#include "noise.h"

template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    time_rows_kernel(gyre_diffusion_shape s, const uint32_t *draws, const float *table, void *y) {
    for (uint64_t i = gpu_thread(); i < uint64_t(s.n) * s.c; i += gpu_threads()) {
        unsigned channel;
        uint64_t sample = gpu_divide(i, unsigned(s.c), &channel);
        uint32_t place = noise_place(draws, s.first, sample);
        float v[1] = {table[uint64_t(gyre_diffusion_time(&s, draws, place)) * s.c + channel]};
        gpu_store<1>((T *)y + i, v);
    }
}
KERNEL(time_rows_kernel<float>);
KERNEL(time_rows_kernel<gpu_half>);

gyre_status gpu_time_rows(gyre_queue *q, const gyre_diffusion_shape *s, gyre_i32 draws,
                          gyre_f32 table, gyre_act y) {
    uint64_t total = uint64_t(s->n) * s->c;
    if (total == 0) return GYRE_OK;
    auto kernel = gpu_bf16(q) ? &time_rows_kernel<gpu_half> : &time_rows_kernel<float>;
    LAUNCH(kernel, gpu_grid(total), GPU_BLOCK, 0, gpu_stream(q), *s,
           (const uint32_t *)gpu_integers(draws), gpu_floats(table), y);
    return gpu_result(q, cudaGetLastError(), __func__);
}
