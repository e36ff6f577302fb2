/* The loss of a network that tells a diffusion model's noise: gyre/diffusion.h says what is drawn.
 * A block takes a sample and adds up its squares in pairs; one warp adds up the samples. */
#include "noise.h"
#include "sums.h"

/* work(n): the plain losses of the samples. */
template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    denoise_loss_kernel(gyre_denoise_loss_shape s, const uint32_t *draws, const float *table,
                        const void *x, const void *x0, void *dx, float *work) {
    SHARED(gpu_two, shared, [GPU_BLOCK / 32]);
    uint64_t one = s.noise.pixels * s.noise.c, first = blockIdx.x * one;
    uint32_t place = noise_place(draws, s.noise.first, blockIdx.x);
    const float *row =
        table + uint64_t(gyre_diffusion_time(&s.noise, draws, place)) * GYRE_DENOISE_ROW;
    float slope = 2.0f * row[GYRE_DENOISE_WEIGHT] * s.scale / float(one);
    gpu_two sum = {0, 0};
    for (uint64_t block = threadIdx.x; block * 4 < one; block += GPU_BLOCK) {
        gyre_diffusion_normals noise = noise_of(s.noise, draws, place, uint32_t(block));
#pragma unroll
        for (int j = 0; j < 4; j++) {
            uint64_t at = block * 4 + j;
            if (at >= one) continue;
            float v[1], clean[1];
            gpu_load<1>((const T *)x + first + at, v);
            gpu_load<1>((const T *)x0 + first + at, clean);
            float target =
                row[GYRE_DENOISE_NOISE] * noise.v[j] + row[GYRE_DENOISE_SAMPLE] * clean[0];
            float d = v[0] - target;
            sum = gpu_plus(sum, gpu_two_product(d, d));
            float out[1] = {slope * d};
            if (dx != nullptr) gpu_store<1>((T *)dx + first + at, out);
        }
    }
    sum = gpu_block_sum(sum, shared);
    if (threadIdx.x == 0) work[blockIdx.x] = gpu_value(sum) / float(one);
}
KERNEL(denoise_loss_kernel<float>);
KERNEL(denoise_loss_kernel<gpu_half>);

/* One warp; lane b has the samples of band b, and lane 31 all of them, in their order. */
__global__ void __launch_bounds__(32)
    denoise_total_kernel(gyre_denoise_loss_shape s, const uint32_t *draws, const float *table,
                         const float *work, float *stats, float *bands) {
    constexpr int LAST = 31;
    int lane = int(threadIdx.x);
    gpu_two loss = {0, 0}, plain = {0, 0};
    int count = 0;
    for (int i = 0; i < s.noise.n; i++) {
        uint32_t place = noise_place(draws, s.noise.first, uint64_t(i));
        uint32_t time = gyre_diffusion_time(&s.noise, draws, place);
        int band = int(time * GYRE_DENOISE_BANDS / s.steps);
        if (lane != LAST && lane != band) continue;
        float weight = table[uint64_t(time) * GYRE_DENOISE_ROW + GYRE_DENOISE_WEIGHT];
        plain = gpu_plus(plain, work[i]);
        loss = gpu_plus(loss, gpu_two_product(weight, work[i]));
        count++;
    }
    if (lane == LAST) {
        stats[0] = s.scale * gpu_value(loss);
        stats[1] = gpu_value(plain);
    } else if (bands != nullptr && lane < GYRE_DENOISE_BANDS) {
        bands[lane] = gpu_value(plain);
        bands[GYRE_DENOISE_BANDS + lane] = float(count);
    }
}
KERNEL(denoise_total_kernel);

gyre_status gpu_denoise_loss(gyre_queue *q, const gyre_denoise_loss_shape *s, gyre_i32 draws,
                             gyre_f32 table, gyre_act x, gyre_act x0, gyre_act dx, gyre_f32 stats,
                             gyre_f32 bands) {
    void *work;
    const uint32_t *words = (const uint32_t *)gpu_integers(draws);
    GYRE_TRY(gpu_work(q, size_t(s->noise.n) * sizeof(float), &work));
    if (s->noise.n > 0) {
        auto kernel = gpu_bf16(q) ? &denoise_loss_kernel<gpu_half> : &denoise_loss_kernel<float>;
        LAUNCH(kernel, unsigned(s->noise.n), GPU_BLOCK, 0, gpu_stream(q), *s, words,
               gpu_floats(table), x, x0, dx, (float *)work);
    }
    LAUNCH(denoise_total_kernel, 1, 32, 0, gpu_stream(q), *s, words, gpu_floats(table),
           (const float *)work, gpu_floats(stats), gpu_floats(bands));
    return gpu_result(q, cudaGetLastError(), __func__);
}
