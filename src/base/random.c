/* Philox streams. A stream's key and upper counter words come from one Philox block over (domain,
 * a, b), so that streams of different keys never meet for less than 2^64 draws each. */
#include "gyre/random.h"

#include "gyre/realmath.h"
#include <Random123/philox.h>
#include <math.h>

gyre_random gyre_random_open(uint64_t seed, gyre_random_domain domain, uint64_t a, uint64_t b) {
    philox4x32_key_t key = {{(uint32_t)seed, (uint32_t)(seed >> 32)}};
    philox4x32_ctr_t one = {{(uint32_t)domain, 0, (uint32_t)a, (uint32_t)(a >> 32)}};
    philox4x32_ctr_t mixed = philox4x32(one, key);
    philox4x32_key_t key2 = {{mixed.v[0], mixed.v[1]}};
    philox4x32_ctr_t two = {{mixed.v[2], mixed.v[3], (uint32_t)b, (uint32_t)(b >> 32)}};
    mixed = philox4x32(two, key2);
    gyre_random r = {
        .key = {mixed.v[0], mixed.v[1]}, .counter = {0, 0, mixed.v[2], mixed.v[3]}, .used = 4};
    return r;
}

uint32_t gyre_random_u32(gyre_random *r) {
    if (r->used == 4) {
        philox4x32_key_t key = {{r->key[0], r->key[1]}};
        philox4x32_ctr_t counter = {{r->counter[0], r->counter[1], r->counter[2], r->counter[3]}};
        philox4x32_ctr_t block = philox4x32(counter, key);
        for (int i = 0; i < 4; i++) r->block[i] = block.v[i];
        if (++r->counter[0] == 0) r->counter[1]++;
        r->used = 0;
    }
    return r->block[r->used++];
}

uint64_t gyre_random_u64(gyre_random *r) {
    uint64_t low = gyre_random_u32(r);
    return low | (uint64_t)gyre_random_u32(r) << 32;
}

uint32_t gyre_random_below(gyre_random *r, uint32_t bound) {
    uint64_t product = (uint64_t)gyre_random_u32(r) * bound;
    if ((uint32_t)product < bound) {
        uint32_t threshold = -bound % bound; /* 2^32 mod bound */
        while ((uint32_t)product < threshold) product = (uint64_t)gyre_random_u32(r) * bound;
    }
    return (uint32_t)(product >> 32);
}

double gyre_random_uniform(gyre_random *r) {
    return (double)(gyre_random_u64(r) >> 11) * 0x1p-53;
}

double gyre_random_normal(gyre_random *r) {
    double u = ((double)(gyre_random_u64(r) >> 11) + 1.0) * 0x1p-53; /* (0, 1]: log is finite */
    double v = gyre_random_uniform(r);
    return sqrt(-2.0 * gyre_log(u)) * gyre_cospi(2.0 * v);
}
