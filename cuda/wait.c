/* The only place where the host waits for the device: by polling, since a blind wait could neither
 * hear of a dead peer nor end. */
#include "gpu.h"

#include <stdio.h>

/* A rank by itself has no one else to blame. */
static gyre_status out_of_time(gpu_backend *b, const char *what) {
    b->lost = true;
    if (b->ranks == 1) {
        return gyre_fail(GYRE_EDEVICE,
                         "GPU %d (%s) did not finish %s in %.0f s, in phase '%s'; `nvidia-smi` and "
                         "the kernel's log (Xid) may tell why; %s sets the limit",
                         b->device, b->properties->name, what, gpu_deadline(b), b->phase,
                         gpu_deadline_key(b));
    }
    return gyre_fail(GYRE_EPEER,
                     "rank %d, GPU %d (%s): %s did not finish in %.0f s, in phase '%s'; another "
                     "rank may be dead or stuck, see what it says; %s sets the limit",
                     b->rank, b->device, b->properties->name, what, gpu_deadline(b), b->phase,
                     gpu_deadline_key(b));
}

static gyre_status poll(gpu_backend *b, cudaEvent_t event, const char *what, bool *waited) {
    gpu_patience patience = {0};
    for (;;) {
        cudaError_t error = cudaEventQuery(event);
        if (error == cudaSuccess) return GYRE_OK;
        if (error != cudaErrorNotReady) return gpu_fail(b, error, what);
        *waited = true;
        GYRE_TRY(gpu_collective_poll(b));
        if (!gpu_be_patient(b, &patience)) return out_of_time(b, what);
    }
}

gyre_status gpu_wait(gpu_backend *b, cudaEvent_t event, const char *what) {
    bool waited = false;
    if (b->lost) return GYRE_EDEVICE; /* said before */
    gyre_status status = poll(b, event, what, &waited);
    if (status != GYRE_OK) {
        gpu_collective_abort(b->collective, status);
    } else if (waited) {
        (void)cudaGetLastError(); /* "not ready" is no error that the next launch should find */
    }
    return status;
}

static gyre_status drain(gpu_backend *b, cudaStream_t stream, const char *what) {
    GPU_TRY(b, cudaEventRecord(b->idle, stream));
    return gpu_wait(b, b->idle, what);
}

gyre_status gpu_drain(gpu_backend *b, const char *what) {
    const cudaStream_t streams[] = {b->copy, b->reduce, b->compute};
    for (size_t i = 0; i < sizeof streams / sizeof streams[0]; i++) {
        GYRE_TRY(drain(b, streams[i], what));
    }
    for (int i = 0; i < GPU_BRANCHES && b->branches[i].stream != NULL; i++) {
        GYRE_TRY(drain(b, b->branches[i].stream, what));
    }
    return GYRE_OK;
}

void gpu_drain_quietly(gpu_backend *b) {
    char said[GYRE_ERROR_MAX];
    snprintf(said, sizeof said, "%s", gyre_error_text());
    if (gpu_drain(b, "the work before its memory is freed") != GYRE_OK) {
        (void)gyre_fail(GYRE_EDEVICE, "%s", said);
    }
}
