/* RandAugment (Cubuk et al. 2019, arXiv:1909.13719) of a picture's bytes. Internal to src/data. */
#ifndef GYRE_DATA_RANDAUGMENT_H
#define GYRE_DATA_RANDAUGMENT_H

#include "gyre/settings.h"
#include "pixels.h"

/* So many of 14 operations, each drawn anew with its sign, keyed by (seed, epoch, sample). */
void data_randaugment_apply(const gyre_randaugment_settings *settings, uint64_t seed, int64_t epoch,
                            int64_t sample, data_pixels *p);

/* One of them, by its place in torchvision's list, at a magnitude of 0 to 30; `sign` is 1 or -1. */
enum { DATA_RANDAUGMENT_OPERATIONS = 14 };
void data_randaugment_operation(int operation, int magnitude, int sign, data_pixels *p);

#endif
