/* A convolution as a finalised operation graph of cuDNN.
 *
 * A linear layer is a convolution of 1x1 images: cuDNN's matmul has no engine that multiplies f32
 * without tensor cores, its convolutions have. */
#ifndef GYRE_CUDA_GRAPH_H
#define GYRE_CUDA_GRAPH_H

#include "fail.h"
#include "gpu.h"
#include <cudnn_graph.h>

typedef enum { GPU_CONV, GPU_CONV_DX, GPU_CONV_DW } gpu_conv_kind;

/* Type of all three tensors and what an engine may do with them. Sums are f32 everywhere. */
typedef enum {
    GPU_MATH_F32,    /* f32 as it is */
    GPU_MATH_TF32,   /* f32, operands may be rounded to fewer bits */
    GPU_MATH_BF16,   /* bf16 */
    GPU_MATH_WIDENED /* f32 that holds bf16 values: TF32 has more bits, so its products are exact */
} gpu_math;

typedef struct {
    gpu_conv_kind kind;
    gpu_math math;
    gyre_conv_shape shape; /* bias and relu are no part of it */
} gpu_operation;

/* What a convolution's slot runs: the kind for this shape in the backend's precision. */
gpu_operation gpu_operation_of(gpu_conv_kind kind, const gyre_conv_shape *s, bool bf16, bool tf32);
gyre_conv_shape gpu_linear_as_conv(const gyre_linear_shape *s);
/* "conv_dw of 128 images 32x32x3, 16 filters 3x3, stride 1, pad 1, f32"; of
 * strides and paddings all numbers where they differ, and dilation and groups where there are any
 */
enum { GPU_OPERATION_TEXT = 256 };
void gpu_operation_text(const gpu_operation *op, char *out, size_t size);

/* Tensor ids in a graph; also the order of gpu_plan_run's pointers. The result of GPU_CONV_DX is
 * X, that of GPU_CONV_DW is W. */
enum { GPU_TENSOR_X = 1, GPU_TENSOR_W, GPU_TENSOR_Y, GPU_TENSORS = 3 };
/* What the tensors of a graph promise, and gpu_plan_run demands. */
enum { GPU_TENSOR_ALIGNMENT = 16 };

enum { GPU_GRAPH_PARTS = 6 };
typedef struct {
    cudnnBackendDescriptor_t graph;
    cudnnBackendDescriptor_t parts[GPU_GRAPH_PARTS]; /* it and what it is made of */
    int count;
} gpu_graph;

/* Refuses impossible shapes before cuDNN sees them. Closes what it began when it fails. */
gyre_status gpu_graph_open(const gpu_operation *op, gpu_graph *out);
void gpu_graph_close(gpu_graph *g);

#endif
