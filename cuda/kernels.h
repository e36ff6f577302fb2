/* Kernels that other files launch: parts of an operation, and what is none. One function each,
 * which returns what cudaGetLastError() says after the launch; what operation.h says of kernels
 * holds for these too. `bf16`: activations (void *) are bf16, else f32. */
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
    const int32_t *targets;      /* (count, values of a target), 4 bytes each */
    const gyre_augment *augment; /* (count), or NULL */
    const gyre_erase *erase;     /* (count), or NULL */
    gyre_mix mix;                /* on: sample -1 lies before the first in each of them */
} gpu_input_slot;

/* Parts of stored images, all in device memory. */
typedef struct {
    const uint8_t *source;           /* stored images, or lines of them */
    const int64_t *places;           /* (n): where the first line of each part begins */
    const gyre_crop *crops;          /* (n) */
    const gyre_resizing_side *sides; /* of gyre_resizing */
    const uint32_t *words;
    size_t line; /* bytes of a stored line */
} gpu_parts;

/* images(n, size, size, c) = the parts, resized as the loader does it on the host: the same bits */
cudaError_t gpu_resize_launch(cudaStream_t stream, size_t n, int size, int c,
                              const gpu_parts *parts, uint8_t *images);

/* x(n, h, w, c) = (value - mean(h, w, c)) * scale(c) of samples first..first+n-1 of *slot (device
 * memory), augmented as cpu_batch_load does. `batch` says what lies in the slot. */
cudaError_t gpu_input_launch(cudaStream_t stream, bool bf16, const gyre_image_shape *s,
                             const gyre_batch *batch, const gpu_input_slot *slot, int64_t first,
                             const float *mean, const float *scale, void *x);
/* targets(n, values) of the same samples, and where they are mixed, mix(n, 2) behind them */
cudaError_t gpu_targets_launch(cudaStream_t stream, size_t n, size_t values,
                               const gpu_input_slot *slot, int64_t first, int32_t *targets);

/* ---- conv.cu */

/* y(rows, columns) = x + bias(columns), then max(0, ...) if relu; x is f32 whatever y is, and may
 * be y. The sum is rounded once. */
cudaError_t gpu_bias_launch(cudaStream_t stream, bool bf16, size_t rows, size_t columns, bool relu,
                            const float *x, const float *bias, void *y);
/* y(n) f32 = x(n) bf16, exactly */
cudaError_t gpu_widen_launch(cudaStream_t stream, size_t n, const void *x, float *y);
/* y(n) bf16 = x(n) f32, rounded: the working copy of weights */
cudaError_t gpu_round_launch(cudaStream_t stream, size_t n, const float *x, void *y);

/* ---- columns.cu: sums over the rows of a matrix, in a fixed order */
enum { GPU_COLUMN_PARTS = 256 }; /* row parts, each summed by one block; then a fixed tree */
/* bytes of `work` for two sums over `columns` columns */
size_t gpu_columns_work(size_t columns);
/* first(columns) and second(columns) from sums by parts, work(2, room, columns) of whose `room`
 * parts the first `parts` are there */
cudaError_t gpu_column_pairs_launch(cudaStream_t stream, unsigned room, unsigned parts,
                                    size_t columns, const float *work, float *first, float *second);
/* db(columns) = sum over rows of dy(rows, columns): the gradient of a bias */
cudaError_t gpu_column_sum_launch(cudaStream_t stream, bool bf16, size_t rows, size_t columns,
                                  const void *dy, void *work, float *db);

/* out(columns) = sum over rows of a dy, products of (rows, columns); a NULL: of dy alone */
cudaError_t gpu_column_products_launch(cudaStream_t stream, bool bf16, size_t rows, size_t columns,
                                       const void *a, const void *dy, void *work, float *out);
/* out(samples, columns): the same over the `rows` rows of each sample; a NULL: of dy alone */
cudaError_t gpu_sample_products_launch(cudaStream_t stream, bool bf16, size_t samples, size_t rows,
                                       size_t columns, const void *a, const void *dy, float *out);

/* ---- tree.cu */

enum { GPU_TREE_RANKS = 1024 }; /* most that it adds */
/* y(n) = the fixed tree's sum of `ranks` (a power of two) vectors of n floats, `stride` floats
 * apart: neighbours first, as gyre_comm_reduce_exact. y may be any of them. */
cudaError_t gpu_tree_launch(cudaStream_t stream, size_t n, int ranks, size_t stride, const float *x,
                            float *y);

#ifdef __cplusplus
}
#endif
#endif
