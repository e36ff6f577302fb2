/* Adds a diffusion model's noise: gyre/diffusion.h says what is drawn. */
#include "act.h"
#include "noise.h"

cpu_noised cpu_noised_sample(const gyre_diffusion_shape *s, gyre_i32 draws, int i) {
    const uint32_t *words = (const uint32_t *)(const void *)cpu_i32(draws);
    uint32_t place = words[GYRE_DRAW_FIRST] + s->first + (uint32_t)i;
    return (cpu_noised){s, words, place, gyre_diffusion_time(s, words, place)};
}

CPU_CLONES
static void draw(const uint32_t *draws, uint32_t sample, uint32_t what, uint32_t block,
                 uint32_t blocks, float *noise) {
    const uint32_t words[GYRE_DRAW_WORDS] = {[GYRE_DRAW_NOISE_KEY] = draws[GYRE_DRAW_NOISE_KEY],
                                             draws[GYRE_DRAW_NOISE_KEY + 1]};
    for (uint32_t i = 0; i < blocks; i++) {
        gyre_diffusion_normals four = gyre_diffusion_four(words, block + i, sample, what);
        for (int j = 0; j < 4; j++) noise[4 * i + (uint32_t)j] = four.v[j];
    }
}

/* One normal for each channel. */
static void add_offset(const cpu_noised *s, size_t begin, size_t n, float *noise) {
    for (size_t i = 0; i < n; i++) {
        uint32_t channel = (uint32_t)((begin + i) % s->shape->c);
        gyre_diffusion_normals four =
            gyre_diffusion_four(s->draws, channel / 4, s->place, GYRE_DIFFUSION_OFFSET);
        noise[i] += s->shape->offset * four.v[channel % 4];
    }
}

void cpu_noise_normals(const cpu_noised *sample, uint32_t what, size_t begin, size_t n,
                       float *normals) {
    float whole[CPU_NOISE_CHUNK];
    draw(sample->draws, sample->place, what, (uint32_t)(begin / 4), (uint32_t)((n + 3) / 4), whole);
    memcpy(normals, whole, n * sizeof *normals);
}

void cpu_noise(const cpu_noised *sample, size_t begin, size_t n, float *noise) {
    cpu_noise_normals(sample, GYRE_DIFFUSION_NOISE, begin, n, noise);
    if (sample->shape->offset != 0) add_offset(sample, begin, n, noise);
}

/* y may be x. */
ACT_LOOP void mix_loop(bool bf16, size_t begin, size_t n, float a, float s, const float *noise,
                       const void *x, void *y) {
    CPU_SAME_INDEX
    for (size_t i = 0; i < n; i++) {
        act_put(bf16, y, begin + i, a * act_get(bf16, x, begin + i) + s * noise[i]);
    }
}

CPU_CLONES
static void mix(bool bf16, size_t begin, size_t n, float a, float s, const float *noise,
                const void *x, void *y) {
    if (bf16)
        mix_loop(true, begin, n, a, s, noise, x, y);
    else
        mix_loop(false, begin, n, a, s, noise, x, y);
}

gyre_status cpu_diffuse(gyre_queue *q, const gyre_diffusion_shape *s, gyre_i32 draws,
                        gyre_f32 table, gyre_act x, gyre_act y) {
    size_t one = s->pixels * s->c;
    float noise[CPU_NOISE_CHUNK];
    for (int i = 0; i < s->n; i++) {
        cpu_noised sample = cpu_noised_sample(s, draws, i);
        const float *row = cpu_f32(table) + 2 * (size_t)sample.time;
        size_t first = (size_t)i * one;
        if (sample.draws[GYRE_DRAW_STRATA] == 0) {
            memmove(cpu_act_at(q, y, first), cpu_act_at(q, x, first), one * q->backend->act_size);
            continue;
        }
        for (size_t begin = 0; begin < one; begin += CPU_NOISE_CHUNK) {
            size_t n = one - begin < CPU_NOISE_CHUNK ? one - begin : CPU_NOISE_CHUNK;
            cpu_noise(&sample, begin, n, noise);
            mix(cpu_bf16(q), first + begin, n, row[0], row[1], noise, x, y);
        }
    }
    return GYRE_OK;
}
