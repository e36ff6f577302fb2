/* Statistics of samples that are not pictures. Internal to src/data. */
#ifndef GYRE_DATA_VALUE_STATS_H
#define GYRE_DATA_VALUE_STATS_H

#include "gyre/dataset.h"

/* The i-th of `rows` rows of the view at equal distances. */
static inline int64_t data_measured_row(const gyre_view *view, int64_t i, int64_t rows) {
    int64_t index = i * (view->count / rows) + i * (view->count % rows) / rows;
    return view->rows == NULL ? index : (int64_t)view->rows[index];
}

/* Fills the three lists of `out`, from so many rows. GYRE_EIO: a value is no number, naming its
 * row; or as gyre_images_read. */
gyre_status data_measure_values(const gyre_view *view, int64_t rows, gyre_pixel_stats *out);

#endif
