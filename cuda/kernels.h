/* gyre's own CUDA kernels: one function each that launches it, in call order on `stream`.
 *
 * Plain C, device pointers as void * or float *; what they compute is said in gyre/backend.h, under
 * the slot of the same name. `bf16`: activations (void *) are bf16, else f32; they are widened to
 * f32 on reading and rounded to nearest even on writing. Sizes may be 0 where they are counts.
 * Nothing uses double precision, atomics or an order that depends on timing: equal input gives
 * equal bits. A NaN in an activation reaches the output. Pointers of vectors are 16-byte aligned,
 * those of parts of a vector (gradients, parameters) 4-byte.
 *
 * Returns what cudaGetLastError() says after the launch. Grids stay below 2^31 - 1 blocks: kernels
 * loop over what is left (a grid-stride loop with 64-bit indices). */
#ifndef GYRE_CUDA_KERNELS_H
#define GYRE_CUDA_KERNELS_H

#include "gyre/backend.h"
#include <cuda_runtime_api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- input.cu */

/* Where the rows of a step's batch are: in device memory, so that a recorded graph follows the
 * slot that the host filled. */
typedef struct {
    const uint8_t *images;       /* (rows, h, w, c), packed, or the whole dataset */
    const int64_t *rows;         /* (count) rows of `images`, or NULL: 0, 1, 2... */
    const int32_t *labels;       /* (count) */
    const gyre_augment *augment; /* (count), or NULL */
} gpu_input_slot;

/* x(n, h, w, c) = (pixel - mean(h, w, c)) * scale(c) of samples first..first+n-1 of *slot (device
 * memory), augmented as cpu_batch_load does; labels(n). */
cudaError_t gpu_input_launch(cudaStream_t stream, bool bf16, const gyre_image_shape *s,
                             const gpu_input_slot *slot, int64_t first, const float *mean,
                             const float *scale, void *x, int32_t *labels);

/* ---- maps.cu */
cudaError_t gpu_relu_launch(cudaStream_t stream, bool bf16, size_t n, const void *x, void *y);
cudaError_t gpu_relu_dx_launch(cudaStream_t stream, bool bf16, size_t n, const void *y,
                               const void *dy, void *dx); /* dx may be dy */
cudaError_t gpu_accumulate_launch(cudaStream_t stream, bool bf16, size_t n, const void *x, void *y);
cudaError_t gpu_shortcut_launch(cudaStream_t stream, bool bf16, const gyre_shortcut_shape *s,
                                const void *x, void *y);
cudaError_t gpu_shortcut_dx_launch(cudaStream_t stream, bool bf16, const gyre_shortcut_shape *s,
                                   const void *dy, void *dx);
/* y(n) bf16 = x(n) f32, rounded: the working copy of weights */
cudaError_t gpu_round_launch(cudaStream_t stream, size_t n, const float *x, void *y);

/* ---- bias.cu */
/* y(rows, columns) = x + bias(columns), then max(0, ...) if relu; x is f32 whatever y is, and may
 * be y. The sum is rounded once. */
cudaError_t gpu_bias_launch(cudaStream_t stream, bool bf16, size_t rows, size_t columns, bool relu,
                            const float *x, const float *bias, void *y);
/* y(n) f32 = x(n) bf16, exactly */
cudaError_t gpu_widen_launch(cudaStream_t stream, size_t n, const void *x, float *y);

/* ---- columns.cu: sums over the rows of a matrix, in a fixed order */
enum { GPU_COLUMN_PARTS = 256 }; /* row parts, each summed by one block; then a fixed tree */
/* bytes of `work` for two sums over `columns` columns */
size_t gpu_columns_work(size_t columns);
/* db(columns) = sum over rows of dy(rows, columns): the gradient of a bias */
cudaError_t gpu_column_sum_launch(cudaStream_t stream, bool bf16, size_t rows, size_t columns,
                                  const void *dy, void *work, float *db);

/* ---- norm.cu; `work` has gpu_columns_work(c) bytes */
cudaError_t gpu_norm_train_launch(cudaStream_t stream, bool bf16, const gyre_norm_shape *s,
                                  const void *x, const void *residual, const float *gamma,
                                  const float *beta, void *work, float *saved, float *moments,
                                  void *y);
cudaError_t gpu_norm_eval_launch(cudaStream_t stream, bool bf16, const gyre_norm_shape *s,
                                 const void *x, const void *residual, const float *gamma,
                                 const float *beta, const float *running, float *saved, void *y);
cudaError_t gpu_norm_dx_launch(cudaStream_t stream, bool bf16, const gyre_norm_shape *s,
                               const void *x, const void *y, const void *dy, const float *gamma,
                               const float *saved, void *work, void *dx, void *dresidual,
                               float *dgamma, float *dbeta);

/* ---- pool.cu; saved: uint16_t (n, oh, ow, c), the number of the maximum's cell */
cudaError_t gpu_pool_launch(cudaStream_t stream, bool bf16, const gyre_pool_shape *s, const void *x,
                            void *saved, void *y);
/* Gathers: each input pixel adds the windows that hold it, in a fixed order. */
cudaError_t gpu_pool_dx_launch(cudaStream_t stream, bool bf16, const gyre_pool_shape *s,
                               const void *dy, const void *saved, void *dx);

/* ---- lrn.cu */
cudaError_t gpu_lrn_launch(cudaStream_t stream, bool bf16, const gyre_lrn_shape *s, const void *x,
                           void *y);
/* dx may be dy; `work` has room for the n h w c f32 terms that neighbours share */
cudaError_t gpu_lrn_dx_launch(cudaStream_t stream, bool bf16, const gyre_lrn_shape *s,
                              const void *x, const void *dy, float *work, void *dx);

/* ---- loss.cu; `work` has room for 2 n floats */
cudaError_t gpu_softmax_loss_launch(cudaStream_t stream, bool bf16, const gyre_loss_shape *s,
                                    const void *logits, const int32_t *labels, float *work,
                                    void *dx, float *stats);

/* ---- vectors.cu */
cudaError_t gpu_fill_launch(cudaStream_t stream, size_t n, float value, float *x);
cudaError_t gpu_add_launch(cudaStream_t stream, size_t n, const float *a, const float *b, float *y);
/* y(n) = the fixed tree's sum of `ranks` (a power of two, <= 1024) vectors of n floats, `stride`
 * floats apart: neighbours first, as gyre_comm_reduce_exact. y may be any of them. */
cudaError_t gpu_tree_launch(cudaStream_t stream, size_t n, int ranks, size_t stride, const float *x,
                            float *y);
cudaError_t gpu_update_statistics_launch(cudaStream_t stream, size_t n, float inv_shards,
                                         const float *moments, const float *scalars,
                                         float *running);

/* ---- check_step.cu; `work` has gpu_check_step_work() bytes */
size_t gpu_check_step_work(void);
cudaError_t gpu_check_step_launch(cudaStream_t stream, size_t n, const float *g, const float *stats,
                                  float clip_norm, void *work, float *scalars);

/* ---- update.cu; s2 is NULL where the rule has no second state */
cudaError_t gpu_update_launch(cudaStream_t stream, const gyre_update_shape *s, size_t n,
                              const float *g, float *s1, float *s2, float *w, const float *scalars);

#ifdef __cplusplus
}
#endif
#endif
