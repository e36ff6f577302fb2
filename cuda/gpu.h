/* The CUDA backend's inside. One rank has one device and three streams:
 *
 *   compute  every operation on `main` and on the only lane, in call order
 *   copy     input batches from pinned host memory
 *   reduce   NCCL, beside the rest of backward
 *
 * and, where it computes several shards side by side, a stream for each of them (branches.c).
 *
 * Streams wait for each other by events only; the host waits by polling, with a deadline
 * (gpu_wait). Each part below has a file of its own and owns what it allocates. */
#ifndef GYRE_CUDA_GPU_H
#define GYRE_CUDA_GPU_H

#include "gyre/backend.h"
#include "gyre/comm.h"
#include <cuda_runtime_api.h>

struct gpu_page;                              /* page.h */
typedef struct gpu_plans gpu_plans;           /* plan.c: cuDNN execution plans by shape */
typedef struct gpu_staging gpu_staging;       /* staging.c: pinned host memory, tickets */
typedef struct gpu_input gpu_input;           /* input.c: batches to the device */
typedef struct gpu_collective gpu_collective; /* collective.c: NCCL's communicator */
typedef struct gpu_recorder gpu_recorder;     /* record.c: the step as a CUDA graph */

/* Device memory that one stream uses again and again. A recorded step has its address inside: then
 * it is kept beside its larger successor until the backend closes. */
typedef struct {
    void *memory;
    size_t size;
    bool recorded;
} gpu_scratch;

/* A stream, and what operations on it need for themselves. */
typedef struct {
    cudaStream_t stream;
    struct cudnnContext *cudnn; /* cudnnHandle_t on that stream */
    gpu_scratch workspace;      /* of plans and kernels */
} gpu_branch;

typedef struct {
    gyre_queue base; /* first */
    gpu_branch *branch;
} gpu_queue;

enum { GPU_RECORDINGS = 8, GPU_PHASES = 8, GPU_BRANCHES = 8 };

typedef struct {
    gyre_backend base;                 /* first */
    gpu_queue main, lane;              /* both on `trunk` */
    gpu_branch trunk;                  /* of the stream `compute` */
    gpu_branch branches[GPU_BRANCHES]; /* opened when they are first needed */
    gpu_queue branch_queues[GPU_BRANCHES];
    cudaEvent_t *marks; /* of gpu_mark, by number */
    int mark_count;
    gyre_backend_options options;
    gyre_comm *comm;
    int rank, ranks; /* 0 and 1 without a communicator */
    int device;      /* ordinal among the visible ones */
    struct cudaDeviceProp *properties;
    cudaStream_t compute, copy, reduce;
    cudaEvent_t idle; /* of gpu_drain() */
    bool lost;        /* a wait ran out of time: the device may never come back */
    bool cut_off;     /* NCCL is aborted */
    bool ran;         /* record() has run once */
    bool in_step;     /* record() runs its body now */
    bool recording;   /* `compute` is being captured just now */
    gpu_staging *staging;
    gpu_plans *plans;
    gpu_input *input;
    gpu_collective *collective;
    gpu_recorder *recorder;
    gpu_scratch slices; /* of the exact reduction, on `reduce` */
    void *retired[(2 + GPU_BRANCHES) * GPU_RECORDINGS];
    int retired_count;
    const char *phase;              /* what range_push() said last; a string that stays */
    const char *phases[GPU_PHASES]; /* those around it */
    int depth;
    char description[512];
} gpu_backend;

static inline gpu_backend *gpu_of(gyre_backend *b) {
    return (gpu_backend *)(void *)b;
}
static inline gpu_backend *gpu_of_queue(const gyre_queue *q) {
    return (gpu_backend *)(void *)q->backend;
}
static inline gpu_branch *gpu_branch_of(const gyre_queue *q) {
    return ((const gpu_queue *)(const void *)q)->branch;
}

