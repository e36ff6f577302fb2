/* The CUDA backend's table: opening and closing, memory, the order of tasks, names for profilers.
 */
#include "gpu.h"
#include "operation.h"

#include <nvtx3/nvToolsExt.h>
#include <stdlib.h>

/* ---- opening and closing */

/* A device that does not come back would not come back from cudaFree either: then what is left is
 * the process's end to free. */
static void gpu_close(gyre_backend *base) {
    gpu_backend *b = gpu_of(base);
    if (b == NULL || b->lost) return;
    if (b->idle != NULL) gpu_drain_quietly(b);
    if (b->lost) return;
    gpu_recorder_close(b->recorder);
    b->recorder = NULL;
    gpu_input_close(b->input);
    gpu_collective_close(b->collective);
    gpu_plans_close(b->plans);
    gpu_staging_close(b->staging);
    gpu_scratch_close(b);
    gpu_branches_close(b);
    if (b->idle != NULL) cudaEventDestroy(b->idle);
    gpu_branch_close(&b->trunk);
    if (b->copy != NULL) cudaStreamDestroy(b->copy);
    if (b->reduce != NULL) cudaStreamDestroy(b->reduce);
    free(b->properties);
    free(b);
}

static gyre_status open_streams(gpu_backend *b) {
    int least = 0, greatest = 0;
    GYRE_TRY(gpu_branch_open(b, &b->trunk));
    b->compute = b->trunk.stream;
    GPU_TRY(b, cudaStreamCreateWithFlags(&b->copy, cudaStreamNonBlocking));
    GPU_TRY(b, cudaDeviceGetStreamPriorityRange(&least, &greatest));
    GPU_TRY(b, cudaStreamCreateWithPriority(&b->reduce, cudaStreamNonBlocking, greatest));
    GPU_TRY(b, cudaEventCreateWithFlags(&b->idle, cudaEventDisableTiming));
    return GYRE_OK;
}

static gyre_status open_parts(gpu_backend *b) {
    GYRE_TRY(open_streams(b));
    GYRE_TRY(gpu_staging_open(b, &b->staging));
    GYRE_TRY(gpu_input_open(b, &b->input));
    GYRE_TRY(gpu_recorder_open(b, &b->recorder));
    return gpu_plans_open(b, &b->plans);
}

static void set_up(gpu_backend *b, const gyre_backend_options *options, gyre_comm *comm) {
    b->base = (gyre_backend){
        .ops = &gyre_cuda_ops,
        .main = &b->main.base,
        .lanes = 1,
        .packs_plainly = true,
        .act_size = options->precision == GYRE_PRECISION_BF16 ? sizeof(uint16_t) : sizeof(float)};
    b->lane = (gpu_queue){{&b->base, 0}, &b->trunk};
    b->main = (gpu_queue){{&b->base, -1}, &b->trunk};
    b->options = *options;
    b->options.graph = options->graph && !options->timed; /* a replayed step passes no names */
    b->comm = comm;
    b->rank = comm == NULL ? 0 : gyre_comm_rank(comm);
    b->ranks = comm == NULL ? 1 : gyre_comm_size(comm);
    b->phase = "opening the GPU";
}

static gyre_status gpu_open(const gyre_backend_options *options, gyre_comm *comm,
                            gyre_backend **out) {
    gpu_backend *b = calloc(1, sizeof *b);
    gyre_status status = b != NULL ? GYRE_OK : gyre_no_memory("opening the GPU");
    if (comm != NULL) status = gyre_comm_agree(comm, status);
    GYRE_GOTO(status);
    set_up(b, options, comm);
    GYRE_GOTO(gpu_device_open(b));
    status = open_parts(b);
    if (comm != NULL) status = gyre_comm_agree(comm, status);
    GYRE_GOTO(status);
    GYRE_GOTO(gpu_collective_open(b, &b->collective));
    gpu_device_describe(b, 0);
    b->phase = "set-up";
    *out = &b->base;
    b = NULL;
out:
    if (b != NULL) gpu_close(&b->base);
    return status;
}

static const char *gpu_describe(const gyre_backend *base) {
    return ((const gpu_backend *)(const void *)base)->description;
}

/* ---- memory */

