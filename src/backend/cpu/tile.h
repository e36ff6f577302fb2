/* TILE consecutive elements as four vectors of eight, each one register of AVX2: for loops that run
 * through many sums. There the vectors of act.h's groups, twice as wide, are taken apart and put
 * together through memory by GCC 12, which made a convolution ten times as slow.
 *
 * The order of elements is that of a group: a0, a1 are its `a`, and b0, b1 its `b`. */
#ifndef GYRE_CPU_TILE_H
#define GYRE_CPU_TILE_H

#include "act.h"

enum { EIGHT = 8, TILE = 4 * EIGHT };
typedef float eight __attribute__((vector_size(EIGHT * 4)));
typedef int32_t eight_mask __attribute__((vector_size(EIGHT * 4)));
typedef uint32_t eight_bits __attribute__((vector_size(EIGHT * 4)));

typedef struct {
    eight a0, a1, b0, b1;
} tile;
_Static_assert((int)TILE == (int)GROUP && sizeof(tile) == sizeof(group),
               "a tile lies in memory as a group");

/* Elements x[i] to x[i + width - 1], width <= TILE; the others are 0. */
ACT_LOOP void tile_get(bool bf16, size_t width, const void *x, size_t i, tile *out) {
    size_t size = bf16 ? sizeof(uint16_t) : sizeof(float);
    const char *from = (const char *)x + i * size;
    char part[sizeof *out];
    if (width < TILE) {
        memset(part, 0, sizeof part);
        from = memcpy(part, from, width * size);
    }
    if (bf16) {
        eight_bits first, second;
        memcpy(&first, from, sizeof first);
        memcpy(&second, from + sizeof first, sizeof second);
        out->a0 = (eight)(first << 16);
        out->a1 = (eight)(second << 16);
        out->b0 = (eight)(first & 0xffff0000);
        out->b1 = (eight)(second & 0xffff0000);
    } else {
        memcpy(&out->a0, from, sizeof out->a0);
        memcpy(&out->a1, from + sizeof(eight), sizeof out->a1);
        memcpy(&out->b0, from + 2 * sizeof(eight), sizeof out->b0);
        memcpy(&out->b1, from + 3 * sizeof(eight), sizeof out->b1);
    }
}

/* As round_lanes of act.h, with the same condition. */
ACT_LOOP void eight_round(const eight *x, eight_bits *out) {
    eight_bits bits = (eight_bits)*x;
    *out = bits + (bits >> 16 & 1) + 0x7fff;
}

ACT_LOOP void tile_put(bool bf16, size_t width, const tile *t, void *x, size_t i) {
    size_t size = bf16 ? sizeof(uint16_t) : sizeof(float);
    char *to = (char *)x + i * size, part[sizeof *t];
    char *first = width < TILE ? part : to;
    if (bf16) {
        eight_bits even, odd, words;
        eight_round(&t->a0, &even);
        eight_round(&t->b0, &odd);
        words = even >> 16 | (odd & 0xffff0000);
        memcpy(first, &words, sizeof words);
        eight_round(&t->a1, &even);
        eight_round(&t->b1, &odd);
        words = even >> 16 | (odd & 0xffff0000);
        memcpy(first + sizeof words, &words, sizeof words);
    } else {
        memcpy(first, &t->a0, sizeof t->a0);
        memcpy(first + sizeof(eight), &t->a1, sizeof t->a1);
        memcpy(first + 2 * sizeof(eight), &t->b0, sizeof t->b0);
        memcpy(first + 3 * sizeof(eight), &t->b1, sizeof t->b1);
    }
    /* cppcheck-suppress uninitvar ; written through `first` */
    if (width < TILE) memcpy(to, part, width * size);
}

/* sum += x * y, elementwise */
ACT_LOOP void tile_add_product(const tile *x, const tile *y, tile *sum) {
    sum->a0 += x->a0 * y->a0;
    sum->a1 += x->a1 * y->a1;
    sum->b0 += x->b0 * y->b0;
    sum->b1 += x->b1 * y->b1;
}

ACT_LOOP void tile_add(const tile *x, tile *sum) {
    sum->a0 += x->a0;
    sum->a1 += x->a1;
    sum->b0 += x->b0;
    sum->b1 += x->b1;
}

/* 0 where x < 0; NaN stays NaN. */
ACT_LOOP void tile_rectify(tile *x) {
    const eight zero = {0};
    x->a0 = (eight)((eight_mask)x->a0 & ~(x->a0 < zero));
    x->a1 = (eight)((eight_mask)x->a1 & ~(x->a1 < zero));
    x->b0 = (eight)((eight_mask)x->b0 & ~(x->b0 < zero));
    x->b1 = (eight)((eight_mask)x->b1 & ~(x->b1 < zero));
}

#endif
