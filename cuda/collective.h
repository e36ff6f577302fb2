/* What collective.c and reduce.c share. */
#ifndef GYRE_CUDA_COLLECTIVE_H
#define GYRE_CUDA_COLLECTIVE_H

#include "gpu.h"
#include <nccl.h>

struct gpu_collective {
    gpu_backend *b;
    ncclComm_t nccl;
    cudaEvent_t ready, done; /* on compute: x may be summed; on reduce: the sums are there */
    bool begun;              /* since the last end */
    bool exact;
};

/* Waits until the host's part of `call`, which returned `result`, is done; else aborts. */
gyre_status gpu_collective_settle(gpu_collective *c, ncclResult_t result, const char *call);

#endif
