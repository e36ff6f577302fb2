/* Sums over ranks by NCCL, on the reduce stream beside the rest of backward.
 *
 * fast: ncclAllReduce. exact: the tree of gyre_comm_reduce_exact, and its bits. Every rank gets one
 * slice of the vector from all ranks, adds them as the tree does, and all gather the slices; what
 * does not divide by the ranks goes to everybody. */
#include "collective.h"
#include "kernels.h"

static gyre_status all_reduce(gpu_collective *c, float *x, size_t n) {
    cudaStream_t stream = c->b->reduce;
    return gpu_collective_settle(c, ncclAllReduce(x, x, n, ncclFloat, ncclSum, c->nccl, stream),
                                 "ncclAllReduce");
}

static ncclResult_t swap(gpu_collective *c, int peer, const float *give, float *get, size_t n) {
    if (n == 0) return ncclSuccess;
    ncclResult_t result = ncclSend(give, n, ncclFloat, peer, c->nccl, c->b->reduce);
    if (result != ncclSuccess) return result;
    return ncclRecv(get, n, ncclFloat, peer, c->nccl, c->b->reduce);
}

/* Slice r of x, `part` floats, and all of the `rest` behind them go to rank r; what comes back lies
 * in work: (ranks, part), then (ranks, rest). A group that was begun is ended in any case. */
static gyre_status exchange(gpu_collective *c, const float *x, size_t part, size_t rest,
                            float *work) {
    size_t ranks = (size_t)c->b->ranks, mine = (size_t)c->b->rank;
    ncclResult_t result = ncclGroupStart();
    if (result != ncclSuccess) return gpu_collective_settle(c, result, "ncclGroupStart");
    for (size_t r = 0; r < ranks && result == ncclSuccess; r++) {
        if (r == mine) continue;
        result = swap(c, (int)r, x + r * part, work + r * part, part);
        if (result != ncclSuccess) break;
        result = swap(c, (int)r, x + ranks * part, work + ranks * part + r * rest, rest);
    }
    ncclResult_t end = ncclGroupEnd();
    return gpu_collective_settle(c, result != ncclSuccess ? result : end,
                                 "ncclSend/ncclRecv of slices");
}

static gyre_status copy_floats(gpu_backend *b, float *to, const float *from, size_t n) {
    if (n == 0) return GYRE_OK;
    GPU_TRY(b, cudaMemcpyAsync(to, from, n * sizeof *to, cudaMemcpyDeviceToDevice, b->reduce));
    return GYRE_OK;
}

static gyre_status reduce_exact(gpu_collective *c, float *x, size_t n) {
    gpu_backend *b = c->b;
    size_t ranks = (size_t)b->ranks, mine = (size_t)b->rank;
    size_t part = n / ranks, rest = n % ranks;
    GYRE_TRY(gpu_scratch_grow(b, &b->slices, ranks * (part + rest) * sizeof(float)));
    float *work = b->slices.memory, *tails = work + ranks * part;
    float *slice = x + mine * part, *tail = x + ranks * part;
    GYRE_TRY(copy_floats(b, work + mine * part, slice, part));
    GYRE_TRY(copy_floats(b, tails + mine * rest, tail, rest));
    GYRE_TRY(exchange(c, x, part, rest, work));
    if (rest > 0) GPU_TRY(b, gpu_tree_launch(b->reduce, rest, b->ranks, rest, tails, tail));
    if (part > 0) {
        GPU_TRY(b, gpu_tree_launch(b->reduce, part, b->ranks, part, work, slice));
        GYRE_TRY(gpu_collective_settle(
            c, ncclAllGather(slice, x, part, ncclFloat, c->nccl, b->reduce), "ncclAllGather"));
    }
    return GYRE_OK;
}

gyre_status gpu_reduce_begin(gyre_backend *base, gyre_f32 x, size_t n) {
    gpu_backend *b = gpu_of(base);
    gpu_collective *c = b->collective;
    if (b->ranks == 1 || n == 0) return GYRE_OK;
    if (c == NULL || c->nccl == NULL) {
        return gyre_fail(GYRE_EPEER, "rank %d: the GPUs are not connected any more", b->rank);
    }
    GPU_TRY(b, cudaEventRecord(c->ready, b->compute));
    GPU_TRY(b, cudaStreamWaitEvent(b->reduce, c->ready, 0));
    c->begun = true;
    float *data = (float *)(void *)x;
    return c->exact ? reduce_exact(c, data, n) : all_reduce(c, data, n);
}

gyre_status gpu_reduce_end(gyre_backend *base) {
    gpu_backend *b = gpu_of(base);
    gpu_collective *c = b->collective;
    if (c == NULL || !c->begun) return GYRE_OK;
    c->begun = false;
    GPU_TRY(b, cudaEventRecord(c->done, b->reduce));
    GPU_TRY(b, cudaStreamWaitEvent(b->compute, c->done, 0));
    return GYRE_OK;
}
