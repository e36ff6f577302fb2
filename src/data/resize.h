/* Antialiased resizing of a picture whose rows come one after the other, by the weights of filter.h.
 *
 * Weights and pixels are whole numbers and so are their sums, so the result is the same bits
 * everywhere; at scale 1 it is the picture itself. The weights are their own mirror image, so a
 * picture that is mirrored or turned has a result that is so too, bit for bit. Internal to
 * src/data. */
#ifndef GYRE_DATA_RESIZE_H
#define GYRE_DATA_RESIZE_H

#include "gyre/status.h"
#include <stdint.h>

typedef struct data_resize data_resize;

/* h x w pixels of c channels come in; the span_h x span_w in their middle become out_h x out_w.
 * Sides are 1 or more, spans positive and at most the sides. */
typedef struct {
    int h, w, out_h, out_w;
    double span_h, span_w;
    int c;
} data_resize_shape;

/* For pictures of this shape, and others whose h and w are at most its own and whose other sides and
 * channels are the same. */
gyre_status data_resize_open(const data_resize_shape *most, data_resize **out);
void data_resize_close(data_resize *r);

/* Begins a picture. out(out_h, out_w, c) is complete after its last row. */
void data_resize_begin(data_resize *r, const data_resize_shape *shape, uint8_t *out);

/* The next of h rows of w pixels. */
void data_resize_row(data_resize *r, const uint8_t *pixels);

#endif
