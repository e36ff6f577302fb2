/* Which numbers of ranks and shards fit together. Internal to src/run. */
#ifndef GYRE_RUN_SHARDS_CHECK_H
#define GYRE_RUN_SHARDS_CHECK_H

#include "gyre/model.h"
#include "gyre/settings.h"
#include "gyre/status.h"

/* GYRE_EUSAGE, with what would fit and what it would change, unless `ranks` ranks can share
 * `shards` shards of batches of `batch` samples. */
gyre_status run_shards_check(gyre_reduce reduce, int batch, int shards, int ranks);

/* The shards that would keep `workers` workers busy: the least number >= workers that the batch and
 * the reduction allow; 0 when there is none. */
int run_shards_for(gyre_reduce reduce, int batch, int workers);

/* The fewest values that a batch norm of the model has for a channel's mean and variance in a shard
 * of `samples`, and its layer; 0 when statistics are not computed. */
int64_t run_shards_norm_values(const gyre_model *m, int samples, const char **layer);

/* GYRE_EUSAGE when that is 1: the value is its own mean, so the layer's output and its gradient are
 * constants, and nothing before it is trained. */
gyre_status run_shards_check_norms(const gyre_model *m, gyre_reduce reduce, int batch, int shards);

#endif
