/* Keyed random numbers: every draw is a pure function of (seed, domain, a, b, index).
 *
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC11) from the
 * Random123 library. A stream is opened where it is needed and thrown away; no generator state
 * is ever saved, because none outlives the computation that it serves. */
#ifndef GYRE_RANDOM_H
#define GYRE_RANDOM_H

#include <stdint.h>

/* What a stream is for. Values are part of a run's arithmetic: never renumber. */
typedef enum {
    GYRE_RANDOM_WEIGHTS = 1,     /* a = XXH3-64 of the parameter's name, b = 0 */
    GYRE_RANDOM_ORDER = 2,       /* a = epoch */
    GYRE_RANDOM_AUGMENT = 3,     /* a = epoch, b = sample id */
    GYRE_RANDOM_SPLIT = 4,       /* a = b = 0; of a folder: a = XXH3-64 of the name, b = 1 */
    GYRE_RANDOM_REPEAT = 5,      /* a = number of a repeat from 1: its seed */
    GYRE_RANDOM_SUBSET = 6,      /* a = b = 0 */
    GYRE_RANDOM_CROP = 7,        /* a = epoch, b = sample id */
    GYRE_RANDOM_DROPOUT = 8,     /* a = step; its key alone is used: gyre/dropout.h */
    GYRE_RANDOM_DIFFUSION = 9,   /* a = step; its key alone is used: gyre/diffusion.h */
    GYRE_RANDOM_EVALUATION = 10, /* the same of an evaluation, with seed 0: a = pass */
    GYRE_RANDOM_SAMPLING = 11,   /* likewise: a = 0 for the start of a sample, else its step */
    GYRE_RANDOM_ERASING = 12,    /* a = epoch, b = sample id */
    GYRE_RANDOM_JITTER = 13,     /* a = epoch, b = sample id */
    GYRE_RANDOM_OPERATIONS = 14, /* of RandAugment: a = epoch, b = sample id */
    GYRE_RANDOM_MIX = 15,        /* a = step */
    GYRE_RANDOM_FLIPS = 50,      /* statistics: a = number of the draw */
    GYRE_RANDOM_BOOTSTRAP = 51,  /* statistics: a = number of the resample */
    GYRE_RANDOM_TEST = 100,      /* tests only */
} gyre_random_domain;

typedef struct {
    uint32_t key[2];
    uint32_t counter[4];
    uint32_t block[4];
    int used; /* words of block already given out */
} gyre_random;

gyre_random gyre_random_open(uint64_t seed, gyre_random_domain domain, uint64_t a, uint64_t b);

uint32_t gyre_random_u32(gyre_random *r);
uint64_t gyre_random_u64(gyre_random *r);

/* Uniform in 0..bound-1 without bias (Lemire, "Fast random integer generation in an interval",
 * 2019); bound >= 1. */
uint32_t gyre_random_below(gyre_random *r, uint32_t bound);

double gyre_random_uniform(gyre_random *r); /* [0, 1), 53 bits */

/* Standard normal, Box-Muller on gyre/realmath.h: the same bits on every machine. */
double gyre_random_normal(gyre_random *r);

#endif
