/* The values of a part of an image that is erased or mixed, one source for both backends. In C++ it is for CUDA:
 * cuda/port.h comes before. */
#ifndef GYRE_ERASE_H
#define GYRE_ERASE_H

#include "gyre/batch.h"
#include "gyre/diffusion.h"

/* Is pixel (y, x) in it? */
GYRE_INLINE bool gyre_erase_covers(const gyre_erase *e, int y, int x) {
    return y >= e->y && y < e->y + e->h && x >= e->x && x < e->x + e->w;
}

/* The value at place `at` of its image (h, w, c): a normal number by the key and the place. */
GYRE_INLINE float gyre_erase_value(const gyre_erase *e, uint64_t at) {
    if (!e->noise) return 0;
    gyre_philox_block counter = {{(uint32_t)(at >> 2), (uint32_t)(at >> 34), 0, 0}};
    gyre_philox_block w = gyre_philox(counter, e->key[0], e->key[1]);
    gyre_turn_f32 normals =
        at & 2 ? gyre_diffusion_pair(w.w[2], w.w[3]) : gyre_diffusion_pair(w.w[0], w.w[1]);
    return at & 1 ? normals.sine : normals.cosine;
}

/* Is pixel (y, x) in the part that is mixed, and what becomes of a value there? */
GYRE_INLINE bool gyre_mix_covers(const gyre_mix *m, int y, int x) {
    return y >= m->y && y < m->y + m->h && x >= m->x && x < m->x + m->w;
}

GYRE_INLINE float gyre_mix_value(const gyre_mix *m, float own, float other) {
    return m->values == 0 ? other : m->values * own + (1 - m->values) * other;
}

#endif
