/* What dropout draws: one source for both backends. A number is kept or dropped by its own word of
 * 32 bits, a pure function of the step's key (seed and step), the place of the sample in the global
 * batch, the node's name and the place in the sample: so ranks, shards and resumes do not matter,
 * and backward draws again what forward drew. */
#ifndef GYRE_DROPOUT_H
#define GYRE_DROPOUT_H

#include "gyre/ops.h"
#include "gyre/philox.h"

/* Words 4 block to 4 block + 3 of a sample; key: GYRE_DRAW_WORDS of gyre/ops_layers.h. */
GYRE_INLINE gyre_philox_block gyre_dropout_words(const gyre_dropout_shape *s, uint32_t key0,
                                                 uint32_t key1, uint32_t sample, uint32_t block) {
    gyre_philox_block counter = {{block, sample, s->name[0], s->name[1]}};
    return gyre_philox(counter, key0, key1);
}

/* What a number is multiplied by. */
GYRE_INLINE float gyre_dropout_factor(const gyre_dropout_shape *s, uint32_t word) {
    return gyre_choose_f32(word < s->threshold, 0.0f, s->factor);
}

#endif
