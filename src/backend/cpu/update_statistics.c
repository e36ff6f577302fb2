/* Running statistics of batch norms: a moving average of each step's. */
#include "cpu.h"

gyre_status cpu_update_statistics(gyre_queue *q, size_t n, float inv_shards, float momentum,
                                  gyre_f32 moments, gyre_f32 scalars, gyre_f32 running) {
    (void)q;
    if (!(cpu_f32(scalars)[GYRE_SCALAR_FINITE] > 0)) return GYRE_OK;
    for (size_t i = 0; i < n; i++) {
        float mean = inv_shards * cpu_f32(moments)[i];
        cpu_f32(running)[i] = (1.0f - momentum) * cpu_f32(running)[i] + momentum * mean;
    }
    return GYRE_OK;
}
