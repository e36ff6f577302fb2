/* The network's numbers as stored values and as pixels; see gyre/sampling.h. */
#include "gyre/sampling.h"

#include <math.h>

enum { WHITE = 255 };

static size_t values_of(const gyre_sampling_input *in) {
    return (size_t)in->h * (size_t)in->w * (size_t)in->c;
}

static double scale_of(const gyre_sampling_input *in, size_t element) {
    return (double)in->scale[element % (size_t)in->c];
}

void gyre_sampling_limits(const gyre_sampling_input *in, size_t element, double *low,
                          double *high) {
    double mean = (double)in->mean[element], scale = scale_of(in, element);
    *low = in->bytes ? (0 - mean) * scale : -1;
    *high = in->bytes ? (WHITE - mean) * scale : 1;
}

static double stored(const gyre_sampling_input *in, size_t element, float x) {
    return (double)x / scale_of(in, element) + (double)in->mean[element];
}

void gyre_sampling_store(const gyre_sampling_input *in, size_t count, float *x) {
    size_t values = values_of(in);
    for (size_t i = 0; i < count * values; i++) x[i] = (float)stored(in, i % values, x[i]);
}

uint8_t gyre_sampling_pixel(double value) {
    if (!(value > 0)) return 0;
    return value < WHITE ? (uint8_t)lrint(value) : WHITE;
}

void gyre_sampling_pixels(const gyre_sampling_input *in, size_t count, const float *x,
                          uint8_t *out) {
    size_t values = values_of(in);
    for (size_t i = 0; i < count * values; i++) {
        out[i] = gyre_sampling_pixel(in->bytes ? stored(in, i % values, x[i])
                                               : ((double)x[i] / 2 + 0.5) * WHITE);
    }
}
