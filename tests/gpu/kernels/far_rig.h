/* Tensors of more than 2^32 elements, in address space without memory behind it: one block of each
 * kernel is run, one that works beyond the 2^32nd element, and what it wrote there is compared.
 * A 32-bit index, signed or not, would go elsewhere; what lay there before is always another value
 * than the one that is expected.
 *
 * Every operation with kernels of its own is here but update_statistics, whose vectors have two
 * numbers for each channel, and every launch of kernels.h. Vectors by channel, column, sample or
 * part are short beside these too: kernels only read or write them on the way. */
#ifndef FAR_RIG_H
#define FAR_RIG_H

#include "kernels_rig.h"

#include <sys/mman.h>

#define FAR ((uint64_t)1 << 32)
#define CUDA_OK(call) assert_int_equal((call), cudaSuccess)
#define GPU(slot, ...) OK(gpu_##slot(b->main, __VA_ARGS__))

/* Zeros, until written. */
typedef struct {
    char *at;
    size_t bytes;
} space;

static inline space space_open(size_t bytes) {
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) fail_msg("no address space for %zu bytes", bytes);
    return (space){at, bytes};
}
static inline void space_close(space s) {
    munmap(s.at, s.bytes);
}

static inline void put(space s, size_t size, uint64_t i, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = size == 2 ? bits >> 16 : bits;
    memcpy(s.at + i * size, &bits, size);
}
static inline double get(space s, size_t size, uint64_t i) {
    return (double)element_of(s.at, size, i);
}
static inline float *floats(space s) {
    return (float *)(void *)s.at;
}
/* As arguments of operations. */
static inline gyre_act act(space s) {
    return (gyre_act)(void *)s.at;
}
static inline gyre_f32 f32(float *x) {
    return (gyre_f32)(void *)x;
}

static inline void expect(const char *what, double got, double want, double relative) {
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("%s: got %.9g, want %.9g", what, got, want);
}

/* The block of a grid-stride loop over `items` items that handles item i; the grid is full. */
static inline void only_block_of(uint64_t i) {
    uint64_t block = i / 256 % 4096;
    emulator_blocks(block, block);
}
static inline void all_blocks(void) {
    emulator_blocks(0, UINT64_MAX);
}

#endif
