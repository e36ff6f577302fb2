/* The order of an epoch's samples: keyed permutations of 0..n-1. Internal to src/data. */
#ifndef GYRE_DATA_PERMUTATION_H
#define GYRE_DATA_PERMUTATION_H

#include <stdint.h>

enum { DATA_SHUFFLE_MAX = 1 << 24 }; /* samples whose permutation is cached: 64 MiB */

/* Every one of the n! orders is equally likely (Fisher and Yates; unbiased draws). */
void data_shuffle(uint32_t *out, uint32_t n, uint64_t seed, int64_t epoch);

/* A permutation that is computed place by place: a Feistel network on the next power of two, walked
 * until it falls below n (Black and Rogaway, "Ciphers with arbitrary finite domains", CT-RSA 2002).
 * For large n only; small ones need more rounds to be uniform. */
enum { DATA_FEISTEL_ROUNDS = 8 };
typedef struct {
    uint64_t n;
    int low, high; /* bits of the two halves */
    uint64_t keys[DATA_FEISTEL_ROUNDS];
} data_feistel;

data_feistel data_feistel_make(uint64_t n, uint64_t seed, int64_t epoch);
uint64_t data_feistel_at(const data_feistel *f, uint64_t place);

#endif
