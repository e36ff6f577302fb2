/* The CUDA backend's inside. One rank has one device and three streams:
 *
 *   compute  every layer operation; `main` and the only lane are this stream, so that operations
 *            run in call order and a recorded step is one chain
 *   copy     input batches and scalars from pinned host memory
 *   reduce   NCCL, beside the rest of backward
 *
 * Streams wait for each other by events only; the host waits by polling, with a deadline
 * (gpu_wait). Each part below has a file of its own and owns what it allocates. */
#ifndef GYRE_CUDA_GPU_H
#define GYRE_CUDA_GPU_H

#include "gyre/backend.h"
#include "gyre/comm.h"
#include "kernels.h"
#include <cuda_runtime_api.h>
#include <stdarg.h>

typedef struct gpu_plans gpu_plans;           /* plan.c: cuDNN execution plans by shape */
typedef struct gpu_staging gpu_staging;       /* staging.c: pinned host memory, tickets */
typedef struct gpu_input gpu_input;           /* input.c: batches to the device */
typedef struct gpu_collective gpu_collective; /* collective.c: NCCL */
typedef struct gpu_recorder gpu_recorder;     /* record.c: the step as a CUDA graph */

typedef struct {
    gyre_backend base;    /* first */
    gyre_queue queues[2]; /* lane 0, and main: both on `compute` */
    gyre_backend_options options;
    gyre_comm *comm;
    int rank, ranks; /* 0 and 1 without a communicator */
    int device;      /* ordinal among the visible ones */
    struct cudaDeviceProp *properties;
    cudaStream_t compute, copy, reduce;
    gpu_staging *staging;
    gpu_plans *plans;
    gpu_input *input;
    gpu_collective *collective;
    gpu_recorder *recorder;
    void *workspace; /* of plans and kernels on `compute`; grows only before a step is recorded */
    size_t workspace_size;
    const char *phase; /* what mark() said last; a string that stays */
    char description[512];
} gpu_backend;

static inline gpu_backend *gpu_of(gyre_backend *b) {
    return (gpu_backend *)(void *)b;
}
static inline gpu_backend *gpu_of_queue(gyre_queue *q) {
    return (gpu_backend *)(void *)q->backend;
}
static inline bool gpu_bf16(const gyre_queue *q) {
    return q->backend->act_size == 2;
}

/* GYRE_TRY for the CUDA runtime: GYRE_EDEVICE naming rank, device, phase and the call. */
#define GPU_TRY(b, call)                                                                           \
    do {                                                                                           \
        cudaError_t gpu_error_ = (call);                                                           \
        if (gpu_error_ != cudaSuccess) return gpu_fail((b), gpu_error_, #call);                    \
    } while (0)

/* device.c */
gyre_status gpu_fail(const gpu_backend *b, cudaError_t error, const char *call);
/* Chooses this rank's device (its rank among those of its host, over the visible devices), makes
 * it current, checks driver and library versions and that all ranks' devices are of one compute
 * capability. Collective. */
gyre_status gpu_device_open(gpu_backend *b);
void gpu_device_describe(gpu_backend *b); /* fills b->description */

/* workspace.c: at least `bytes` at b->workspace, 256-byte aligned; contents are lost */
gyre_status gpu_workspace(gpu_backend *b, size_t bytes, void **out);

/* wait.c: returns when `event` has passed. Polls it and NCCL's asynchronous error; after
 * options.deadline_seconds (0: never), or on an error, aborts the communicator and fails with
 * rank, device, phase and what was waited for. GYRE_EDEVICE, or GYRE_EPEER where a peer is missing.
 */
gyre_status gpu_wait(gpu_backend *b, cudaEvent_t event, const char *what);

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
gyre_status gpu_read(gyre_backend *b, gyre_ticket ticket, float *dst);

/* input.c */
gyre_status gpu_input_open(gpu_backend *b, gpu_input **out);
void gpu_input_close(gpu_input *input);
gyre_status gpu_keep(gyre_backend *b, const uint8_t *images, size_t rows, size_t row_bytes,
                     bool *kept);
gyre_status gpu_announce(gyre_backend *b, const gyre_image_shape *s, const gyre_batch *batch);
gyre_status gpu_batch_load(gyre_queue *q, const gyre_image_shape *s, const gyre_batch *batch,
                           gyre_f32 mean, gyre_f32 scale, gyre_act x, gyre_i32 labels);

/* record.c */
gyre_status gpu_recorder_open(gpu_backend *b, gpu_recorder **out);
void gpu_recorder_close(gpu_recorder *r);
gyre_status gpu_record(gyre_backend *b, gyre_body body, void *context);
bool gpu_recording(const gpu_backend *b); /* `compute` is being captured just now */

/* collective.c */
gyre_status gpu_collective_open(gpu_backend *b, gpu_collective **out); /* Collective. */
void gpu_collective_close(gpu_collective *c);
gyre_status gpu_reduce_begin(gyre_backend *b, gyre_f32 x, size_t n); /* Collective. */
gyre_status gpu_reduce_end(gyre_backend *b);                         /* Collective. */
/* NCCL's asynchronous error: GYRE_OK, or what it says. */
gyre_status gpu_collective_poll(gpu_backend *b);
void gpu_collective_abort(gpu_collective *c);
const char *gpu_collective_version(void);

/* plan.c and layers.c: the convolution and linear slots of the table, gpu_conv ... gpu_linear_dw,
 * with the signatures of gyre/backend.h */
gyre_status gpu_plans_open(gpu_backend *b, gpu_plans **out);
void gpu_plans_close(gpu_plans *p);
const char *gpu_plans_version(void);

extern const gyre_backend_ops gyre_cuda_ops; /* table.c */

#endif
