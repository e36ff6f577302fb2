/* Samples of a view in memory; see rows.h. */
#include "rows.h"

#include "gyre/gather.h"
#include "gyre/size.h"
#include <stdlib.h>

enum { ROUND = 256 }; /* samples that are read at a time */

typedef struct {
    const gyre_view *view;
    gyre_fitter *fitter;
    uint8_t *stored; /* (ROUND, gyre_view_image_bytes) */
} reader;

static void scale_row(float *row, size_t width, size_t c, const float *mean, const float *scale) {
    for (size_t k = 0; k < width; k++) row[k] = (row[k] - mean[k]) * scale[k % c];
}

static gyre_status read_round(const reader *r, int64_t first, int64_t count, float *out) {
    int64_t rows[ROUND];
    const gyre_element element = r->view->images->element;
    for (int64_t i = 0; i < count; i++) rows[i] = gyre_view_row(r->view, first + i);
    GYRE_TRY(gyre_gather(r->view, rows, count, NULL, r->fitter,
                         &(gyre_gather_room){.images = r->stored}));
    size_t values = (size_t)count * gyre_view_image_bytes(r->view) / gyre_element_size(element);
    gyre_element_floats(element, r->stored, values, out);
    return GYRE_OK;
}

gyre_status denoise_rows_read(const gyre_view *view, const float *mean, const float *scale,
                              float **values, denoise_rows *out) {
    gyre_status status = GYRE_OK;
    const size_t bytes = gyre_view_image_bytes(view), count = (size_t)view->count;
    const size_t width = bytes / gyre_element_size(view->images->element);
    reader r = {.view = view, .stored = malloc(ROUND * bytes)};
    float *all = *values = malloc(gyre_size_of(gyre_size_of(count, width), sizeof *all));
    *out = (denoise_rows){all, count, width};
    if (all == NULL || r.stored == NULL) {
        status = gyre_no_memory("%zu samples of %zu values", count, width);
        goto out;
    }
    GYRE_GOTO(gyre_fitter_open(view->images, view->size, &r.fitter));
    for (int64_t i = 0; i < view->count; i += ROUND) {
        const int64_t left = view->count - i;
        GYRE_GOTO(read_round(&r, i, left < ROUND ? left : ROUND, all + (size_t)i * width));
    }
    for (size_t i = 0; i < count; i++) {
        scale_row(all + i * width, width, (size_t)view->images->c, mean, scale);
    }
out:
    gyre_fitter_close(r.fitter);
    free(r.stored);
    if (status != GYRE_OK) {
        free(all);
        *values = NULL;
    }
    return status;
}
