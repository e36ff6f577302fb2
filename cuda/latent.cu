/* Draws a sample of a latent: a mean, and a deviation times a normal of gyre/diffusion.h. */
#include "noise.h"

template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    latent_kernel(gyre_diffusion_shape s, unsigned blocks, const uint32_t *draws, const void *x,
                  void *y) {
    uint64_t one = s.pixels * s.c, total = uint64_t(s.n) * blocks;
    bool drawn = draws[GYRE_DRAW_STRATA] != 0;
    for (uint64_t i = gpu_thread(); i < total; i += gpu_threads()) {
        unsigned block;
        uint64_t sample = gpu_divide(i, blocks, &block);
        uint32_t place = noise_place(draws, s.first, sample);
        gyre_diffusion_normals normal =
            gyre_diffusion_four(draws, block, place, GYRE_DIFFUSION_LATENT);
#pragma unroll
        for (int j = 0; j < 4; j++) {
            uint64_t at = uint64_t(block) * 4 + j;
            if (at >= one) continue;
            unsigned channel;
            uint64_t pixel = gpu_divide(at, unsigned(s.c), &channel);
            const T *from = (const T *)x + 2 * (sample * one + pixel * s.c) + channel;
            float mean[1], deviation[1];
            gpu_load<1>(from, mean);
            gpu_load<1>(from + s.c, deviation);
            float v[1] = {drawn ? mean[0] + deviation[0] * normal.v[j] : mean[0]};
            gpu_store<1>((T *)y + sample * one + at, v);
        }
    }
}
KERNEL(latent_kernel<float>);
KERNEL(latent_kernel<gpu_half>);

gyre_status gpu_latent(gyre_queue *q, const gyre_diffusion_shape *s, gyre_i32 draws, gyre_act x,
                       gyre_act y) {
    unsigned blocks = unsigned((s->pixels * s->c + 3) / 4);
    if (s->n == 0 || blocks == 0) return GYRE_OK;
    auto kernel = gpu_bf16(q) ? &latent_kernel<gpu_half> : &latent_kernel<float>;
    LAUNCH(kernel, gpu_grid(uint64_t(s->n) * blocks), GPU_BLOCK, 0, gpu_stream(q), *s, blocks,
           (const uint32_t *)gpu_integers(draws), x, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}
