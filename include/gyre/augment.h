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

/* Colour jitter: operations on the colours of a picture, in a random order, each with a random
 * factor (torchvision's ColorJitter). */
typedef enum {
    GYRE_JITTER_BRIGHTNESS,
    GYRE_JITTER_CONTRAST,
    GYRE_JITTER_SATURATION,
    GYRE_JITTER_HUE,
    GYRE_JITTERS
} gyre_jitter_operation;

typedef struct {
    uint8_t order[GYRE_JITTERS];
    double brightness, contrast, saturation; /* factors: max(0, 1 - s) to 1 + s, uniform */
    double hue;                              /* share of the circle: -s to s, uniform */
} gyre_jitter;

bool gyre_jitter_is_on(const gyre_jitter_settings *settings);
gyre_jitter gyre_jitter_draw(const gyre_jitter_settings *settings, uint64_t seed, int64_t epoch,
                             int64_t sample);

/* Are the pixels themselves changed? Then the loader moves, too, what else the backend would. */
static inline bool gyre_augment_changes_pixels(const gyre_data_settings *s) {
    return gyre_jitter_is_on(&s->jitter) || s->randaugment.ops > 0;
}

#endif
