/* Random erasing: which part of an image. */
#include "gyre/augment.h"

#include "gyre/random.h"
#include "gyre/realmath.h"
#include <math.h>

/* Nothing here but exactly rounded operations and gyre's own exp and log, as in gyre_crop_draw. */
gyre_erase gyre_erase_draw(const gyre_erasing_settings *settings, uint64_t seed, int64_t epoch,
                           int64_t sample, int h, int w) {
    enum { TRIES = 10 };
    gyre_random r = gyre_random_open(seed, GYRE_RANDOM_ERASING, (uint64_t)epoch, (uint64_t)sample);
    const double least = settings->scale_min, range = settings->scale_max - least;
    const double turn = gyre_log(settings->ratio);
    gyre_erase e = {.noise = settings->value == GYRE_ERASING_NOISE};
    e.key[0] = gyre_random_u32(&r);
    e.key[1] = gyre_random_u32(&r);
    if (!(gyre_random_uniform(&r) < settings->probability)) return e;
    for (int i = 0; i < TRIES; i++) {
        double area = (double)h * w * (least + range * gyre_random_uniform(&r));
        double shape = gyre_exp(turn * (2 * gyre_random_uniform(&r) - 1)); /* height to width */
        double high = floor(sqrt(area * shape) + 0.5), wide = floor(sqrt(area / shape) + 0.5);
        if (!(high < h && wide < w && high >= 1 && wide >= 1)) continue;
        e.h = (int32_t)high;
        e.w = (int32_t)wide;
        e.y = (int32_t)gyre_random_below(&r, (uint32_t)(h - e.h + 1));
        e.x = (int32_t)gyre_random_below(&r, (uint32_t)(w - e.w + 1));
        return e;
    }
    return e;
}
