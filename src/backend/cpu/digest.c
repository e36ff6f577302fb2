/* 64 bits that tell one vector from another. */
#include "gyre/digest.h"
#include "cpu.h"

#include <string.h>

typedef struct {
    const float *x;
    uint64_t *partial; /* of each block */
} vector;

CPU_CLONES
static void digest_body(void *context, size_t begin, size_t end) {
    const vector *v = context;
    uint64_t sum = 0;
    for (size_t i = begin; i < end; i++) sum += gyre_digest_share(i, gyre_bits_of_f32(v->x[i]));
    v->partial[begin / CPU_BLOCK] = sum;
}

gyre_status cpu_digest(gyre_queue *q, size_t n, gyre_f32 x, gyre_f32 out) {
    size_t blocks = (n + CPU_BLOCK - 1) / CPU_BLOCK;
    uint64_t sum = 0;
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, blocks * sizeof sum, &work));
    vector v = {cpu_f32(x), work};
    GYRE_TRY(cpu_for(q, n, digest_body, &v));
    for (size_t i = 0; i < blocks; i++) sum += v.partial[i];
    memcpy(cpu_f32(out), &sum, sizeof sum);
    return GYRE_OK;
}
