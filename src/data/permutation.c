/* Keyed permutations: shuffled tables for small n, a Feistel network beyond. */
#include "permutation.h"

#include "gyre/random.h"

void data_shuffle(uint32_t *out, uint32_t n, uint64_t seed, int64_t epoch) {
    gyre_random r = gyre_random_open(seed, GYRE_RANDOM_ORDER, (uint64_t)epoch, 0);
    for (uint32_t i = 0; i < n; i++) out[i] = i;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t other = gyre_random_below(&r, i), kept = out[i - 1];
        out[i - 1] = out[other];
        out[other] = kept;
    }
}

data_feistel data_feistel_make(uint64_t n, uint64_t seed, int64_t epoch) {
    data_feistel f = {.n = n};
    int bits = 2;
    while (bits < 63 && (uint64_t)1 << bits < n) bits++;
    f.low = bits / 2;
    f.high = bits - f.low;
    gyre_random r = gyre_random_open(seed, GYRE_RANDOM_ORDER, (uint64_t)epoch, 1);
    for (int i = 0; i < DATA_FEISTEL_ROUNDS; i++) f.keys[i] = gyre_random_u64(&r);
    return f;
}

/* The finisher of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014); its best bits are the upper. */
static uint64_t scramble(uint64_t half, uint64_t key, int bits) {
    uint64_t x = (half + 1) * 0x9e3779b97f4a7c15u ^ key;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    x ^= x >> 31;
    return x >> (64 - bits);
}

uint64_t data_feistel_at(const data_feistel *f, uint64_t place) {
    do {
        uint64_t low = place & (((uint64_t)1 << f->low) - 1), high = place >> f->low;
        for (int i = 0; i < DATA_FEISTEL_ROUNDS; i += 2) {
            low ^= scramble(high, f->keys[i], f->low);
            high ^= scramble(low, f->keys[i + 1], f->high);
        }
        place = high << f->low | low;
    } while (place >= f->n);
    return place;
}
