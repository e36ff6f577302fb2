/* What the file of an operation needs: its declaration, made of the list in gyre/ops.h, and the few
 * things that it asks of the backend.
 *
 * An operation is one line of that list and one file, NAME.cu: kernels, and the function gpu_NAME
 * that launches them, which is the table's slot. conv.c and linear.c have those that cuDNN
 * computes. Only operation.c knows the backend behind the queue, so that tests can put kernels that
 * run on the CPU behind other queues (tests/gpu).
 *
 * What operations compute is said in gyre/ops.h. Activations (gyre_act) are bf16 or f32; bf16 is
 * widened to f32 on reading and rounded to nearest even on writing. Sizes may be 0 where they are
 * counts. Nothing uses double precision, atomics or an order that depends on timing: equal input
 * gives equal bits. A NaN in an activation reaches the output. Pointers of vectors are 16-byte
 * aligned, those of parts of a vector (gradients, parameters) 4-byte. Grids stay below 2^31 - 1
 * blocks: kernels loop over what is left (a grid-stride loop with 64-bit indices). */
#ifndef GYRE_CUDA_OPERATION_H
#define GYRE_CUDA_OPERATION_H

#include "gyre/backend.h"
#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

#define GPU_SHAPED(op, ...) GYRE_SHAPED_HEAD(gpu_##op, __VA_ARGS__);
#define GPU_SIZED(op, ...) GYRE_SIZED_HEAD(gpu_##op, __VA_ARGS__);
#define GPU_SIZE(op, shape) GYRE_SIZE_HEAD(gpu_##op, shape);
GYRE_OPS(GPU_SHAPED, GPU_SIZED)
GYRE_OP_SIZES(GPU_SIZE)

/* ---- operation.c */

/* Where kernels are launched, in call order. */
cudaStream_t gpu_stream(const gyre_queue *q);
/* Device memory for this operation alone, until the next one asks. */
gyre_status gpu_work(gyre_queue *q, size_t bytes, void **out);
/* Copies from device memory to device memory. */
gyre_status gpu_copy(gyre_queue *q, void *to, const void *from, size_t bytes);
/* What came of launches by `function`: GYRE_OK, or GYRE_EDEVICE that names it. */
gyre_status gpu_result(const gyre_queue *q, cudaError_t error, const char *function);

/* Are activations bf16? Else they are f32. */
static inline bool gpu_bf16(const gyre_queue *q) {
    return q->backend->act_size == 2;
}
/* The host may not look through these; kernels may. */
static inline float *gpu_floats(gyre_f32 p) {
    return (float *)(void *)p;
}
static inline int32_t *gpu_integers(gyre_i32 p) {
    return (int32_t *)(void *)p;
}

#ifdef __cplusplus
}
#endif
#endif
