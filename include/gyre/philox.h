/* Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11) as inline code
 * for loops and kernels that draw a number for each element: the same words as gyre/random.h has
 * from Random123. In C++ it is for CUDA: cuda/port.h comes before. */
#ifndef GYRE_PHILOX_H
#define GYRE_PHILOX_H

#include "gyre/realmath_f32.h"

typedef struct {
    uint32_t w[4];
} gyre_philox_block;

GYRE_INLINE gyre_philox_block gyre_philox(gyre_philox_block counter, uint32_t key0, uint32_t key1) {
    uint32_t a = counter.w[0], b = counter.w[1], c = counter.w[2], d = counter.w[3];
    for (int round = 0; round < 10; round++) {
        uint64_t first = (uint64_t)a * 0xD2511F53u, second = (uint64_t)c * 0xCD9E8D57u;
        a = (uint32_t)(second >> 32) ^ b ^ key0;
        b = (uint32_t)second;
        c = (uint32_t)(first >> 32) ^ d ^ key1;
        d = (uint32_t)first;
        key0 += 0x9E3779B9u; /* the golden ratio, and sqrt(3) - 1 */
        key1 += 0xBB67AE85u;
    }
    gyre_philox_block block = {{a, b, c, d}};
    return block;
}

#endif
