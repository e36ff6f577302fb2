/* JPEG and PNG files as rows of RGB bytes, top to bottom, as they are stored: a picture is turned
 * only after it was made small. Internal to src/data.
 *
 * Whatever a file holds ends in GYRE_OK or GYRE_EIO with a reason (or GYRE_EDEVICE, out of memory).
 * A picture that is not whole is refused: half of it would be a gray area with a label. */
#ifndef GYRE_DATA_DECODE_H
#define GYRE_DATA_DECODE_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    /* Comes first, once; orientation is EXIF's, 1 to 8. Other than GYRE_OK: the end. */
    gyre_status (*begin)(void *self, int h, int w, int orientation);
    /* Comes h times with 3 w bytes; NULL: nothing but the size is wanted. */
    void (*row)(void *self, const uint8_t *rgb);
    void *self;
} data_picture_sink;

gyre_status data_jpeg_decode(const uint8_t *bytes, size_t size, const data_picture_sink *sink);
gyre_status data_png_decode(const uint8_t *bytes, size_t size, const data_picture_sink *sink);

/* A small file may claim a picture that fills the memory. Those whose rows come one by one may
 * have 2^28 pixels, those that must be held whole (progressive, interlaced) 2^26. */
gyre_status data_pixels_check(uint32_t h, uint32_t w, bool held);

/* The orientation in an EXIF block ("II*" or "MM*" and on); 1 when it tells none. */
int data_exif_orientation(const uint8_t *tiff, size_t size);

#endif
