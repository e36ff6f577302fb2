/* A run's loader. Internal to src/run. */
#ifndef GYRE_RUN_BATCHES_H
#define GYRE_RUN_BATCHES_H

#include "gyre/trainer.h"

/* Threads of this rank that read batches: data.readers, or else as many as compute, at most
 * GYRE_DEFAULT_READERS_MAX. */
int run_batches_readers(const gyre_trainer *t);

/* Offers to leave resizing of a view's images to the device. */
gyre_status run_batches_resize(gyre_backend *b, const gyre_view *view, bool *taken);

/* Offers training images to the device, and resizing: t->load says what it needs from now on. */
gyre_status run_batches_prepare(gyre_trainer *t);

/* This rank's part of the batches of steps first..last-1, by t->seed. */
gyre_status run_batches_open(const gyre_trainer *t, int64_t first, int64_t last, gyre_loader **out);

#endif
