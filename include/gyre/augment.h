/* What augmentation draws beside crops and mirrors (gyre/sampler.h), each keyed by (seed, epoch,
 * sample): pure functions, so that ranks, threads and resumes do not matter. */
#ifndef GYRE_AUGMENT_H
#define GYRE_AUGMENT_H

#include "gyre/batch.h"
#include "gyre/settings.h"

/* The rectangle that is erased of an h x w image: with the settings' probability an area of
 * scale_min to scale_max of the image's, uniform; a ratio of 1/ratio to ratio, uniform in its
 * logarithm; a place, uniform. After ten draws that are not smaller than the image, none (Zhong et
 * al. 2017, "Random erasing data augmentation", as torchvision's RandomErasing). */
gyre_erase gyre_erase_draw(const gyre_erasing_settings *settings, uint64_t seed, int64_t epoch,
                           int64_t sample, int h, int w);

#endif
