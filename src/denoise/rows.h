/* Samples of a view in memory, as a network reads them. Internal to src/denoise. */
#ifndef GYRE_DENOISE_ROWS_H
#define GYRE_DENOISE_ROWS_H

#include "bound.h"
#include "gyre/dataset.h"

/* All of them, scaled: (stored value - mean) * scale with mean (h, w, c) and scale (c). free()
 * *values. GYRE_EIO, GYRE_EDEVICE. */
gyre_status denoise_rows_read(const gyre_view *view, const float *mean, const float *scale,
                              float **values, denoise_rows *out);

#endif
