/* Samples that hold what is no finite number. */
#include "gyre/alive.h"
#include "gyre/dataset.h"
#include <math.h>
#include <stdlib.h>

enum { ALIVE = 1024 }; /* rows between two signs of life */

static gyre_status look(const gyre_view *view, size_t count, uint8_t *row, float *values,
                        gyre_not_finite *out) {
    for (int64_t i = 0; i < view->count; i++) {
        int64_t at = view->rows == NULL ? i : view->rows[i];
        GYRE_TRY(gyre_images_read(view->images, at, 1, row));
        gyre_element_floats(view->images->element, row, count, values);
        for (size_t k = 0; k < count; k++) {
            if (isfinite(values[k])) continue;
            *out = (gyre_not_finite){true, at, k, values[k]};
            return GYRE_OK;
        }
        if (i % ALIVE == 0) gyre_alive();
    }
    return GYRE_OK;
}

gyre_status gyre_view_not_finite(const gyre_view *view, gyre_not_finite *out) {
    const gyre_images *p = view->images;
    size_t bytes = gyre_images_row(p), count = bytes / gyre_element_size(p->element);
    *out = (gyre_not_finite){0};
    if (p->element != GYRE_ELEMENT_F16 && p->element != GYRE_ELEMENT_F32) return GYRE_OK;
    uint8_t *row = malloc(bytes);
    float *values = malloc(count * sizeof *values);
    gyre_status status = row == NULL || values == NULL ? gyre_no_memory("a sample") : GYRE_OK;
    if (status == GYRE_OK) status = look(view, count, row, values, out);
    free(row);
    free(values);
    return status;
}
