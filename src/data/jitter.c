/* Colour jitter: torchvision's ColorJitter. */
#include "jitter.h"

#include "gyre/random.h"

static double around_1(gyre_random *r, double most) {
    double low = most < 1 ? 1 - most : 0;
    return low + (1 + most - low) * gyre_random_uniform(r);
}

/* All is always drawn, so that to switch one on does not change the others. */
gyre_jitter gyre_jitter_draw(const gyre_jitter_settings *settings, uint64_t seed, int64_t epoch,
                             int64_t sample) {
    gyre_random r = gyre_random_open(seed, GYRE_RANDOM_JITTER, (uint64_t)epoch, (uint64_t)sample);
    gyre_jitter j = {.order = {GYRE_JITTER_BRIGHTNESS, GYRE_JITTER_CONTRAST, GYRE_JITTER_SATURATION,
                               GYRE_JITTER_HUE}};
    for (uint32_t i = GYRE_JITTERS - 1; i > 0; i--) {
        uint32_t k = gyre_random_below(&r, i + 1);
        uint8_t swapped = j.order[i];
        j.order[i] = j.order[k];
        j.order[k] = swapped;
    }
    j.brightness = around_1(&r, settings->brightness);
    j.contrast = around_1(&r, settings->contrast);
    j.saturation = around_1(&r, settings->saturation);
    j.hue = settings->hue * (2 * gyre_random_uniform(&r) - 1);
    return j;
}

bool gyre_jitter_is_on(const gyre_jitter_settings *s) {
    return s->brightness > 0 || s->contrast > 0 || s->saturation > 0 || s->hue > 0;
}

void data_jitter_apply(const gyre_jitter *j, data_pixels *p) {
    for (int i = 0; i < GYRE_JITTERS; i++) {
        switch (j->order[i]) {
        case GYRE_JITTER_BRIGHTNESS:
            if (j->brightness != 1) data_brighten(p, j->brightness);
            break;
        case GYRE_JITTER_CONTRAST:
            if (j->contrast != 1) data_contrast(p, j->contrast);
            break;
        case GYRE_JITTER_SATURATION:
            if (j->saturation != 1) data_saturate(p, j->saturation);
            break;
        default:
            if (j->hue != 0) data_turn_hue(p, j->hue);
            break;
        }
    }
}
