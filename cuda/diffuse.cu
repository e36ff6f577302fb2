/* Adds a diffusion model's noise: gyre/diffusion.h says what is drawn. */
#include "noise.h"

/* y may be x: an element is read before it is written. */
template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    diffuse_kernel(gyre_diffusion_shape s, unsigned blocks, const uint32_t *draws,
                   const float *table, const void *x, void *y) {
    uint64_t one = s.pixels * s.c, total = uint64_t(s.n) * blocks;
    bool noised = draws[GYRE_DRAW_STRATA] != 0;
    for (uint64_t i = gpu_thread(); i < total; i += gpu_threads()) {
        unsigned block;
        uint64_t sample = gpu_divide(i, blocks, &block);
        uint32_t place = noise_place(draws, s.first, sample);
        const float *row = table + 2 * uint64_t(gyre_diffusion_time(&s, draws, place));
        gyre_diffusion_normals noise = noise_of(s, draws, place, block);
        uint64_t at = uint64_t(block) * 4;
#pragma unroll
        for (int j = 0; j < 4; j++) {
            if (at + j >= one) continue;
            float v[1];
            gpu_load<1>((const T *)x + sample * one + at + j, v);
            if (noised) v[0] = row[0] * v[0] + row[1] * noise.v[j];
            gpu_store<1>((T *)y + sample * one + at + j, v);
        }
    }
}
KERNEL(diffuse_kernel<float>);
KERNEL(diffuse_kernel<gpu_half>);

gyre_status gpu_diffuse(gyre_queue *q, const gyre_diffusion_shape *s, gyre_i32 draws,
                        gyre_f32 table, gyre_act x, gyre_act y) {
    unsigned blocks = unsigned((s->pixels * s->c + 3) / 4);
    if (s->n == 0 || blocks == 0) return GYRE_OK;
    auto kernel = gpu_bf16(q) ? &diffuse_kernel<gpu_half> : &diffuse_kernel<float>;
    LAUNCH(kernel, gpu_grid(uint64_t(s->n) * blocks), GPU_BLOCK, 0, gpu_stream(q), *s, blocks,
           (const uint32_t *)gpu_integers(draws), gpu_floats(table), x, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}
