/* Samples of a view in memory; see rows.h. */
#include "rows.h"

#include "gyre/fitter.h"
#include "gyre/gather.h"
#include "gyre/size.h"
#include <stdlib.h>

gyre_status denoise_rows_read(const gyre_view *view, const float *mean, const float *scale,
                              float **values, denoise_rows *out) {
    gyre_status status = GYRE_OK;
    const gyre_element element = view->images->element;
    const size_t count = (size_t)view->count, c = (size_t)view->images->c;
    const size_t width = gyre_view_image_bytes(view) / gyre_element_size(element);
    gyre_fitter *fitter = NULL;
    uint8_t *stored = malloc(gyre_view_image_bytes(view));
    float *all = *values = malloc(gyre_size_of(gyre_size_of(count, width), sizeof *all));
    *out = (denoise_rows){all, count, width};
    if (all == NULL || stored == NULL) {
        status = gyre_no_memory("%zu samples of %zu values", count, width);
        goto out;
    }
    GYRE_GOTO(gyre_fitter_open(view->images, view->size, &fitter));
    for (size_t i = 0; i < count; i++) {
        float *row = all + i * width;
        GYRE_GOTO(
            gyre_fitter_read(fitter, view->images, gyre_view_row(view, (int64_t)i), NULL, stored));
        gyre_element_floats(element, stored, width, row);
        for (size_t k = 0; k < width; k++) row[k] = (row[k] - mean[k]) * scale[k % c];
    }
out:
    gyre_fitter_close(fitter);
    free(stored);
    if (status != GYRE_OK) {
        free(all);
        *values = NULL;
    }
    return status;
}
