/* Stored images as a model takes them: as they are, or a part of each resized to a square.
 *
 * Resizing is done here, on the host and in integers, so that every backend and every machine sees
 * the same pixels. A fitter is scratch memory: one for each thread. */
#ifndef GYRE_FITTER_H
#define GYRE_FITTER_H

#include "gyre/dataset.h"
#include "gyre/sampler.h"

typedef struct gyre_fitter gyre_fitter;

/* For images of this shape. `size`: side of the square that comes out, 0 for images as stored. */
gyre_status gyre_fitter_open(const gyre_images *shape, int size, gyre_fitter **out);
void gyre_fitter_close(gyre_fitter *f);

/* Reads row `row`; `out` gets (size, size, c) of the part `crop`, or of the middle where it is
 * NULL; the image itself without a size. GYRE_EIO as gyre_images_read. */
gyre_status gyre_fitter_read(gyre_fitter *f, const gyre_images *images, int64_t row,
                             const gyre_crop *crop, uint8_t *out);

/* The weights of all such parts, for a device that resizes them. *out NULL: images are too large
 * for a table of them. */
gyre_status gyre_resizing_open(const gyre_images *shape, int size, gyre_resizing **out);
void gyre_resizing_close(gyre_resizing *r);

/* Room for other work on a sample: the same at each call with as many bytes or fewer. */
gyre_status gyre_fitter_spare(gyre_fitter *f, size_t bytes, void **out);

#endif
