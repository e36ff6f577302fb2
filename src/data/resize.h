/* Antialiased resizing of a picture whose rows come one after the other.
 *
 * The triangle filter, widened by the scale when the picture shrinks: what Pillow calls BILINEAR
 * (and Heckbert's zoom before it). Weights are integers with the sum 2^16 and pixels are added as
 * integers, so the result is the same bits everywhere; at scale 1 it is the picture itself. The
 * weights are their own mirror image, so a picture that is mirrored or turned has a result that is
 * so too, bit for bit. Internal to src/data. */
#ifndef GYRE_DATA_RESIZE_H
#define GYRE_DATA_RESIZE_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct data_resize data_resize;

/* h x w pixels of c channels come in; the span_h x span_w in their middle become out_h x out_w.
 * Sides are 1 or more, spans positive and at most the sides. */
typedef struct {
    int h, w, out_h, out_w;
    double span_h, span_w;
    int c;
} data_resize_shape;

/* `many`: data_resize_again may follow. */
gyre_status data_resize_open(const data_resize_shape *shape, bool many, data_resize **out);
void data_resize_close(data_resize *r);

/* Begins another picture, whose h and w are at most those that it was opened with, and whose other
 * sides and channels are the same. */
void data_resize_again(data_resize *r, const data_resize_shape *shape);

/* The next of h rows of w pixels. */
void data_resize_row(data_resize *r, const uint8_t *pixels);

/* (out_h, out_w, c), complete after the last row. */
const uint8_t *data_resize_result(const data_resize *r);

#endif
