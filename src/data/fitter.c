/* The lines that a part lies in are read some at a time, and given to the resizer one by one. */
#include "gyre/fitter.h"

#include "resize.h"
#include <stdlib.h>

enum { LINES = 1 << 18 /* bytes: that many lines, or one */ };

struct gyre_fitter {
    int size;
    data_resize *resize; /* NULL without a size */
    int most;            /* lines that are read at a time */
    uint8_t *lines;      /* as stored */
    void *spare;
    size_t spare_size;
};

static data_resize_shape shape_of(const gyre_images *images, int h, int w, int size) {
    return (data_resize_shape){
        .h = h, .w = w, .out_h = size, .out_w = size, .span_h = h, .span_w = w, .c = images->c};
}

gyre_status gyre_fitter_open(const gyre_images *shape, int size, gyre_fitter **out) {
    gyre_status status = GYRE_OK;
    gyre_fitter *f = calloc(1, sizeof *f);
    *out = NULL;
    if (f == NULL) return gyre_no_memory("fitting images");
    f->size = size;
    if (size > 0) {
        const data_resize_shape whole = shape_of(shape, shape->h, shape->w, size);
        GYRE_GOTO(data_resize_open(&whole, &f->resize));
        const size_t line = (size_t)shape->w * (size_t)shape->c;
        f->most = line < LINES ? (int)(LINES / line) : 1;
        if (f->most > shape->h) f->most = shape->h;
        f->lines = malloc((size_t)f->most * line);
        if (f->lines == NULL) status = gyre_no_memory("fitting images");
    }
out:
    if (status == GYRE_OK)
        *out = f;
    else
        gyre_fitter_close(f);
    return status;
}

void gyre_fitter_close(gyre_fitter *f) {
    if (f == NULL) return;
    data_resize_close(f->resize);
    free(f->lines);
    free(f->spare);
    free(f);
}

gyre_status gyre_fitter_read(gyre_fitter *f, const gyre_images *images, int64_t row,
                             const gyre_crop *crop, uint8_t *out) {
    if (f->size == 0) return gyre_images_read(images, row, 1, out);
    gyre_crop part = crop != NULL ? *crop : gyre_crop_middle(images->h, images->w, f->size);
    size_t pixel = (size_t)images->c, line = (size_t)images->w * pixel;
    const data_resize_shape shape = shape_of(images, part.h, part.w, f->size);
    data_resize_begin(f->resize, &shape, out);
    for (int y = 0; y < part.h; y++) {
        const int at = y % f->most, count = part.h - y < f->most ? part.h - y : f->most;
        if (at == 0) {
            GYRE_TRY(gyre_image_read_part(images, row, (size_t)(part.y + y) * line,
                                          (size_t)count * line, f->lines));
        }
        data_resize_row(f->resize, f->lines + (size_t)at * line + (size_t)part.x * pixel);
    }
    return GYRE_OK;
}

gyre_status gyre_fitter_spare(gyre_fitter *f, size_t bytes, void **out) {
    if (bytes > f->spare_size) {
        free(f->spare);
        f->spare = malloc(bytes);
        f->spare_size = f->spare != NULL ? bytes : 0;
    }
    *out = f->spare;
    return f->spare != NULL ? GYRE_OK : gyre_no_memory("augmenting a sample");
}
