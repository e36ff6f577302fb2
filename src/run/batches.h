/* A run's loader. Internal to src/run. */
#ifndef GYRE_RUN_BATCHES_H
#define GYRE_RUN_BATCHES_H

#include "gyre/trainer.h"

/* Threads of this rank that read batches: data.readers, or else as many as compute, at most
 * GYRE_DEFAULT_READERS_MAX. */
int run_batches_readers(const gyre_trainer *t);

/* This rank's part of the batches of steps first..last-1, by t->seed. */
gyre_status run_batches_open(const gyre_trainer *t, int64_t first, int64_t last, gyre_loader **out);

#endif
