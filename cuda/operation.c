/* The backend behind an operation's queue. */
#include "operation.h"
#include "gpu.h"

cudaStream_t gpu_stream(const gyre_queue *q) {
    return gpu_branch_of(q)->stream;
}

gyre_status gpu_work(gyre_queue *q, size_t bytes, void **out) {
    return gpu_workspace(q, bytes, out);
}

gyre_status gpu_copy(gyre_queue *q, void *to, const void *from, size_t bytes) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, gpu_stream(q)));
    return GYRE_OK;
}

gyre_status gpu_result(const gyre_queue *q, cudaError_t error, const char *function) {
    return error == cudaSuccess ? GYRE_OK : gpu_fail(gpu_of_queue(q), error, function);
}
