/* The loader's depth, for its test. Internal to src/data. */
#ifndef GYRE_DATA_LOADER_TEST_H
#define GYRE_DATA_LOADER_TEST_H

#include "gyre/loader.h"

/* As gyre_loader_open, with `depth` >= 3 batches in the ring: two that the caller may still read,
 * and one or more that are prepared ahead. */
gyre_status data_loader_open_ring(const gyre_view *train, const gyre_data_settings *settings,
                                  gyre_epochs epochs, uint64_t seed, int64_t first, int64_t count,
                                  int64_t first_step, int64_t last_step, gyre_load load, int depth,
                                  gyre_loader **out);

#endif
