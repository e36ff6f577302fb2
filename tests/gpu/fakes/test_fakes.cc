/* Programs for the fake CUDA runtime, chosen by the first argument: a small training loop with a
 * compute, a copy and a reduce stream, right or with one ordering bug, and single questions. Prints
 * a checksum; test_fakes.sh compares it over all orders. */
#include "fake.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

using fake::issue;
using fake::plain;

static std::string bug; /* of the loop; "" none */

static void need(cudaError_t error, const char *what) {
    if (error == cudaSuccess) return;
    printf("failed: %s: %s\n", what, cudaGetErrorName(error));
    exit(1);
}
#define NEED(call) need((call), #call)

enum { N = 256, STEPS = 8, SLOTS = 2, LATE = 2 }; /* losses are read LATE steps late */

struct Loop {
    cudaStream_t compute, copy, reduce;
    cudaEvent_t sent[SLOTS], used[SLOTS], gradient, reduced, tickets[STEPS];
    float *pinned[SLOTS], *slot[SLOTS];
    float *g, *sum, *w; /* gradient, its reduction, weights */
    float *loss;        /* pinned */
};

static void open_loop(Loop *l) {
    NEED(cudaStreamCreateWithFlags(&l->compute, cudaStreamNonBlocking));
    NEED(cudaStreamCreateWithFlags(&l->copy, cudaStreamNonBlocking));
    NEED(cudaStreamCreateWithFlags(&l->reduce, cudaStreamNonBlocking));
    for (cudaEvent_t *e :
         {&l->sent[0], &l->sent[1], &l->used[0], &l->used[1], &l->gradient, &l->reduced}) {
        NEED(cudaEventCreateWithFlags(e, cudaEventDisableTiming));
    }
    for (cudaEvent_t &e : l->tickets) NEED(cudaEventCreateWithFlags(&e, cudaEventDisableTiming));
    for (int i = 0; i < SLOTS; i++) {
        NEED(cudaMallocHost((void **)&l->pinned[i], N * sizeof(float)));
        NEED(cudaMalloc((void **)&l->slot[i], N * sizeof(float)));
    }
    for (float **p : {&l->g, &l->sum, &l->w}) NEED(cudaMalloc((void **)p, N * sizeof(float)));
    NEED(cudaMallocHost((void **)&l->loss, STEPS * sizeof(float)));
    NEED(cudaMemsetAsync(l->w, 0, N * sizeof(float), l->compute));
    NEED(cudaMemsetAsync(l->g, 0, N * sizeof(float), l->compute));
}

static void close_loop(Loop *l) {
    NEED(cudaDeviceSynchronize());
    for (int i = 0; i < SLOTS; i++) {
        NEED(cudaFreeHost(l->pinned[i]));
        NEED(cudaFree(l->slot[i]));
        NEED(cudaEventDestroy(l->sent[i]));
        NEED(cudaEventDestroy(l->used[i]));
    }
    for (float *p : {l->g, l->sum, l->w}) NEED(cudaFree(p));
    NEED(cudaFreeHost(l->loss));
    for (cudaEvent_t e : {l->gradient, l->reduced}) NEED(cudaEventDestroy(e));
    for (cudaEvent_t e : l->tickets) NEED(cudaEventDestroy(e));
    for (cudaStream_t s : {l->compute, l->copy, l->reduce}) NEED(cudaStreamDestroy(s));
}

static void poll(cudaEvent_t event) {
    cudaError_t error;
    while ((error = cudaEventQuery(event)) == cudaErrorNotReady) continue;
    need(error, "cudaEventQuery");
}

/* The batch of a step to its slot. */
static void send(Loop *l, int step) {
    int i = step % SLOTS;
    if (step >= SLOTS && bug != "staging") poll(l->sent[i]);
    for (int j = 0; j < N; j++) l->pinned[i][j] = (float)((step * 7 + j) % 13) - 6;
    if (step >= SLOTS && bug != "slot") NEED(cudaStreamWaitEvent(l->copy, l->used[i], 0));
    NEED(cudaMemcpyAsync(l->slot[i], l->pinned[i], N * sizeof(float), cudaMemcpyHostToDevice,
                         l->copy));
    NEED(cudaEventRecord(l->sent[i], l->copy));
}

/* Forward and backward: the gradient; then its reduction, beside a second kernel. */
static void work(Loop *l, const float *x) {
    float *g = l->g, *sum = l->sum, *w = l->w;
    NEED(issue(l->compute, plain("gradient", [=] {
                   for (int j = 0; j < N; j++) g[j] = x[j] - 0.125f * w[j];
               })));
    NEED(cudaEventRecord(l->gradient, l->compute));
    if (bug != "before") NEED(cudaStreamWaitEvent(l->reduce, l->gradient, 0));
    NEED(issue(l->reduce, plain("reduce", [=] {
                   for (int j = 0; j < N; j++) sum[j] = 2 * g[j];
               })));
    NEED(cudaEventRecord(l->reduced, l->reduce));
    if (bug != "after") NEED(cudaStreamWaitEvent(l->compute, l->reduced, 0));
    NEED(issue(l->compute, plain("update", [=] {
                   for (int j = 0; j < N; j++) w[j] += 0.0625f * sum[j];
               })));
}

static float read_loss(Loop *l, int step) {
    if (bug != "ticket") poll(l->tickets[step]);
    return l->loss[step] * (float)(step + 1);
}

