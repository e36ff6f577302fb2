/* One rank's part of a global batch, as plain data: what the loader makes and a backend takes. */
#ifndef GYRE_BATCH_H
#define GYRE_BATCH_H

#include <stdint.h>

/* How one image is augmented: drawn by the sampler, applied by the backend. Crop first, mirror
 * second, normalisation last; pixels from outside the image are raw 0 (as torchvision pads). */
typedef struct {
    int8_t dy, dx;  /* output (y, x) shows input (y + dy, x + dx), before the mirror */
    uint8_t mirror; /* 1: left and right exchanged */
    uint8_t unused;
} gyre_augment;

typedef struct {
    int64_t step;
    int64_t first;               /* of a shard: place of its first sample in the whole batch */
    int64_t count;               /* samples here */
    const uint8_t *images;       /* (count, h, w, c) raw pixels; NULL where the device keeps them */
    const int64_t *rows;         /* (count) their rows in the training images, or NULL */
    const int32_t *labels;       /* (count) */
    const gyre_augment *augment; /* (count), or NULL: none */
} gyre_batch;

#endif
