/* How samples become the network's input. Internal to src/run. */
#ifndef GYRE_RUN_INPUT_H
#define GYRE_RUN_INPUT_H

#include "gyre/dataset.h"
#include "gyre/model.h"

/* x = (pixel - mean) * scale, as data.augment.normalize says: mean (h, w, c) and scale (c) of the
 * model's input, from the training samples' statistics where it asks for them. Where it names a
 * file, 0 and 1: gyre_input_import() reads that. */
void run_input_scaling(const gyre_data_settings *settings, const gyre_pixel_stats *stats,
                       gyre_element element, const gyre_model *m, float *mean, float *scale);

#endif
