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

/* Is each batch mixed? */
static inline bool gyre_mix_is_on(const gyre_data_settings *s) {
    return s->mixup > 0 || s->cutmix > 0;
}

/* How the batch of a step is mixed, keyed by (seed, step), for samples of h x w. A share is drawn
 * from Beta(alpha, alpha). Mixup takes so much of each value (Zhang et al. 2017, arXiv:1710.09412).
 * Cutmix takes a rectangle of sides sqrt(1 - share) of the other sample, cut at the border, about a
 * uniform point, and the area that is left as the share of the label (Yun et al. 2019,
 * arXiv:1905.04899). With both settings a coin decides. As torchvision's v2.MixUp and CutMix. */
gyre_mix gyre_mix_draw(const gyre_data_settings *settings, uint64_t seed, int64_t step, int h,
                       int w);

#endif
