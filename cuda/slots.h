/* The operations of gyre/ops.h, here: layers.c has those by cuDNN, operations.c those by gyre's own
 * kernels. */
#ifndef GYRE_CUDA_SLOTS_H
#define GYRE_CUDA_SLOTS_H

#include "gyre/backend.h"

#define GPU_SHAPED(op, ...) GYRE_SHAPED_HEAD(gpu_##op, __VA_ARGS__);
#define GPU_SIZED(op, ...) GYRE_SIZED_HEAD(gpu_##op, __VA_ARGS__);
#define GPU_SIZE(op, shape) GYRE_SIZE_HEAD(gpu_##op, shape);
GYRE_OPS(GPU_SHAPED, GPU_SIZED)
GYRE_OP_SIZES(GPU_SIZE)

#endif
