/* What a diffusion model draws for a sample: its time t and its noise, one source for both
 * backends. Pure functions of a key (seed and step in training, the pass in evaluation) and of the
 * sample's place, so that every node which needs them draws them again, and ranks, shards and
 * resumes do not matter. draws: GYRE_DRAW_WORDS of gyre/ops_layers.h. */
#ifndef GYRE_DIFFUSION_H
#define GYRE_DIFFUSION_H

#include "gyre/ops.h"
#include "gyre/philox.h"

#include <math.h>

/* What a block of words is for: the last word of its counter. */
enum {
    GYRE_DIFFUSION_TIME,
    GYRE_DIFFUSION_SHUFFLE,
    GYRE_DIFFUSION_NOISE,
    GYRE_DIFFUSION_OFFSET,
    GYRE_DIFFUSION_CONDITION,
    GYRE_DIFFUSION_LATENT
};

GYRE_INLINE gyre_philox_block gyre_diffusion_words(const uint32_t *draws, uint32_t block,
                                                   uint32_t sample, uint32_t what) {
    gyre_philox_block counter = {{block, sample, 0, what}};
    return gyre_philox(counter, draws[GYRE_DRAW_NOISE_KEY], draws[GYRE_DRAW_NOISE_KEY + 1]);
}

/* Where place i of n comes in a shuffled order: a permutation of 0 to n - 1 by a Feistel network of
 * four rounds on the next power of four, repeated until the result lies below n (Black & Rogaway
 * 2002, "Ciphers with arbitrary finite domains", cycle walking). */
GYRE_INLINE uint32_t gyre_diffusion_shuffle(const uint32_t *draws, uint32_t i, uint32_t n) {
    uint32_t bits = 1;
    while (bits < 16 && (uint32_t)1 << 2 * bits < n) bits++;
    uint32_t mask = ((uint32_t)1 << bits) - 1;
    do {
        uint32_t left = i >> bits, right = i & mask;
        for (uint32_t round = 0; round < 4; round++) {
            gyre_philox_block w = gyre_diffusion_words(draws, right, round, GYRE_DIFFUSION_SHUFFLE);
            uint32_t next = left ^ (w.w[0] & mask);
            left = right;
            right = next;
        }
        i = left << bits | right;
    } while (i >= n);
    return i;
}

/* The time of the sample. */
GYRE_INLINE uint32_t gyre_diffusion_time(const gyre_diffusion_shape *s, const uint32_t *draws,
                                         uint32_t sample) {
    uint32_t stratum = draws[GYRE_DRAW_STRATUM], strata = draws[GYRE_DRAW_STRATA];
    if (strata == 0) return stratum;
    if (stratum == GYRE_DRAW_SHUFFLED) {
        stratum = s->stratified ? gyre_diffusion_shuffle(draws, sample, strata) : 0;
        strata = s->stratified ? strata : 1;
    }
    gyre_philox_block w = gyre_diffusion_words(draws, 0, sample, GYRE_DIFFUSION_TIME);
    uint64_t place = (uint64_t)stratum << 32 | w.w[0]; /* of strata * 2^32 */
    return s->from + (uint32_t)(place / strata * s->range >> 32);
}

/* Two normals of two words, by Box & Muller 1958. The first word's 0 counts as a half. */
GYRE_INLINE gyre_turn_f32 gyre_diffusion_pair(uint32_t radius, uint32_t turn) {
    float u = ((float)radius + 0.5f) * 0x1p-32f;
    float r = sqrtf(-2.0f * gyre_log_f32(u));
    gyre_turn_f32 v = gyre_turn(turn);
    v.cosine *= r;
    v.sine *= r;
    return v;
}

/* Normals 4 block to 4 block + 3 of a sample. */
typedef struct {
    float v[4];
} gyre_diffusion_normals;

GYRE_INLINE gyre_diffusion_normals gyre_diffusion_four(const uint32_t *draws, uint32_t block,
                                                       uint32_t sample, uint32_t what) {
    gyre_philox_block w = gyre_diffusion_words(draws, block, sample, what);
    gyre_turn_f32 a = gyre_diffusion_pair(w.w[0], w.w[1]), b = gyre_diffusion_pair(w.w[2], w.w[3]);
    gyre_diffusion_normals four = {{a.cosine, a.sine, b.cosine, b.sine}};
    return four;
}

/* The row of an embedding that the sample reads. */
GYRE_INLINE int32_t gyre_embedding_row(const gyre_embedding_shape *s, const uint32_t *draws,
                                       uint32_t sample, int32_t label) {
    if (s->threshold == 0) return label;
    gyre_philox_block w = gyre_diffusion_words(draws, 0, sample, GYRE_DIFFUSION_CONDITION);
    return w.w[0] < s->threshold ? s->none : label;
}

#endif
