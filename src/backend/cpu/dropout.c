/* Dropout: gyre/dropout.h says what is drawn. */
#include "gyre/dropout.h"

#include "act.h"
#include "cpu.h"

enum { CHUNK = 256 }; /* elements whose words are drawn at a time: whole blocks */

/* The factors of elements begin to begin + n - 1 of a sample (n <= CHUNK, begin in whole blocks).
 */
CPU_CLONES
static void draw(const gyre_dropout_shape *s, const uint32_t *draws, uint32_t sample, size_t begin,
                 size_t n, float *factor) {
    uint32_t key0 = draws[GYRE_DRAW_KEY], key1 = draws[GYRE_DRAW_KEY + 1];
    uint32_t first = (uint32_t)(begin / 4), blocks = (uint32_t)((n + 3) / 4);
    for (uint32_t i = 0; i < blocks; i++) {
        gyre_philox_block words = gyre_dropout_words(s, key0, key1, sample, first + i);
        for (int j = 0; j < 4; j++)
            factor[4 * i + (uint32_t)j] = gyre_dropout_factor(s, words.w[j]);
    }
}

/* y may be x. */
ACT_LOOP void multiply_loop(bool bf16, size_t begin, size_t n, const float *factor, const void *x,
                            void *y) {
    CPU_SAME_INDEX
    for (size_t i = 0; i < n; i++) {
        act_put(bf16, y, begin + i, act_get(bf16, x, begin + i) * factor[i]);
    }
}

CPU_CLONES
static void multiply(bool bf16, size_t begin, size_t n, const float *factor, const void *x,
                     void *y) {
    if (bf16)
        multiply_loop(true, begin, n, factor, x, y);
    else
        multiply_loop(false, begin, n, factor, x, y);
}

ACT_LOOP void same_loop(bool bf16, size_t begin, size_t n, float factor, const void *x, void *y) {
    CPU_SAME_INDEX
    for (size_t i = begin; i < begin + n; i++) act_put(bf16, y, i, act_get(bf16, x, i) * factor);
}

CPU_CLONES
static void multiply_all(bool bf16, size_t begin, size_t n, float factor, const void *x, void *y) {
    if (bf16)
        same_loop(true, begin, n, factor, x, y);
    else
        same_loop(false, begin, n, factor, x, y);
}

gyre_status cpu_dropout(gyre_queue *q, const gyre_dropout_shape *s, gyre_i32 draws, gyre_act x,
                        gyre_act y) {
    const uint32_t *words = (const uint32_t *)(const void *)cpu_i32(draws);
    size_t one = s->pixels * s->c;
    float factor[CHUNK] = {0};
    for (size_t i = 0; i < (size_t)s->n; i++) {
        uint32_t sample = words[GYRE_DRAW_FIRST] + s->first + (uint32_t)i;
        if (s->unit == GYRE_DROP_SAMPLES) {
            draw(s, words, sample, 0, 1, factor);
            multiply_all(cpu_bf16(q), i * one, one, factor[0], x, y);
            continue;
        }
        size_t width = s->unit == GYRE_DROP_CHANNELS ? s->c : one;
        for (size_t begin = 0; begin < width; begin += CHUNK) {
            size_t n = width - begin < CHUNK ? width - begin : CHUNK;
            draw(s, words, sample, begin, n, factor);
            for (size_t at = begin; at < one; at += width) {
                multiply(cpu_bf16(q), i * one + at, n, factor, x, y);
            }
        }
    }
    return GYRE_OK;
}
