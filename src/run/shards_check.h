/* Which numbers of ranks and shards fit together. Internal to src/run. */
#ifndef GYRE_RUN_SHARDS_CHECK_H
#define GYRE_RUN_SHARDS_CHECK_H

#include "gyre/settings.h"
#include "gyre/status.h"

/* GYRE_EUSAGE, with what would fit and what it would change, unless `ranks` ranks can share
 * `shards` shards of batches of `batch` samples. */
gyre_status gyre_shards_check(gyre_reduce reduce, int batch, int shards, int ranks);

/* The shards that would keep `workers` workers busy: the least number >= workers that the batch and
 * the reduction allow; 0 when there is none. */
int gyre_shards_for(gyre_reduce reduce, int batch, int workers);

#endif