/* `graph`: work() is recorded once per slot. */
static float run_loop(bool graph) {
    Loop l = {};
    cudaGraphExec_t graphs[SLOTS] = {};
    float total = 0;
    open_loop(&l);
    for (int step = 0; step < STEPS; step++) {
        int i = step % SLOTS;
        send(&l, step);
        if (bug != "input") NEED(cudaStreamWaitEvent(l.compute, l.sent[i], 0));
        if (graph && graphs[i] == nullptr) {
            cudaGraph_t recorded;
            NEED(cudaStreamBeginCapture(l.compute, cudaStreamCaptureModeThreadLocal));
            work(&l, l.slot[i]);
            NEED(cudaStreamEndCapture(l.compute, &recorded));
            NEED(cudaGraphInstantiate(&graphs[i], recorded, 0));
            NEED(cudaGraphDestroy(recorded));
        }
        if (graph)
            NEED(cudaGraphLaunch(graphs[i], l.compute));
        else
            work(&l, l.slot[i]);
        NEED(cudaEventRecord(l.used[i], l.compute));
        NEED(cudaMemcpyAsync(&l.loss[step], &l.w[step], sizeof(float), cudaMemcpyDeviceToHost,
                             l.compute));
        NEED(cudaEventRecord(l.tickets[step], l.compute));
        if (step >= LATE) total += read_loss(&l, step - LATE);
        if (bug == "host") total += l.w[0];
    }
    for (int step = STEPS - LATE; step < STEPS; step++) total += read_loss(&l, step);
    for (cudaGraphExec_t g : graphs) {
        if (g != nullptr) NEED(cudaGraphExecDestroy(g));
    }
    close_loop(&l);
    return total;
}

static cudaStream_t new_stream() {
    cudaStream_t s;
    NEED(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking));
    return s;
}

/* Work that joins a capture and is not joined back. */
static void unjoined() {
    cudaStream_t a = new_stream(), b = new_stream();
    cudaEvent_t e;
    cudaGraph_t graph;
    NEED(cudaEventCreateWithFlags(&e, cudaEventDisableTiming));
    NEED(cudaStreamBeginCapture(a, cudaStreamCaptureModeThreadLocal));
    NEED(cudaEventRecord(e, a));
    NEED(cudaStreamWaitEvent(b, e, 0));
    NEED(issue(b, plain("nothing", [] {})));
    printf("%s\n", cudaGetErrorName(cudaStreamEndCapture(a, &graph)));
}

static void capture_unsafe() {
    cudaStream_t a = new_stream();
    cudaGraph_t graph;
    void *p;
    NEED(cudaStreamBeginCapture(a, cudaStreamCaptureModeThreadLocal));
    printf("%s\n", cudaGetErrorName(cudaMalloc(&p, 16)));
    printf("%s\n", cudaGetErrorName(cudaStreamEndCapture(a, &graph)));
}

static void never_recorded() {
    cudaStream_t a = new_stream();
    cudaEvent_t e;
    NEED(cudaEventCreateWithFlags(&e, cudaEventDisableTiming));
    NEED(cudaStreamWaitEvent(a, e, 0));
    NEED(cudaEventQuery(e));
}

static void behind(size_t bytes, size_t at) {
    cudaStream_t a = new_stream();
    char *p;
    NEED(cudaMalloc((void **)&p, bytes));
    NEED(issue(a, plain("store behind", [=] { p[at] = 1; })));
    NEED(cudaStreamSynchronize(a));
    NEED(cudaFree(p));
}

static void after_free() {
    cudaStream_t a = new_stream();
    char *p;
    NEED(cudaMalloc((void **)&p, 64));
    NEED(cudaFree(p));
    NEED(issue(a, plain("store", [=] { p[0] = 1; })));
    NEED(cudaStreamSynchronize(a));
}

/* Nothing but cudaFree could wait for the store here. */
static void freed_under_way() {
    cudaStream_t a = new_stream();
    char *p;
    NEED(cudaMalloc((void **)&p, 64));
    NEED(issue(a, plain("store", [=] { p[0] = 1; })));
    NEED(cudaFree(p));
    NEED(cudaStreamSynchronize(a));
}

static void pageable() {
    cudaStream_t a = new_stream();
    void *p;
    char host[16] = {};
    NEED(cudaMalloc(&p, 16));
    NEED(cudaMemcpyAsync(p, host, 16, cudaMemcpyHostToDevice, a));
}

static void leaks() {
    void *p;
    cudaEvent_t e;
    NEED(cudaMalloc(&p, 1000));
    NEED(cudaMallocHost(&p, 1000));
    NEED(cudaEventCreateWithFlags(&e, cudaEventDisableTiming));
    new_stream();
}

/* After a failed kernel everything fails. */
static void sticky() {
    cudaStream_t a = new_stream();
    void *p;
    NEED(issue(a, plain("kernel", [] {})));
    printf("%s\n", cudaGetErrorName(cudaStreamSynchronize(a)));
    printf("%s\n", cudaGetErrorName(cudaMalloc(&p, 16)));
}

extern "C" cudaError_t cudaThreadExit(void);
extern "C" void cudaProfilerStart(void);

int main(int argc, char **argv) {
    std::string what = argc > 1 ? argv[1] : "loop";
    if (argc > 2) bug = argv[2];
    if (what == "loop")
        printf("%.9g\n", (double)run_loop(false));
    else if (what == "graph")
        printf("%.9g\n", (double)run_loop(true));
    else if (what == "unjoined")
        unjoined();
    else if (what == "capture")
        capture_unsafe();
    else if (what == "unrecorded")
        never_recorded();
    else if (what == "slack")
        behind(100, 120);
    else if (what == "guard")
        behind(256, 256);
    else if (what == "freed")
        after_free();
    else if (what == "under-way")
        freed_under_way();
    else if (what == "pageable")
        pageable();
    else if (what == "leaks")
        leaks();
    else if (what == "sticky")
        sticky();
    else if (what == "unknown")
        cudaProfilerStart();
    else
        return 2;
    return 0;
}
