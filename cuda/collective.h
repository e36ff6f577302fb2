/* What collective.c and reduce.c share. */
#ifndef GYRE_CUDA_COLLECTIVE_H
#define GYRE_CUDA_COLLECTIVE_H

#include "gpu.h"
#include "gyre/reduction.h"
#include <nccl.h>

/* A level of the exact reduction, and who takes part in it. */
typedef struct {
    gyre_level plan;
    ncclComm_t nccl; /* of this rank's group: members as the plan places them */
} gpu_level;

struct gpu_collective {
    gpu_backend *b;
    /* All ranks; and where the exact reduction has two levels, the group of each, made from it. */
    ncclComm_t comms[1 + GYRE_LEVELS_MAX];
    gpu_level levels[GYRE_LEVELS_MAX];
    int level_count;
    cudaEvent_t ready, done; /* on compute: x may be summed; on reduce: the sums are there */
    bool begun;              /* since the last end */
    bool exact;
};

/* Waits until the host's part of `call` with `nccl`, which returned `result`, is done; else aborts
 * all. */
gyre_status gpu_collective_settle(gpu_collective *c, ncclComm_t nccl, ncclResult_t result,
                                  const char *call);

#endif
