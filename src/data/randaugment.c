/* RandAugment: torchvision's transforms.RandAugment, its 14 operations in its order and with its
 * magnitudes, the nearest pixel, and 0 where there is none. */
#include "randaugment.h"

#include "gyre/random.h"
#include "gyre/realmath.h"
#include <math.h>

enum { MAGNITUDE_TOP = 30 };

enum {
    IDENTITY,
    SHEAR_X,
    SHEAR_Y,
    TRANSLATE_X,
    TRANSLATE_Y,
    ROTATE,
    BRIGHTNESS,
    COLOR,
    CONTRAST,
    SHARPNESS,
    POSTERIZE,
    SOLARIZE,
    AUTOCONTRAST,
    EQUALIZE
};

/* The greatest magnitude of an operation whose magnitudes rise from 0; of others 0. */
static double greatest(int operation, const data_pixels *p) {
    switch (operation) {
    case SHEAR_X:
    case SHEAR_Y: return 0.3;
    case TRANSLATE_X: return 150.0 / 331.0 * p->w;
    case TRANSLATE_Y: return 150.0 / 331.0 * p->h;
    case ROTATE: return 30;
    case BRIGHTNESS:
    case COLOR:
    case CONTRAST:
    case SHARPNESS: return 0.9;
    default: return 0;
    }
}

/* About the middle of the picture, by degrees, against the clock. */
static void rotate(data_pixels *p, double degrees) {
    const double cosine = gyre_cospi(degrees / 180), sine = gyre_sinpi(degrees / 180);
    const double x = 0.5 * p->w, y = 0.5 * p->h;
    data_warp(p, &(data_affine){cosine, -sine, x - cosine * x + sine * y, sine, cosine,
                                y - sine * x - cosine * y});
}

void data_randaugment_operation(int operation, int magnitude, int sign, data_pixels *p) {
    const double share = (double)magnitude / MAGNITUDE_TOP;
    const double m = sign * share * greatest(operation, p);
    switch (operation) {
    case SHEAR_X: data_warp(p, &(data_affine){1, m, 0, 0, 1, 0}); break;
    case SHEAR_Y: data_warp(p, &(data_affine){1, 0, 0, m, 1, 0}); break;
    case TRANSLATE_X: data_warp(p, &(data_affine){1, 0, -trunc(m), 0, 1, 0}); break;
    case TRANSLATE_Y: data_warp(p, &(data_affine){1, 0, 0, 0, 1, -trunc(m)}); break;
    case ROTATE: rotate(p, m); break;
    case BRIGHTNESS: data_brighten(p, 1 + m); break;
    case COLOR: data_saturate(p, 1 + m); break;
    case CONTRAST: data_contrast(p, 1 + m); break;
    case SHARPNESS: data_sharpen(p, 1 + m); break;
    case POSTERIZE: data_posterize(p, 8 - (int)floor(4 * share + 0.5)); break;
    case SOLARIZE: data_solarize(p, 255 - 255 * share); break;
    case AUTOCONTRAST: data_stretch(p); break;
    case EQUALIZE: data_equalize(p); break;
    default: break;
    }
}

void data_randaugment_apply(const gyre_randaugment_settings *settings, uint64_t seed, int64_t epoch,
                            int64_t sample, data_pixels *p) {
    gyre_random r =
        gyre_random_open(seed, GYRE_RANDOM_OPERATIONS, (uint64_t)epoch, (uint64_t)sample);
    for (int i = 0; i < settings->ops; i++) {
        int operation = (int)gyre_random_below(&r, DATA_RANDAUGMENT_OPERATIONS);
        int sign = gyre_random_below(&r, 2) ? -1 : 1;
        data_randaugment_operation(operation, settings->magnitude, sign, p);
    }
}
