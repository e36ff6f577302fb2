/* Draws a sample of a latent: a mean, and a deviation times a normal of gyre/diffusion.h. */
#include "act.h"
#include "noise.h"

ACT_LOOP void draw_loop(bool bf16, const gyre_diffusion_shape *s, size_t begin, size_t n,
                        const float *normal, const void *x, void *y) {
    for (size_t i = begin; i < begin + n; i++) {
        size_t mean = i / s->c * 2 * s->c + i % s->c;
        float value = act_get(bf16, x, mean) + act_get(bf16, x, mean + s->c) * normal[i - begin];
        act_put(bf16, y, i, value);
    }
}

/* Elements begin to begin + n - 1 of a sample. */
CPU_CLONES
static void mix(bool bf16, const gyre_diffusion_shape *s, size_t begin, size_t n,
                const float *normal, const void *x, void *y) {
    if (bf16)
        draw_loop(true, s, begin, n, normal, x, y);
    else
        draw_loop(false, s, begin, n, normal, x, y);
}

gyre_status cpu_latent(gyre_queue *q, const gyre_diffusion_shape *s, gyre_i32 draws, gyre_act x,
                       gyre_act y) {
    size_t one = s->pixels * s->c;
    float normal[CPU_NOISE_CHUNK];
    for (int i = 0; i < s->n; i++) {
        cpu_noised sample = cpu_noised_sample(s, draws, i);
        const void *from = cpu_act_at(q, x, 2 * (size_t)i * one);
        void *to = cpu_act_at(q, y, (size_t)i * one);
        memset(normal, 0, sizeof normal);
        for (size_t begin = 0; begin < one; begin += CPU_NOISE_CHUNK) {
            size_t n = one - begin < CPU_NOISE_CHUNK ? one - begin : CPU_NOISE_CHUNK;
            if (sample.draws[GYRE_DRAW_STRATA] != 0)
                cpu_noise_normals(&sample, GYRE_DIFFUSION_LATENT, begin, n, normal);
            mix(cpu_bf16(q), s, begin, n, normal, from, to);
        }
    }
    return GYRE_OK;
}
