/* One rank's part of a global batch, as plain data: what the loader makes and a backend takes. */
#ifndef GYRE_BATCH_H
#define GYRE_BATCH_H

#include "gyre/element.h"
#include <stdint.h>

/* How one image is augmented: drawn by the sampler, applied by the backend. Crop first, mirror
 * second, normalisation last; gyre/move.h says where pixels come from. */
typedef struct {
    int8_t dy, dx;   /* output (y, x) shows input (y + dy, x + dx), before the mirror */
    uint8_t mirror;  /* 1: left and right exchanged */
    uint8_t reflect; /* pixels from outside the image; 0: raw 0, 1: the image's, reflected */
} gyre_augment;

/* A part of a stored image, which is resized to a square. */
typedef struct {
    int32_t y, x, h, w;
} gyre_crop;

/* How parts are resized, as plain data that a device can hold: for each side of `in` pixels output
 * j is the sum of inputs first[j] to first[j] + taps - 1 times their weights, whole numbers with
 * the sum 2^16; both ways, and rounded once. words[sides[in].at] begins first(size), and then
 * weights(size, taps). */
typedef struct {
    uint32_t at, taps;
} gyre_resizing_side;

typedef struct {
    int h, w;                  /* of stored images */
    int size;                  /* of the squares */
    int side_count;            /* the longer side of stored images + 1 */
    gyre_resizing_side *sides; /* (side_count), from 0, which is no side */
    uint32_t *words;           /* (word_count) */
    size_t word_count;
} gyre_resizing;

/* The part of an image, as the network sees it, that is erased after normalisation: its values are
 * 0, or with `noise` normal numbers (gyre/erase.h). */
typedef struct {
    int32_t y, x, h, w; /* h 0: nothing */
    uint32_t noise;     /* 0 or 1 */
    uint32_t key[2];    /* of the noise */
} gyre_erase;

/* How each sample of a batch is mixed with the one before it, the first one with the last (mixup,
 * cutmix): in one part of it, as the network sees it, its values count `values`, and those of the
 * other sample the rest; its label counts `label`, the other one the rest. */
typedef struct {
    int32_t on;         /* 0 or 1: is the batch mixed? the same at all steps of a run */
    int32_t y, x, h, w; /* the part; h 0: nothing */
    float values, label;
} gyre_mix;

/* Where it is mixed, the sample before the first one lies before it in each array: at index -1. */
typedef struct {
    int64_t step;
    int64_t first;               /* of a shard: place of its first sample in the whole batch */
    int64_t count;               /* samples here */
    gyre_element element;        /* of what is stored */
    const uint8_t *images;       /* (count, h, w, c) as stored; NULL where the device keeps them */
    const gyre_crop *crops;      /* (count), or NULL; else the device resizes these parts, and images
                                  * are (count, h, w, c) of stored images of which the lines of the
                                  * part alone are there, as the first ones */
    const int64_t *rows;         /* (count) their rows in the training images, or NULL */
    const void *targets;         /* (count, target_values) of 4 bytes: int32 classes, or float32 */
    int64_t target_values;       /* of a sample */
    const gyre_augment *augment; /* (count), or NULL: none */
    const gyre_erase *erase;     /* (count), or NULL: none */
    gyre_mix mix;
} gyre_batch;

#endif
