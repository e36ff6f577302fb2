/* Which augmentations a dataset's samples can have, and which go together. */
#include "check_augment.h"

#include "gyre/augment.h"

enum { PICTURE_CHANNELS = 4 };

static bool are_pictures(const gyre_images *train) {
    return train->element == GYRE_ELEMENT_U8 && train->c <= PICTURE_CHANNELS;
}

static bool has_target_for_each_pixel(const gyre_images *train) {
    return train->target.h * train->target.w > 1;
}

static gyre_status check_moves(const gyre_data_settings *s, const gyre_images *train) {
    if (s->crop > 0 && (s->crop >= train->h || s->crop >= train->w)) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.crop is %d pixels, but images of %d x %d may move by less "
                         "than a side",
                         s->crop, train->h, train->w);
    }
    const gyre_target *t = &train->target;
    if ((s->crop > 0 || s->mirror) && has_target_for_each_pixel(train) &&
        (t->h != train->h || t->w != train->w)) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment moves a target with its sample, but samples have %d x %d "
                         "pixels and targets %d x %d; leave crop and mirror out",
                         train->h, train->w, t->h, t->w);
    }
    if (s->crop > 0 && !s->crop_reflect && has_target_for_each_pixel(train) && !t->classes) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.crop moves samples over their border, where there is no "
                         "target, and values of pixels have none that says so; leave crop out "
                         "(mirror may stay), or take data.augment.crop_fill \"reflect\"");
    }
    return GYRE_OK;
}

static gyre_status check_resized_crop(const gyre_data_settings *s, const gyre_images *train) {
    if (s->crop_size == 0) return GYRE_OK;
    if (!are_pictures(train) || has_target_for_each_pixel(train)) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.resized_crop is for pictures of bytes with one target each, "
                         "but the dataset has %s; leave it out",
                         are_pictures(train) ? "a target for each pixel"
                                             : "samples of another kind");
    }
    if (s->crop_scale_min > s->crop_scale_max) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.resized_crop: min_scale %g is above max_scale %g",
                         s->crop_scale_min, s->crop_scale_max);
    }
    if (s->crop > 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.crop and data.augment.resized_crop both choose a part of "
                         "the image; take one of them");
    }
    if (s->normalize == GYRE_NORMALIZE_MEAN_IMAGE) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.normalize: with resized_crop no two images show the same "
                         "place, so there is no mean image; take \"channel\" or \"raw\"");
    }
    return GYRE_OK;
}

static gyre_status check_colors(const gyre_data_settings *s, const gyre_images *train) {
    const char *key = s->randaugment.ops > 0 ? "randaugment" : "color_jitter";
    if (!gyre_augment_changes_pixels(s)) return GYRE_OK;
    if (train->element != GYRE_ELEMENT_U8 || (train->c != 1 && train->c != 3)) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.%s is for pictures of bytes with 1 or 3 channels, but the "
                         "dataset has %d channel%s of %s; leave it out",
                         key, train->c, train->c == 1 ? "" : "s",
                         gyre_element_name(train->element));
    }
    if (train->c == 1 && (s->jitter.saturation > 0 || s->jitter.hue > 0)) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.color_jitter: gray pictures have no saturation and no hue; "
                         "leave both out");
    }
    if (s->randaugment.ops > 0 && has_target_for_each_pixel(train)) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.randaugment moves pixels, but the dataset has a target for "
                         "each, which would stay; leave it out");
    }
    return GYRE_OK;
}

/* What the dataset has, where an augmentation for samples of a height and a width, with one target
 * each, cannot be had; NULL: it can. */
static const char *no_plain_samples(const gyre_images *train) {
    if (train->latents) return "latents";
    if (has_target_for_each_pixel(train)) return "a target for each pixel";
    return train->h * train->w == 1 ? "samples of 1 x 1 pixels" : NULL;
}

static gyre_status check_erasing(const gyre_data_settings *s, const gyre_images *train) {
    const gyre_erasing_settings *e = &s->erasing;
    const char *found = no_plain_samples(train);
    if (!(e->probability > 0)) return GYRE_OK;
    if (found != NULL) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.random_erasing is for samples of a height and a width with "
                         "one target each, but the dataset has %s; leave it out",
                         found);
    }
    if (e->scale_min > e->scale_max) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.random_erasing: min_scale %g is above max_scale %g",
                         e->scale_min, e->scale_max);
    }
    return GYRE_OK;
}

static gyre_status check_mix(const gyre_data_settings *s, const gyre_images *train) {
    const char *key = s->mixup > 0 ? "mixup" : "cutmix";
    if (!gyre_mix_is_on(s)) return GYRE_OK;
    if (train->latents || !gyre_target_is_label(&train->target)) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.%s is for samples with one class each, but the dataset has "
                         "%s; leave it out",
                         key, train->latents ? "latents" : "other targets");
    }
    if (s->cutmix > 0 && train->h * train->w == 1) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.cutmix is for samples of a height and a width, but the "
                         "dataset has samples of 1 x 1 pixels; leave it out (mixup may stay)");
    }
    return GYRE_OK;
}

gyre_status gyre_normalization_check(const gyre_data_settings *s, const gyre_images *images) {
    const gyre_normalization *g = &s->given;
    if (images->latents && s->normalize != GYRE_NORMALIZE_RAW) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.normalize: expected \"raw\", since the dataset has latents, "
                         "which are what a network takes");
    }
    if (s->normalize != GYRE_NORMALIZE_GIVEN) return GYRE_OK;
    if (g->channels != images->c) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.normalize has mean and std of %d channel%s, but the %s have "
                         "%d; give one number of each for every channel",
                         g->channels, g->channels == 1 ? "" : "s",
                         gyre_element_noun(images->element, 2), images->c);
    }
    for (int i = 0; images->element == GYRE_ELEMENT_U8 && i < g->channels; i++) {
        if (g->mean[i] >= 0 && g->mean[i] <= 1 && g->std[i] <= 1) continue;
        return gyre_fail(
            GYRE_EUSAGE,
            "data.augment.normalize: mean %g and std %g of channel %d; of pixels, mean "
            "and std are those of pixel / 255, numbers from 0 to 1",
            g->mean[i], g->std[i], i);
    }
    return GYRE_OK;
}

gyre_status data_check_augment(const gyre_data_settings *s, const gyre_images *train) {
    GYRE_TRY(check_moves(s, train));
    GYRE_TRY(check_resized_crop(s, train));
    GYRE_TRY(check_colors(s, train));
    GYRE_TRY(check_erasing(s, train));
    GYRE_TRY(check_mix(s, train));
    return gyre_normalization_check(s, train);
}
