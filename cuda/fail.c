/* Errors of CUDA and cuDNN as messages. */
#include "fail.h"
#include "gpu.h"
#include "nvml.h"

#include <stdio.h>
#include <string.h>

gyre_status gpu_fail(const gpu_backend *b, cudaError_t error, const char *call) {
    bool memory = error == cudaErrorMemoryAllocation;
    char driver[48] = "";
    int xid = memory ? 0 : gpu_nvml_xid();
    if (xid != 0) snprintf(driver, sizeof driver, "; the driver reports Xid %d", xid);
    return gyre_fail(GYRE_EDEVICE, "rank %d, GPU %d (%s): %s failed in phase '%s': %s (%s)%s%s",
                     b->rank, b->device, b->properties != NULL ? b->properties->name : "?", call,
                     b->phase, cudaGetErrorString(error), cudaGetErrorName(error),
                     memory ? "; a smaller batch.size or evaluate.batch needs less memory" : "",
                     driver);
}

gyre_status gpu_cudnn_fail(cudnnStatus_t status, const char *what) {
    char message[512] = "";
    cudnnGetLastErrorString(message, sizeof message);
    message[strcspn(message, "\n")] = '\0';
    return gyre_fail(GYRE_EDEVICE, "cuDNN: %s: %s%s%s", what, cudnnGetErrorString(status),
                     message[0] == '\0' ? "" : ": ", message);
}