static gyre_status gpu_alloc(gyre_backend *base, size_t bytes, gyre_raw *out) {
    gpu_backend *b = gpu_of(base);
    void *p = NULL;
    GPU_TRY(b, cudaMalloc(&p, bytes > 0 ? bytes : 1));
    if (b->options.poison) {
        cudaError_t error = cudaMemsetAsync(p, 0xff, bytes, b->compute);
        if (error != cudaSuccess) {
            cudaFree(p);
            return gpu_fail(b, error, "cudaMemsetAsync");
        }
    }
    *out = p;
    return GYRE_OK;
}

/* What is queued may still use it, and a recorded step too. */
static void gpu_release(gyre_backend *base, gyre_raw p) {
    gpu_backend *b = gpu_of(base);
    if (p == NULL) return;
    gpu_drain_quietly(b);
    if (b->lost) return;
    gpu_recorder_forget(b->recorder);
    gpu_scratch_forget(b);
    cudaFree(p);
}

static gyre_status gpu_upload(gyre_queue *q, gyre_f32 dst, const float *src, size_t n) {
    gpu_backend *b = gpu_of_queue(q);
    return gpu_staging_send(b, gpu_stream(q), dst, src, n * sizeof *src);
}

static gyre_status gpu_download(gyre_queue *q, float *dst, gyre_f32 src, size_t n) {
    gpu_backend *b = gpu_of_queue(q);
    return gpu_staging_fetch(b, gpu_stream(q), dst, src, n * sizeof *dst);
}

/* Whatever ran beside compute, compute has waited for. */
static gyre_status gpu_sync(gyre_backend *base) {
    gpu_backend *b = gpu_of(base);
    GPU_TRY(b, cudaEventRecord(b->idle, b->compute));
    return gpu_wait(b, b->idle, "the work so far");
}

/* ---- order and names */

static gyre_status gpu_parallel(gyre_backend *base, int n, gyre_task task, void *context) {
    gpu_backend *b = gpu_of(base);
    for (int i = 0; i < n; i++) GYRE_TRY(task(context, &b->lane.base, i));
    return GYRE_OK;
}

static gyre_status gpu_record(gyre_backend *base, gyre_body body, void *context) {
    gpu_backend *b = gpu_of(base);
    GYRE_TRY(gpu_recorder_run(b, body, context));
    return gpu_input_passed(b->input);
}

/* Ranges that nest deeper than anyone looks only count. A wait that fails is found again by the
 * next one. */
static void gpu_range_push(gyre_backend *base, const char *name) {
    gpu_backend *b = gpu_of(base);
    if (b->depth < GPU_PHASES) b->phases[b->depth] = b->phase;
    b->depth++;
    b->phase = name;
    nvtxRangePushA(name);
}

static void gpu_range_pop(gyre_backend *base) {
    gpu_backend *b = gpu_of(base);
    if (b->options.timed) (void)gpu_sync(base);
    if (b->depth == 0) return;
    b->depth--;
    if (b->depth < GPU_PHASES) b->phase = b->phases[b->depth];
    if (b->depth == 0 && b->ran) b->phase = "between steps"; /* no longer set-up */
    nvtxRangePop();
}

#define GPU_ROW(op, ...) , .op = gpu_##op
const gyre_backend_ops gyre_cuda_ops = {
    .name = "cuda",
    .available = gpu_available,
    .list_devices = gpu_list_devices,
    .open = gpu_open,
    .close = gpu_close,
    .describe = gpu_describe,
    .alloc = gpu_alloc,
    .release = gpu_release,
    .upload = gpu_upload,
    .download = gpu_download,
    .sync = gpu_sync,
    .read_later = gpu_read_later,
    .read = gpu_read,
    .parallel = gpu_parallel,
    .open_branches = gpu_open_branches,
    .branch = gpu_branch_queue,
    .mark = gpu_mark,
    .follow = gpu_follow,
    .cache_images = gpu_cache_images,
    .resize_crops = gpu_resize_crops,
    .prefetch_batch = gpu_prefetch_batch,
    .prepare = gpu_prepare,
    .record = gpu_record,
    .range_push = gpu_range_push,
    .range_pop = gpu_range_pop,
    .batch_load = gpu_batch_load,
    .reduce_begin = gpu_reduce_begin,
    .reduce_end = gpu_reduce_end GYRE_OPS(GPU_ROW, GPU_ROW) GYRE_OP_SIZES(GPU_ROW),
};
