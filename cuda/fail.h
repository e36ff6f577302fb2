/* GYRE_TRY for cuDNN; gpu.h has the one for the CUDA runtime. */
#ifndef GYRE_CUDA_FAIL_H
#define GYRE_CUDA_FAIL_H

#include "gyre/status.h"
#include <cudnn_graph.h>

/* GYRE_EDEVICE with cuDNN's name for `status` and its last message. */
gyre_status gpu_cudnn_fail(cudnnStatus_t status, const char *what);
#define GPU_CUDNN_TRY(call)                                                                        \
    do {                                                                                           \
        cudnnStatus_t gpu_status_ = (call);                                                        \
        if (gpu_status_ != CUDNN_STATUS_SUCCESS) return gpu_cudnn_fail(gpu_status_, #call);        \
    } while (0)

#endif
