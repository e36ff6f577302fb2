/* Mean and scale by which images become the input of the network. */
#include "input.h"

void run_input_scaling(const gyre_data_settings *settings, const gyre_pixel_stats *stats,
                       gyre_element element, const gyre_model *m, float *mean, float *scale) {
    const double white = element == GYRE_ELEMENT_U8 ? 255 : 1;
    gyre_normalize how = settings->normalize;
    const gyre_normalization *given = &settings->given; /* of pixel / 255, or of the value */
    size_t channels = (size_t)m->c, count = (size_t)m->h * (size_t)m->w * channels;
    for (size_t i = 0; i < count; i++) {
        mean[i] = how == GYRE_NORMALIZE_RAW || how == GYRE_NORMALIZE_INIT_FROM ? 0
                  : how == GYRE_NORMALIZE_CHANNEL ? stats->mean[i % channels]
                  : how == GYRE_NORMALIZE_GIVEN   ? (float)(white * given->mean[i % channels])
                                                  : stats->mean_image[i];
    }
    for (size_t k = 0; k < channels; k++) {
        scale[k] = how == GYRE_NORMALIZE_CHANNEL ? 1 / stats->dev[k]
                   : how == GYRE_NORMALIZE_GIVEN ? (float)(1 / (white * given->std[k]))
                                                 : 1;
    }
}
