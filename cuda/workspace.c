/* Memory that the operations of a stream share one after the other. It grows while the first step
 * runs; afterwards its address is inside the recorded step, so that a larger one (an evaluation's)
 * is put beside it. Nothing is forgotten then: whether a rank replays must not depend on what only
 * that rank does. */
#include "gpu.h"

static gyre_status retire(gpu_backend *b, gpu_scratch *s) {
    const int room = (int)(sizeof b->retired / sizeof b->retired[0]);
    if (b->retired_count == room) {
        return gyre_fail(GYRE_EDEVICE, "the GPU's work memory has grown behind %d recorded steps",
                         room);
    }
    b->retired[b->retired_count++] = s->memory;
    *s = (gpu_scratch){0};
    return GYRE_OK;
}

gyre_status gpu_scratch_grow(gpu_backend *b, gpu_scratch *s, size_t bytes) {
    if (b->recording && s->memory != NULL) s->recorded = true;
    if (bytes <= s->size) return GYRE_OK;
    if (b->recording) {
        return gyre_fail(GYRE_EDEVICE,
                         "a recorded step needs %zu bytes of work memory, %zu when it ran before; "
                         "its operations must be the same every time",
                         bytes, s->size);
    }
    if (s->recorded) {
        GYRE_TRY(retire(b, s));
    } else if (s->memory != NULL) {
        GYRE_TRY(gpu_drain(b, "the work before its memory grows"));
        void *old = s->memory;
        *s = (gpu_scratch){0};
        GPU_TRY(b, cudaFree(old));
    }
    GPU_TRY(b, cudaMalloc(&s->memory, bytes));
    s->size = bytes;
    return GYRE_OK;
}

gyre_status gpu_workspace(gyre_queue *q, size_t bytes, void **out) {
    gpu_branch *branch = gpu_branch_of(q);
    GYRE_TRY(gpu_scratch_grow(gpu_of_queue(q), &branch->workspace, bytes));
    *out = branch->workspace.memory;
    return GYRE_OK;
}

void gpu_scratch_forget(gpu_backend *b) {
    for (int i = 0; i < b->retired_count; i++) cudaFree(b->retired[i]);
    b->retired_count = 0;
    b->trunk.workspace.recorded = b->slices.recorded = false;
    for (int i = 0; i < GPU_BRANCHES; i++) b->branches[i].workspace.recorded = false;
}

static void close_scratch(gpu_scratch *s) {
    cudaFree(s->memory);
    *s = (gpu_scratch){0};
}

void gpu_scratch_close(gpu_backend *b) {
    gpu_scratch_forget(b);
    close_scratch(&b->trunk.workspace);
    close_scratch(&b->slices);
    for (int i = 0; i < GPU_BRANCHES; i++) close_scratch(&b->branches[i].workspace);
}
