/* Which sample is the i-th of step t's global batch: a pure function of (seed, t, i). */
#ifndef GYRE_SAMPLER_H
#define GYRE_SAMPLER_H

#include "gyre/batch.h"
#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdint.h>

/* How steps and epochs fit together; a value, no state. */
typedef struct {
    int64_t samples;         /* n, after the validation split */
    int64_t batch;           /* B */
    int64_t steps_per_epoch; /* floor(n/B) for drop, ceil(n/B) for wrap */
} gyre_epochs;

/* GYRE_EUSAGE naming n and B when an epoch would have no step. */
gyre_status gyre_epochs_make(int64_t samples, int64_t batch, gyre_last_batch last,
                             gyre_epochs *out);

typedef struct gyre_sampler gyre_sampler;

/* A sampler caches one epoch's permutation (4 bytes per sample; above 2^24 samples it is computed
 * sample by sample, by a Feistel network). Not thread-safe: one per thread. */
gyre_status gyre_sampler_open(gyre_epochs epochs, gyre_order order, uint64_t seed,
                              gyre_sampler **out);
void gyre_sampler_close(gyre_sampler *s);

/* Index into the training view of sample i (0..B-1) of update t. */
int64_t gyre_sampler_index(gyre_sampler *s, int64_t t, int64_t i);

/* How a sample is augmented: keyed by (seed, epoch, sample). `sample` is the row in the training
 * file's part. */
gyre_augment gyre_augment_draw(const gyre_data_settings *settings, uint64_t seed, int64_t epoch,
                               int64_t sample);

/* The part of an h x w image that a sample shows, keyed as above: an area of min_scale to max_scale
 * of the image's, uniform; a ratio of 1/ratio to ratio, uniform in its logarithm; a place, uniform.
 * After ten draws that do not fit, the middle, as wide as the ratio allows (as torchvision's
 * RandomResizedCrop). */
gyre_crop gyre_crop_draw(const gyre_data_settings *settings, uint64_t seed, int64_t epoch,
                         int64_t sample, int h, int w);

/* What evaluation shows: the square in the middle, 7/8 of the shorter side (224 of 256, as is
 * custom), or `size` where that is more, so that images are not enlarged without need. */
gyre_crop gyre_crop_middle(int h, int w, int size);

#endif
