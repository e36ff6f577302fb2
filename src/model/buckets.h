/* In which parts, and when, a leaf is reduced over ranks. Internal to src/model. */
#ifndef GYRE_MODEL_BUCKETS_H
#define GYRE_MODEL_BUCKETS_H

#include "gyre/net.h"

typedef struct {
    size_t offset, count; /* floats of the leaf, on 64-byte boundaries */
    int node;             /* complete once backward has passed it; node_count: before it begins */
} leaf_bucket;

/* A bucket is closed when it has these many bytes. The first one is small, so that the network has
 * something to do soon. The sizes are those of PyTorch's DistributedDataParallel. */
enum { BUCKET_FIRST = 1 << 20, BUCKET_BYTES = 25 << 20 };

/* Cuts a leaf into buckets, in the order in which they are complete. free() the result. */
gyre_status buckets_plan(const gyre_model *m, size_t first, size_t bytes, leaf_bucket **out,
                         int *count);

#endif
