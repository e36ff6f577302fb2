/* A program of several ranks for the fake NCCL: test_fakes.sh runs it under every order. Each rank
 * reduces, gathers and exchanges vectors on a stream of its own, waits by polling, and meets the
 * others in MPI at places where its device still has work. */
#include "fake.h"

#include <cstdio>
#include <cstring>
#include <mpi.h>
#include <nccl.h>
#include <string>
#include <vector>

static int rank, ranks;

static void need(bool right, const char *what) {
    if (right) return;
    printf("rank %d: wrong: %s\n", rank, what);
    fflush(stdout);
    MPI_Abort(MPI_COMM_WORLD, 1);
}
#define NEED(condition) need(condition, #condition)

enum { N = 1000 };

struct World {
    ncclComm_t comm;
    cudaStream_t compute, reduce;
    cudaEvent_t ready, done;
    float *x, *all;
    float *host; /* pinned */
};

/* The host's part of a call is done: of one of a non-blocking communicator perhaps later. */
static bool settled(World *w, ncclResult_t result) {
    while (result == ncclInProgress) NEED(ncclCommGetAsyncError(w->comm, &result) == ncclSuccess);
    return result == ncclSuccess;
}

static ncclResult_t join(World *w, int device) {
    ncclUniqueId id;
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    NEED(cudaSetDevice(device) == cudaSuccess);
    if (rank == 0) NEED(ncclGetUniqueId(&id) == ncclSuccess);
    MPI_Bcast(&id, sizeof id, MPI_BYTE, 0, MPI_COMM_WORLD);
    return ncclCommInitRankConfig(&w->comm, ranks, id, rank, &config);
}

static void open_world(World *w) {
    NEED(settled(w, join(w, rank)));
    NEED(cudaStreamCreateWithFlags(&w->compute, cudaStreamNonBlocking) == cudaSuccess);
    NEED(cudaStreamCreateWithFlags(&w->reduce, cudaStreamNonBlocking) == cudaSuccess);
    NEED(cudaEventCreateWithFlags(&w->ready, cudaEventDisableTiming) == cudaSuccess);
    NEED(cudaEventCreateWithFlags(&w->done, cudaEventDisableTiming) == cudaSuccess);
    NEED(cudaMalloc((void **)&w->x, N * sizeof(float)) == cudaSuccess);
    NEED(cudaMalloc((void **)&w->all, (size_t)ranks * N * sizeof(float)) == cudaSuccess);
    NEED(cudaMallocHost((void **)&w->host, (size_t)ranks * N * sizeof(float)) == cudaSuccess);
}

static void close_world(World *w) {
    NEED(settled(w, ncclCommFinalize(w->comm)) && ncclCommDestroy(w->comm) == ncclSuccess);
    NEED(cudaFree(w->x) == cudaSuccess && cudaFree(w->all) == cudaSuccess);
    NEED(cudaFreeHost(w->host) == cudaSuccess);
    NEED(cudaEventDestroy(w->ready) == cudaSuccess && cudaEventDestroy(w->done) == cudaSuccess);
    NEED(cudaStreamDestroy(w->compute) == cudaSuccess);
    NEED(cudaStreamDestroy(w->reduce) == cudaSuccess);
}

/* x(i) = rank + i + step on the compute stream; the reduce stream continues behind it. */
static void fill(World *w, int step) {
    float *x = w->x, base = (float)(rank + step);
    NEED(fake::issue(w->compute, fake::plain("fill", [=] {
                         for (int i = 0; i < N; i++) x[i] = base + (float)i;
                     })) == cudaSuccess);
    NEED(cudaEventRecord(w->ready, w->compute) == cudaSuccess);
    NEED(cudaStreamWaitEvent(w->reduce, w->ready, 0) == cudaSuccess);
}

static void fetch(World *w, const float *from, size_t n) {
    cudaError_t error;
    NEED(cudaMemcpyAsync(w->host, from, n * sizeof(float), cudaMemcpyDeviceToHost, w->reduce) ==
         cudaSuccess);
    NEED(cudaEventRecord(w->done, w->reduce) == cudaSuccess);
    if (rank % 2 == 1) MPI_Barrier(MPI_COMM_WORLD); /* the others poll meanwhile */
    while ((error = cudaEventQuery(w->done)) == cudaErrorNotReady) continue;
    NEED(error == cudaSuccess);
    if (rank % 2 == 0) MPI_Barrier(MPI_COMM_WORLD);
    NEED(cudaStreamWaitEvent(w->compute, w->done, 0) == cudaSuccess);
}

static void reduce(World *w, int step) {
    fill(w, step);
    NEED(settled(w, ncclAllReduce(w->x, w->x, N, ncclFloat32, ncclSum, w->comm, w->reduce)));
    fetch(w, w->x, N);
    for (int i = 0; i < N; i++) {
        NEED(w->host[i] == (float)(ranks * (i + step) + ranks * (ranks - 1) / 2));
    }
}

static void gather(World *w, int step) {
    fill(w, step);
    NEED(settled(w, ncclAllGather(w->x, w->all, N, ncclFloat32, w->comm, w->reduce)));
    fetch(w, w->all, (size_t)(ranks * N));
    for (int r = 0; r < ranks; r++) {
        for (int i = 0; i < N; i++) NEED(w->host[r * N + i] == (float)(r + step + i));
    }
}

