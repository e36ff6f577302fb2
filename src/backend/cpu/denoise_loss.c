/* The loss of a network that tells a diffusion model's noise: gyre/diffusion.h says what is drawn.
 */
#include "act.h"
#include "noise.h"

/* The sum of (x - target)^2 over n elements; `slope` times x - target goes to dx, if it is there.
 */
ACT_LOOP double chunk_loop(bool bf16, size_t n, const float *row, float slope, const float *noise,
                           const void *x, const void *x0, void *dx) {
    float d[CPU_NOISE_CHUNK];
    double sum = 0;
    for (size_t i = 0; i < n; i++) {
        float target =
            row[GYRE_DENOISE_NOISE] * noise[i] + row[GYRE_DENOISE_SAMPLE] * act_get(bf16, x0, i);
        d[i] = act_get(bf16, x, i) - target;
    }
    for (size_t i = 0; i < n; i++) sum += (double)d[i] * (double)d[i];
    for (size_t i = 0; dx != NULL && i < n; i++) act_put(bf16, dx, i, slope * d[i]);
    return sum;
}

CPU_CLONES
static double chunk(bool bf16, size_t n, const float *row, float slope, const float *noise,
                    const void *x, const void *x0, void *dx) {
    return bf16 ? chunk_loop(true, n, row, slope, noise, x, x0, dx)
                : chunk_loop(false, n, row, slope, noise, x, x0, dx);
}

gyre_status cpu_denoise_loss(gyre_queue *q, const gyre_denoise_loss_shape *s, gyre_i32 draws,
                             gyre_f32 table, gyre_act x, gyre_act x0, gyre_act dx, gyre_f32 stats,
                             gyre_f32 bands) {
    size_t one = s->noise.pixels * s->noise.c;
    double loss = 0, plain = 0, band[2 * GYRE_DENOISE_BANDS] = {0};
    float noise[CPU_NOISE_CHUNK];
    for (int i = 0; i < s->noise.n; i++) {
        cpu_noised sample = cpu_noised_sample(&s->noise, draws, i);
        const float *row = cpu_f32(table) + (size_t)sample.time * GYRE_DENOISE_ROW;
        double weight = (double)row[GYRE_DENOISE_WEIGHT], sum = 0;
        float slope = (float)(2 * weight * (double)s->scale / (double)one);
        for (size_t begin = 0; begin < one; begin += CPU_NOISE_CHUNK) {
            size_t n = one - begin < CPU_NOISE_CHUNK ? one - begin : CPU_NOISE_CHUNK;
            size_t at = (size_t)i * one + begin;
            cpu_noise(&sample, begin, n, noise);
            sum += chunk(cpu_bf16(q), n, row, slope, noise, cpu_act_at(q, x, at),
                         cpu_act_at(q, x0, at), dx == NULL ? NULL : cpu_act_at(q, dx, at));
        }
        sum /= (double)one;
        plain += sum;
        loss += weight * sum;
        uint32_t b = sample.time * GYRE_DENOISE_BANDS / s->steps;
        band[b] += sum;
        band[GYRE_DENOISE_BANDS + b] += 1;
    }
    cpu_f32(stats)[0] = (float)((double)s->scale * loss);
    cpu_f32(stats)[1] = (float)plain;
    for (int b = 0; bands != NULL && b < 2 * GYRE_DENOISE_BANDS; b++) {
        cpu_f32(bands)[b] = (float)band[b];
    }
    return GYRE_OK;
}
