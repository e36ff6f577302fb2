/* Sums over ranks by NCCL, on the reduce stream beside the rest of backward.
 *
 * fast: ncclAllReduce. exact: the tree of gyre_comm_reduce_exact, and its bits, by levels
 * (gyre/reduction.h): every member gets one slice of the vector from all members and adds them as
 * the tree does; when the last level has summed, the members of each gather their slices. */
#include "collective.h"
#include "kernels.h"

static gyre_status all_reduce(gpu_collective *c, float *x, size_t n) {
    cudaStream_t stream = c->b->reduce;
    ncclComm_t nccl = c->comms[0];
    return gpu_collective_settle(c, nccl, ncclAllReduce(x, x, n, ncclFloat, ncclSum, nccl, stream),
                                 "ncclAllReduce");
}

/* ---- exact */

/* A level's slices of n floats: of all members, of this rank, and how far apart its copies lie in
 * work memory, where each begins as aligned as the first. */
typedef struct {
    const gpu_level *level;
    int place;
    gyre_slice mine;
    size_t n, stride;
} cut;

static cut cut_of(const gpu_collective *c, int k, size_t n) {
    const gpu_level *l = &c->levels[k];
    int place = gyre_level_place(&l->plan, c->b->rank);
    gyre_slice mine = gyre_level_slice(&l->plan, n, place);
    return (cut){l, place, mine, n, (mine.count + 3) / 4 * 4};
}

/* The slice of `peer` goes to it, and what it has of this rank's comes to `get`. */
static ncclResult_t swap(gpu_collective *c, const cut *s, int peer, const float *x, float *get) {
    const gpu_level *l = s->level;
    gyre_slice theirs = gyre_level_slice(&l->plan, s->n, peer);
    ncclResult_t result = ncclSuccess;
    if (theirs.count > 0) {
        result = ncclSend(x + theirs.begin, theirs.count, ncclFloat, peer, l->nccl, c->b->reduce);
    }
    if (result != ncclSuccess || s->mine.count == 0) return result;
    return ncclRecv(get, s->mine.count, ncclFloat, peer, l->nccl, c->b->reduce);
}

/* What the members have of this rank's slice comes to work(members, stride). A group that was begun
 * is ended in any case. */
static gyre_status exchange(gpu_collective *c, const cut *s, const float *x, float *work) {
    ncclComm_t nccl = s->level->nccl;
    ncclResult_t result = ncclGroupStart();
    if (result != ncclSuccess) return gpu_collective_settle(c, nccl, result, "ncclGroupStart");
    for (int r = 0; r < s->level->plan.ranks && result == ncclSuccess; r++) {
        if (r != s->place) result = swap(c, s, r, x, work + (size_t)r * s->stride);
    }
    ncclResult_t end = ncclGroupEnd();
    return gpu_collective_settle(c, nccl, result != ncclSuccess ? result : end,
                                 "ncclSend/ncclRecv of slices");
}

/* The members' slices become whole: parts of one size, then the rest, which the last one has. */
static gyre_status gather(gpu_collective *c, const cut *s, float *x) {
    const gyre_level *l = &s->level->plan;
    ncclComm_t nccl = s->level->nccl;
    cudaStream_t stream = c->b->reduce;
    size_t part = gyre_level_slice(l, s->n, 0).count, parts = part * (size_t)l->ranks;
    ncclResult_t result = ncclGroupStart();
    if (result != ncclSuccess) return gpu_collective_settle(c, nccl, result, "ncclGroupStart");
    if (part > 0) {
        result = ncclAllGather(x + (size_t)s->place * part, x, part, ncclFloat, nccl, stream);
    }
    if (result == ncclSuccess && s->n > parts) {
        result = ncclBroadcast(x + parts, x + parts, s->n - parts, ncclFloat, l->ranks - 1, nccl,
                               stream);
    }
    ncclResult_t end = ncclGroupEnd();
    return gpu_collective_settle(c, nccl, result != ncclSuccess ? result : end,
                                 "ncclAllGather/ncclBroadcast of slices");
}

/* This rank's slice of x becomes the sum of all members'. */
static gyre_status sum_slice(gpu_collective *c, const cut *s, float *x, float *work) {
    gpu_backend *b = c->b;
    size_t n = s->mine.count;
    float *slice = x + s->mine.begin;
    if (n > 0) {
        GPU_TRY(b, cudaMemcpyAsync(work + (size_t)s->place * s->stride, slice, n * sizeof *slice,
                                   cudaMemcpyDeviceToDevice, b->reduce));
    }
    GYRE_TRY(exchange(c, s, x, work));
    if (n > 0)
        GPU_TRY(b, gpu_tree_launch(b->reduce, n, s->level->plan.ranks, s->stride, work, slice));
    return GYRE_OK;
}

static gyre_status reduce_exact(gpu_collective *c, float *x, size_t n) {
    cut cuts[GYRE_LEVELS_MAX];
    float *parts[GYRE_LEVELS_MAX]; /* what each level cuts */
    size_t floats = 0;
    int levels = 0;
    for (; levels < c->level_count && n > 0; levels++) {
        cut *s = &cuts[levels];
        *s = cut_of(c, levels, n);
        parts[levels] = x;
        x += s->mine.begin;
        n = s->mine.count;
        size_t need = s->stride * (size_t)s->level->plan.ranks;
        if (need > floats) floats = need;
    }
    GYRE_TRY(gpu_scratch_grow(c->b, &c->b->slices, floats * sizeof(float)));
    float *work = c->b->slices.memory;
    for (int k = 0; k < levels; k++) GYRE_TRY(sum_slice(c, &cuts[k], parts[k], work));
    for (int k = levels - 1; k >= 0; k--) GYRE_TRY(gather(c, &cuts[k], parts[k]));
    return GYRE_OK;
}

gyre_status gpu_reduce_begin(gyre_backend *base, gyre_f32 x, size_t n) {
    gpu_backend *b = gpu_of(base);
    gpu_collective *c = b->collective;
    if (n == 0 || (b->ranks == 1 && c == NULL)) return GYRE_OK;
    if (c == NULL || c->comms[0] == NULL) {
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