/* GYRE_TRY for the CUDA runtime: GYRE_EDEVICE naming rank, device, phase and the call. */
#define GPU_TRY(b, call)                                                                           \
    do {                                                                                           \
        cudaError_t gpu_error_ = (call);                                                           \
        if (gpu_error_ != cudaSuccess) return gpu_fail((b), gpu_error_, #call);                    \
    } while (0)

/* fail.c */
gyre_status gpu_fail(const gpu_backend *b, cudaError_t error, const char *call);

/* device.c */
/* Finds this rank's device (gpu_place), makes it current, checks driver and library versions, and
 * the ranks' devices beside each other (peers.h); warns, and fills b->base.advice. Collective. */
gyre_status gpu_device_open(gpu_backend *b);
/* Fills b->description; `engines`, the hash of the plans, is 0 before there are any. */
void gpu_device_describe(gpu_backend *b, uint64_t engines);
/* gyre_backend_ops.available */
bool gpu_available(gyre_comm *comm, char *why, size_t size);

/* versions.c: the libraries that run against the headers this program was built with */
gyre_status gpu_versions_check(void);
/* "13.0", as CUDA writes 13000 */
const char *gpu_cuda_version_text(int version, char text[16]);
/* "9.8.0", of the one that runs */
const char *gpu_cudnn_version_text(char text[16]);
const char *gpu_nccl_version_text(char text[16]);
/* The driver's version so, 0 without one; fails when it is too old for this program. */
gyre_status gpu_driver_check(int *version);

/* list_devices.c: gyre_backend_ops.list_devices */
/* ", NCCL_ALGO=Ring, ...": of the environment, in its order; they may change the bits of "fast". */
void gpu_nccl_variables(struct gpu_page *out);
void gpu_list_devices(char *out, size_t size);

/* workspace.c */
/* At least `bytes`, 256-byte aligned, for use on the queue until the next call with its branch;
 * contents are lost. Fails while a step is being recorded and it would have to grow. */
gyre_status gpu_workspace(gyre_queue *q, size_t bytes, void **out);
gyre_status gpu_scratch_grow(gpu_backend *b, gpu_scratch *s, size_t bytes);
/* All recorded steps are forgotten and through. */
void gpu_scratch_forget(gpu_backend *b);
void gpu_scratch_close(gpu_backend *b); /* frees all that this file has allocated */

/* wait.c: returns when `event` has passed. Polls it and NCCL's asynchronous error; after
 * gpu_deadline() (0: never), or on an error, aborts the communicator and fails with
 * rank, device, phase and what was waited for. GYRE_EDEVICE, or GYRE_EPEER where a peer is missing.
 */
gyre_status gpu_wait(gpu_backend *b, cudaEvent_t event, const char *what);
/* Waits until all streams are through: before memory is freed that they may use. */
gyre_status gpu_drain(gpu_backend *b, const char *what);
/* The same for those that close: a failure stays unsaid, and the message before it is kept. */
void gpu_drain_quietly(gpu_backend *b);

/* deadline.c */
double gpu_deadline(const gpu_backend *b);          /* seconds, of options */
const char *gpu_deadline_key(const gpu_backend *b); /* which key of the config sets it */
/* For other things to poll: spins for a moment, then sleeps a little longer each time. False when
 * the deadline is over. */
typedef struct {
    double begun; /* 0 at first */
    long pause;   /* ns */
} gpu_patience;
bool gpu_be_patient(const gpu_backend *b, gpu_patience *p);

/* staging.c */
gyre_status gpu_staging_open(gpu_backend *b, gpu_staging **out);
void gpu_staging_close(gpu_staging *s);
/* Copies from pageable host memory in order on `stream`; src may be reused on return. */
gyre_status gpu_staging_send(gpu_backend *b, cudaStream_t stream, void *dst, const void *src,
                             size_t bytes);
/* Copies to the host and waits. */
gyre_status gpu_staging_fetch(gpu_backend *b, cudaStream_t stream, void *dst, const void *src,
                              size_t bytes);
gyre_status gpu_read_later(gyre_queue *q, gyre_f32 src, int n, gyre_ticket *out);
gyre_status gpu_read(gyre_backend *b, gyre_ticket which, float *dst);

/* input.c */
gyre_status gpu_input_open(gpu_backend *b, gpu_input **out);
void gpu_input_close(gpu_input *input);
gyre_status gpu_cache_images(gyre_backend *b, const gyre_row_reader *images, bool *kept);
gyre_status gpu_resize_crops(gyre_backend *b, const gyre_resizing *resizing, bool *taken);
gyre_status gpu_prefetch_batch(gyre_backend *b, const gyre_image_shape *s, const gyre_batch *batch);
gyre_status gpu_batch_load(gyre_queue *q, const gyre_image_shape *s, const gyre_batch *batch,
                           gyre_f32 mean, gyre_f32 scale, gyre_act x, gyre_i32 labels);
/* Everything that reads the prefetched batch is queued on `compute` now. */
gyre_status gpu_input_passed(gpu_input *input);

/* record.c */
gyre_status gpu_recorder_open(gpu_backend *b, gpu_recorder **out);
void gpu_recorder_close(gpu_recorder *r);
/* gyre_backend_ops.record */
gyre_status gpu_recorder_run(gpu_backend *b, gyre_body body, void *context);
/* Forgets every recorded step: before memory is freed that one may use. */
void gpu_recorder_forget(gpu_recorder *r);
/* Ends a recording under way and forgets all: before ncclCommAbort, which waits until no graph
 * holds calls of the communicator (NCCL 2.28, commDestroySync). b->recorder may be NULL. */
void gpu_recorder_abandon(gpu_backend *b);

/* collective.c */
gyre_status gpu_collective_open(gpu_backend *b, gpu_collective **out); /* Collective. */
void gpu_collective_close(gpu_collective *c);
/* NCCL's asynchronous error: GYRE_OK, or what it says. */
gyre_status gpu_collective_poll(gpu_backend *b);
/* Prints why, then aborts NCCL without a word to the other ranks, or the process (guard.h). */
void gpu_collective_abort(gpu_collective *c, gyre_status why);

/* reduce.c */
gyre_status gpu_reduce_begin(gyre_backend *b, gyre_f32 x, size_t n); /* Collective. */
gyre_status gpu_reduce_end(gyre_backend *b);                         /* Collective. */

/* branches.c */
gyre_status gpu_branch_open(gpu_backend *b, gpu_branch *branch); /* what fails is closed later */
void gpu_branch_close(gpu_branch *branch);                       /* but not its work memory */
void gpu_branches_close(gpu_backend *b);
/* gyre_backend_ops.open_branches, branch, mark, follow */
gyre_status gpu_open_branches(gyre_backend *base, int wanted, size_t bytes, int *count);
gyre_queue *gpu_branch_queue(gyre_backend *base, int index);
gyre_status gpu_mark(gyre_queue *q, int number);
gyre_status gpu_follow(gyre_queue *after, int number);

/* plan.c */
gyre_status gpu_plans_open(gpu_backend *b, gpu_plans **out);
void gpu_plans_close(gpu_plans *p);
/* Of all plans there are: what they compute, and by which engines with which knobs. */
gyre_status gpu_plans_hash(const gpu_plans *p, uint64_t *out);

/* prepare.c: gyre_backend_ops.prepare */
gyre_status gpu_prepare(gyre_backend *b, gyre_body body, void *context);

#endif
