/* 64 bits that tell one vector of numbers from another, the same from both backends: the sum of a
 * mix of each place and the bits there. As a sum it depends on no order. A vector that differs in
 * one place always has another one, others all but once in 2^64. */
#ifndef GYRE_DIGEST_H
#define GYRE_DIGEST_H

#include "gyre/realmath_f32.h"
#include <stdint.h>

/* The share of place i, which holds `bits`: splitmix64 (Steele, Lea and Flood, "Fast splittable
 * pseudorandom number generators", OOPSLA 2014), a one-to-one map of 64 bits. */
GYRE_INLINE uint64_t gyre_digest_share(uint64_t i, uint32_t bits) {
    uint64_t z = bits + (i + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

#endif
