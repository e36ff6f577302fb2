/* Branches: streams beside `compute`, each with work memory and a cuDNN handle of its own, so that
 * the shards of a rank run side by side. One thread fills them one after the other; between them
 * and `compute` there are events only, and a step that is recorded records these as well: its
 * shards become branches of the graph. */
#include "fail.h"
#include "gpu.h"

#include <cudnn_graph.h>
#include <stdlib.h>

/* ---- a stream and what belongs to it */

gyre_status gpu_branch_open(gpu_backend *b, gpu_branch *branch) {
    GPU_TRY(b, cudaStreamCreateWithFlags(&branch->stream, cudaStreamNonBlocking));
    GPU_CUDNN_TRY(cudnnCreate(&branch->cudnn));
    GPU_CUDNN_TRY(cudnnSetStream(branch->cudnn, branch->stream));
    return GYRE_OK;
}

void gpu_branch_close(gpu_branch *branch) {
    if (branch->cudnn != NULL) cudnnDestroy(branch->cudnn);
    if (branch->stream != NULL) cudaStreamDestroy(branch->stream);
    branch->cudnn = NULL;
    branch->stream = NULL;
}

/* ---- how many */

/* A power of two, so that rounds of shards are whole; of what is free they may take half, since
 * evaluation, the plans' work memory and the training images follow. */
static int choose(const gpu_backend *b, int wanted, size_t bytes, size_t available) {
    int most = wanted < GPU_BRANCHES ? wanted : GPU_BRANCHES, count = 1;
    if (b->options.threads > 0 && b->options.threads < most) most = b->options.threads;
    if (b->options.timed) most = 1; /* a range ends when its work does */
    while (2 * count <= most && bytes <= available / 2 / (2 * (size_t)count)) count *= 2;
    return count;
}

gyre_status gpu_open_branches(gyre_backend *base, int wanted, size_t bytes, int *count) {
    gpu_backend *b = gpu_of(base);
    size_t available = 0, total = 0;
    GPU_TRY(b, cudaMemGetInfo(&available, &total));
    *count = choose(b, wanted, bytes, available);
    for (int i = 0; *count > 1 && i < *count; i++) {
        b->branch_queues[i] = (gpu_queue){{&b->base, i}, &b->branches[i]};
        if (b->branches[i].stream == NULL) GYRE_TRY(gpu_branch_open(b, &b->branches[i]));
    }
    return GYRE_OK;
}

gyre_queue *gpu_branch_queue(gyre_backend *base, int index) {
    return &gpu_of(base)->branch_queues[index].base;
}

/* ---- their order */

/* Room for event `number`, and the event. Recording a step needs none that was not there before. */
static gyre_status find_mark(gpu_backend *b, int number, cudaEvent_t *out) {
    if (number >= b->mark_count) {
        size_t room = (size_t)number + 1;
        cudaEvent_t *more = realloc(b->marks, room * sizeof(cudaEvent_t));
        if (more == NULL) return gyre_no_memory("the events of branches");
        b->marks = more;
        while (b->mark_count <= number) b->marks[b->mark_count++] = NULL;
    }
    if (b->marks[number] == NULL) {
        GPU_TRY(b, cudaEventCreateWithFlags(&b->marks[number], cudaEventDisableTiming));
    }
    *out = b->marks[number];
    return GYRE_OK;
}

gyre_status gpu_mark(gyre_queue *q, int number) {
    gpu_backend *b = gpu_of_queue(q);
    cudaEvent_t event = NULL;
    GYRE_TRY(find_mark(b, number, &event));
    GPU_TRY(b, cudaEventRecord(event, gpu_branch_of(q)->stream));
    return GYRE_OK;
}

gyre_status gpu_follow(gyre_queue *after, int number) {
    gpu_backend *b = gpu_of_queue(after);
    if (number >= b->mark_count || b->marks[number] == NULL) {
        return gyre_fail(GYRE_EDEVICE, "mark %d is followed before it is made", number);
    }
    GPU_TRY(b, cudaStreamWaitEvent(gpu_branch_of(after)->stream, b->marks[number], 0));
    return GYRE_OK;
}

void gpu_branches_close(gpu_backend *b) {
    for (int i = 0; i < b->mark_count; i++) {
        if (b->marks[i] != NULL) cudaEventDestroy(b->marks[i]);
    }
    free(b->marks);
    b->marks = NULL;
    b->mark_count = 0;
    for (int i = 0; i < GPU_BRANCHES; i++) gpu_branch_close(&b->branches[i]);
}
