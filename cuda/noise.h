/* The noise of a diffusion model on the GPU: what adds it, and what compares with it. A thread
 * takes a block of four elements of a sample, for which the words are drawn at once. */
#ifndef GYRE_CUDA_NOISE_H
#define GYRE_CUDA_NOISE_H

#include "element.h"
#include "gyre/diffusion.h"
#include "operation.h"

/* The place of sample i of the batch. */
__device__ __forceinline__ uint32_t noise_place(const uint32_t *draws, uint32_t first, uint64_t i) {
    return draws[GYRE_DRAW_FIRST] + first + uint32_t(i);
}

/* The normals of elements 4 block to 4 block + 3. */
__device__ __forceinline__ gyre_diffusion_normals noise_of(const gyre_diffusion_shape &s,
                                                           const uint32_t *draws, uint32_t place,
                                                           uint32_t block) {
    gyre_diffusion_normals noise = gyre_diffusion_four(draws, block, place, GYRE_DIFFUSION_NOISE);
    if (s.offset == 0.0f) return noise;
    for (uint32_t j = 0; j < 4; j++) {
        uint32_t channel = uint32_t((uint64_t(block) * 4 + j) % s.c);
        gyre_diffusion_normals four =
            gyre_diffusion_four(draws, channel / 4, place, GYRE_DIFFUSION_OFFSET);
        float low = channel & 1 ? four.v[1] : four.v[0], high = channel & 1 ? four.v[3] : four.v[2];
        noise.v[j] += s.offset * (channel & 2 ? high : low);
    }
    return noise;
}

#endif
