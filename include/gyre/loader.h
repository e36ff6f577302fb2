/* Batches prepared ahead of training by threads of each rank, settings->readers of them.
 *
 * A batch holds this rank's part of step t's global batch: raw pixels gathered from the
 * dataset and the rows they came from, labels, and how each image is to be augmented. Which ones is
 * the sampler's business; the loader only changes when they are read, so neither its depth nor the
 * number of threads can change a bit, or which of several samples that cannot be read is named: the
 * first one. */
#ifndef GYRE_LOADER_H
#define GYRE_LOADER_H

#include "gyre/batch.h"
#include "gyre/dataset.h"
#include "gyre/sampler.h"

typedef struct gyre_loader gyre_loader;

/* What batches hold of images. */
typedef enum {
    GYRE_LOAD_IMAGES, /* them, as the network sees them */
    GYRE_LOAD_ROWS,   /* nothing but rows: the device keeps the images; it resizes parts as well */
    GYRE_LOAD_LINES   /* the lines of parts, which the device resizes */
} gyre_load;

/* Prepares steps first_step..last_step-1; samples first..first+count-1 of each global batch. The
 * dataset and the view stay valid until close. */
gyre_status gyre_loader_open(const gyre_view *train, const gyre_data_settings *settings,
                             gyre_epochs epochs, uint64_t seed, int64_t first, int64_t count,
                             int64_t first_step, int64_t last_step, gyre_load load,
                             gyre_loader **out);

/* The next step's batch; valid until the next call of gyre_loader_next but one, so that a device
 * may still be copying the previous one. Waits when training is faster than the disk. GYRE_EIO: a
 * sample cannot be read, and all steps before are handed out. */
gyre_status gyre_loader_next(gyre_loader *l, gyre_batch *out);
void gyre_loader_close(gyre_loader *l); /* stops and joins the threads */

#endif