/* Around the ring, two messages a pair to see that their order is kept. */
static void exchange(World *w, int step) {
    int next = (rank + 1) % ranks, last = (rank + ranks - 1) % ranks;
    fill(w, step);
    NEED(ncclGroupStart() == ncclSuccess);
    NEED(ncclSend(w->x, 10, ncclFloat32, next, w->comm, w->reduce) == ncclSuccess);
    NEED(ncclSend(w->x + 100, 5, ncclFloat32, next, w->comm, w->reduce) == ncclSuccess);
    NEED(ncclRecv(w->all, 10, ncclFloat32, last, w->comm, w->reduce) == ncclSuccess);
    NEED(ncclRecv(w->all + 10, 5, ncclFloat32, last, w->comm, w->reduce) == ncclSuccess);
    NEED(settled(w, ncclGroupEnd()));
    fetch(w, w->all, 15);
    for (int i = 0; i < 15; i++) {
        NEED(w->host[i] == (float)(last + step + (i < 10 ? i : 100 + i - 10)));
    }
}

/* All ranks but in reverse order, and each by itself; new rank 0 is the last one. */
static void split(World *w) {
    World part = *w, alone = *w;
    NEED(settled(w, ncclCommSplit(w->comm, 0, ranks - rank, &part.comm, nullptr)));
    NEED(settled(&part, ncclInProgress));
    NEED(settled(w, ncclCommSplit(w->comm, rank, 0, &alone.comm, nullptr)));
    NEED(settled(&alone, ncclInProgress));
    fill(w, 3);
    NEED(settled(&part, ncclBroadcast(w->x, w->x, N, ncclFloat32, 0, part.comm, w->reduce)));
    fetch(w, w->x, N);
    for (int i = 0; i < N; i++) NEED(w->host[i] == (float)(ranks - 1 + 3 + i));
    fill(w, 4);
    NEED(settled(&part, ncclAllGather(w->x, w->all, N, ncclFloat32, part.comm, w->reduce)));
    fetch(w, w->all, (size_t)(ranks * N));
    for (int r = 0; r < ranks; r++) NEED(w->host[r * N] == (float)(ranks - 1 - r + 4));
    fill(w, 5);
    NEED(
        settled(&alone, ncclAllReduce(w->x, w->x, N, ncclFloat32, ncclSum, alone.comm, w->reduce)));
    fetch(w, w->x, N);
    NEED(w->host[1] == (float)(rank + 5 + 1));
    for (World *p : {&part, &alone})
        NEED(settled(p, ncclCommFinalize(p->comm)) && ncclCommDestroy(p->comm) == ncclSuccess);
}

static void mismatch(World *w) {
    fill(w, 0);
    size_t n = rank == 0 ? N : N - 1;
    NEED(settled(w, ncclAllReduce(w->x, w->x, n, ncclFloat32, ncclSum, w->comm, w->reduce)));
    fetch(w, w->x, N);
}

/* Rank 1's collective never ends there; rank 0's does, or it doesn't: both poll and give up. */
static void stall(World *w) {
    fill(w, 0);
    NEED(settled(w, ncclAllReduce(w->x, w->x, N, ncclFloat32, ncclSum, w->comm, w->reduce)));
    NEED(cudaEventRecord(w->done, w->reduce) == cudaSuccess);
    cudaError_t error = cudaErrorNotReady;
    for (int n = 0; n < 100000 && error == cudaErrorNotReady; n++) error = cudaEventQuery(w->done);
    if (rank == 1) NEED(error == cudaErrorNotReady);
    NEED(ncclCommAbort(w->comm) == ncclSuccess);
    NEED(cudaStreamSynchronize(w->reduce) == cudaSuccess);
    if (rank == 1) printf("aborted\n");
}

/* A graph with a collective inside is not destroyed before the communicator. */
static void held(World *w) {
    cudaGraph_t graph;
    cudaGraphExec_t exec;
    NEED(cudaStreamBeginCapture(w->reduce, cudaStreamCaptureModeThreadLocal) == cudaSuccess);
    NEED(settled(w, ncclAllReduce(w->x, w->x, N, ncclFloat32, ncclSum, w->comm, w->reduce)));
    NEED(cudaStreamEndCapture(w->reduce, &graph) == cudaSuccess);
    NEED(cudaGraphInstantiate(&exec, graph, 0) == cudaSuccess);
    NEED(cudaGraphDestroy(graph) == cudaSuccess);
    ncclCommAbort(w->comm);
}

/* The second call does not wait until the first one is settled. */
static void hasty(World *w) {
    for (int n = 0; n < 100; n++) {
        ncclAllReduce(w->x, w->x, N, ncclFloat32, ncclSum, w->comm, w->reduce);
    }
}

int main(int argc, char **argv) {
    std::string what = argc > 1 ? argv[1] : "right";
    World w = {};
    MPI_Init(&argc, &argv);
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks);
    if (what == "duplicate") {
        NEED(!settled(&w, join(&w, 0)));
        NEED(ncclCommAbort(w.comm) == ncclSuccess);
        MPI_Finalize();
        return 0;
    }
    open_world(&w);
    if (what == "mismatch") mismatch(&w);
    if (what == "held") held(&w);
    if (what == "hasty") hasty(&w);
    if (what == "stall") {
        stall(&w);
        MPI_Finalize();
        return 0;
    }
    for (int step = 0; step < 3; step++) {
        reduce(&w, step);
        gather(&w, step);
        exchange(&w, step);
    }
    split(&w);
    close_world(&w);
    MPI_Finalize();
    if (rank == 0) printf("right\n");
    return 0;
}
