/* Running statistics of batch norms: a moving average of each step's. */
#include "element.h"
#include "operation.h"

/* running = (1 - momentum) running + momentum mean, where the step is finite */
__global__ void __launch_bounds__(GPU_BLOCK)
    running_kernel(uint64_t n, float inv_shards, float momentum, const float *moments,
                   const float *scalars, float *running) {
    if (!(scalars[GYRE_SCALAR_FINITE] > 0.0f)) return;
    for (uint64_t i = gpu_thread(); i < n; i += gpu_threads()) {
        float mean = inv_shards * moments[i];
        running[i] = (1.0f - momentum) * running[i] + momentum * mean;
    }
}
KERNEL(running_kernel);

gyre_status gpu_update_statistics(gyre_queue *q, size_t n, float inv_shards, float momentum,
                                  gyre_f32 moments, gyre_f32 scalars, gyre_f32 running) {
    if (n == 0) return GYRE_OK;
    LAUNCH(running_kernel, gpu_grid(n), GPU_BLOCK, 0, gpu_stream(q), n, inv_shards, momentum,
           gpu_floats(moments), gpu_floats(scalars), gpu_floats(running));
    return gpu_result(q, cudaGetLastError(), __func__);
}
