/* The noise of a diffusion model on the CPU: what adds it, and what compares with it. */
#ifndef GYRE_CPU_NOISE_H
#define GYRE_CPU_NOISE_H

#include "cpu.h"
#include "gyre/diffusion.h"

enum { CPU_NOISE_CHUNK = 256 }; /* elements whose noise is drawn at a time: whole blocks */

/* One sample of a batch: its place and its time; 0 where no noise is added (GYRE_DRAW_STRATA). */
typedef struct {
    const gyre_diffusion_shape *shape;
    const uint32_t *draws;
    uint32_t place, time;
} cpu_noised;
cpu_noised cpu_noised_sample(const gyre_diffusion_shape *s, gyre_i32 draws, int i);

/* Elements begin to begin + n - 1 of the sample's noise; n <= CPU_NOISE_CHUNK, begin in whole
 * chunks. */
void cpu_noise(const cpu_noised *sample, size_t begin, size_t n, float *noise);
/* Likewise of the sample's normals that are for GYRE_DIFFUSION_`what` alone. */
void cpu_noise_normals(const cpu_noised *sample, uint32_t what, size_t begin, size_t n,
                       float *normals);

#endif
