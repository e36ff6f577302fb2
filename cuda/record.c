/* The step as a CUDA graph. The first call of a body runs it: work memory of kernels grows, NCCL
 * connects. The second records it, and that one and all later ones launch the recording.
 *
 * Every rank counts its calls alike, as NCCL asks: a collective is recorded on all ranks or on
 * none. Where one of them cannot record the step, all of them call it from then on, which gives the
 * same bits. */
#include "gpu.h"

#include "gyre/log.h"
#include <stdlib.h>

typedef struct {
    gyre_body body;
    void *context;
    cudaGraphExec_t graph; /* NULL: has run once */
} recording;

struct gpu_recorder {
    recording list[GPU_RECORDINGS];
    int count;
};

gyre_status gpu_recorder_open(gpu_backend *b, gpu_recorder **out) {
    (void)b;
    *out = calloc(1, sizeof **out);
    return *out != NULL ? GYRE_OK : gyre_no_memory("recorded steps");
}

void gpu_recorder_forget(gpu_recorder *r) {
    if (r == NULL) return;
    for (int i = 0; i < r->count; i++) {
        if (r->list[i].graph != NULL) cudaGraphExecDestroy(r->list[i].graph);
    }
    r->count = 0;
}

void gpu_recorder_close(gpu_recorder *r) {
    gpu_recorder_forget(r);
    free(r);
}

void gpu_recorder_abandon(gpu_backend *b) {
    gpu_recorder *r = b->recorder;
    cudaGraph_t begun = NULL;
    if (r == NULL) return;
    if (b->recording) {
        (void)cudaStreamEndCapture(b->compute, &begun);
        if (begun != NULL) (void)cudaGraphDestroy(begun);
        b->recording = false;
    }
    gpu_recorder_forget(r);
}

static recording *find(gpu_recorder *r, gyre_body body, const void *context) {
    for (int i = 0; i < r->count; i++) {
        if (r->list[i].body == body && r->list[i].context == context) return &r->list[i];
    }
    return NULL;
}

static gyre_status run_body(gpu_backend *b, gyre_body body, void *context) {
    b->in_step = true;
    gyre_status status = body(context);
    b->in_step = false;
    return status;
}

/* Only this thread's calls are watched while it records: NCCL has threads of its own. A recording
 * that was begun is ended in any case, or the stream would be of no more use. */
static gyre_status capture(gpu_backend *b, gyre_body body, void *context, cudaGraph_t *graph) {
    GPU_TRY(b, cudaStreamBeginCapture(b->compute, cudaStreamCaptureModeThreadLocal));
    b->recording = true;
    gyre_status status = run_body(b, body, context);
    if (!b->recording) return status; /* abandoned */
    b->recording = false;
    cudaError_t error = cudaStreamEndCapture(b->compute, graph);
    if (status == GYRE_OK && error != cudaSuccess) {
        status = gpu_fail(b, error, "cudaStreamEndCapture");
    }
    return status;
}

static gyre_status record(gpu_backend *b, recording *entry) {
    cudaGraph_t graph = NULL;
    gyre_status status = capture(b, entry->body, entry->context, &graph);
    if (status == GYRE_OK) {
        cudaError_t error = cudaGraphInstantiate(&entry->graph, graph, 0);
        if (error != cudaSuccess) {
            entry->graph = NULL;
            status = gpu_fail(b, error, "cudaGraphInstantiate");
        }
    }
    if (graph != NULL) {
        cudaError_t error = cudaGraphDestroy(graph);
        if (status == GYRE_OK && error != cudaSuccess) {
            status = gpu_fail(b, error, "cudaGraphDestroy");
        }
    }
    return status;
}

/* What a recording that failed has left is undone, and no other is tried. */
static void give_up(gpu_backend *b, int depth) {
    while (b->depth > depth) b->base.ops->range_pop(&b->base);
    gpu_recorder_forget(b->recorder);
    b->options.graph = false;
    (void)cudaGetLastError(); /* the next launch must not find it */
    if (b->rank > 0) return;
    gyre_warn("the step cannot be recorded as a CUDA graph and is called each time instead, which "
              "is slower and gives the same bits (`graph: false` does so without a warning): %s",
              gyre_error_text());
}

/* One verdict for all ranks, except where NCCL or the device is lost: then there is no next step.
 */
static gyre_status try_to_record(gpu_backend *b, recording *entry, bool *recorded) {
    int depth = b->depth;
    gyre_status status = record(b, entry);
    if (status != GYRE_OK && (b->lost || b->cut_off)) return status;
    if (b->comm != NULL) status = gyre_comm_agree(b->comm, status);
    if (status != GYRE_OK && status != GYRE_EDEVICE) return status;
    *recorded = status == GYRE_OK;
    if (!*recorded) give_up(b, depth);
    return GYRE_OK;
}

/* Looked up anew after the body: what it allocates or frees may have made the recorder forget. */
static gyre_status run_first(gpu_backend *b, gyre_body body, void *context) {
    gpu_recorder *r = b->recorder;
    GYRE_TRY(run_body(b, body, context));
    if (b->options.graph && r->count < GPU_RECORDINGS && find(r, body, context) == NULL) {
        r->list[r->count++] = (recording){.body = body, .context = context};
    }
    return GYRE_OK;
}

gyre_status gpu_recorder_run(gpu_backend *b, gyre_body body, void *context) {
    recording *entry = find(b->recorder, body, context);
    bool recorded = entry != NULL && entry->graph != NULL;
    if (entry == NULL) {
        GYRE_TRY(run_first(b, body, context));
    } else {
        if (!recorded) GYRE_TRY(try_to_record(b, entry, &recorded));
        if (!recorded) GYRE_TRY(run_body(b, body, context));
        if (recorded) GPU_TRY(b, cudaGraphLaunch(entry->graph, b->compute));
    }
    b->ran = true;
    return GYRE_OK;
}
