/* oneDNN primitives as plain objects: open by shape, run on pointers, close.
 *
 * The files dnn*.c alone know how the C APIs of oneDNN 2.x and 3.x differ (dnn_api.h), except for
 * the names of instruction sets (isa.c). Activations are nhwc and nc, gradients and master weights
 * plain (k, r, r, c) and (out, in); packed convolution weights are in the format that the forward
 * or backward-data kernel prefers, chosen for a fixed batch so that training and evaluation share
 * one packed copy. */
#ifndef GYRE_CPU_DNN_H
#define GYRE_CPU_DNN_H

#include "gyre/backend.h"
#include <oneapi/dnnl/dnnl.h>

enum { DNN_ARGS = 6 };

typedef struct {
    dnnl_engine_t engine;
    dnnl_data_type_t act; /* of activations and packed weights; all else is f32 */
} dnn_device;

typedef struct dnn_op {
    dnnl_primitive_t primitive;
    int count;
    int ids[DNN_ARGS + 1]; /* DNNL_ARG_*; the scratchpad is last when there is one */
    dnnl_memory_t memories[DNN_ARGS + 1];
    size_t scratch;        /* bytes; `repack` and its weights lie in it too */
    struct dnn_op *repack; /* NULL, or the reorder of the weights that runs before the primitive */
    size_t repacked;       /* where the reordered weights begin in the scratch, in bytes */
} dnn_op;

typedef enum {
    DNN_CONV,         /* src, weights (packed), bias, dst */
    DNN_CONV_DX,      /* diff_dst, weights (packed for dx), diff_src */
    DNN_CONV_DW,      /* src, diff_dst, diff_weights (kernel's format), diff_bias */
    DNN_CONV_PACK,    /* from plain, to forward format */
    DNN_CONV_PACK_DX, /* from plain, to backward-data format */
    DNN_CONV_UNPACK,  /* from the dW kernel's format, to plain */
    DNN_LINEAR,       /* src, weights (plain), bias, dst */
    DNN_LINEAR_DX,
    DNN_LINEAR_DW,
    DNN_LINEAR_TURNED,  /* src (plain weights), weights (x), dst: y(out, n) in f32, without bias */
    DNN_MATRIX,         /* src, weights (packed), bias, dst: of a gyre_linear_shape */
    DNN_MATRIX_DX,      /* src (dy), weights (packed for dx), dst (dx) */
    DNN_MATRIX_PACK,    /* from plain (out, in), to forward format */
    DNN_MATRIX_PACK_DX, /* from plain (out, in), to the format of dx */
} dnn_kind;

/* What bf16 is on this processor: refused by oneDNN, made of f32 operations (slower than f32), or
 * the processor's own. */
typedef enum { DNN_BF16_NONE, DNN_BF16_EMULATED, DNN_BF16_NATIVE } dnn_bf16;
dnn_bf16 dnn_bf16_support(dnnl_engine_t engine);

/* The instruction set that kernels are made for, "avx512_core_bf16"; DNNL_MAX_CPU_ISA lowers it. */
const char *dnn_isa(void);

/* `shape` is the gyre_..._shape that the kind implies. */
gyre_status dnn_open(const dnn_device *device, dnn_kind kind, const void *shape, dnn_op *out);
void dnn_close(dnn_op *op);

typedef struct {
    int id;
    void *data;
} dnn_arg;

/* Runs `op` with the pointers given by argument id; every id of the op must be given. */
gyre_status dnn_run(const dnn_op *op, dnnl_stream_t stream, void *scratch, const dnn_arg *args,
                    int count);

/* A matrix of f32 in memory: rows `ld` elements apart; turned: it stands for its transpose. */
typedef struct {
    const float *x;
    size_t ld;
    bool turned;
} dnn_matrix;

/* c(rows, columns) = a(rows, inner) b(inner, columns) + beta c; rows of c are c_ld apart. */
gyre_status dnn_gemm(size_t rows, size_t columns, size_t inner, dnn_matrix a, dnn_matrix b,
                     float beta, float *c, size_t c_ld);

/* oneDNN's name of the kernel that an opened op runs, "brgconv:avx512_core"; and whether it is one
 * of the reference kernels, which are tens of times slower than the others. */
const char *dnn_kernel(const dnn_op *op);
bool dnn_is_reference(const char *kernel);

/* Bytes of the memory behind an argument of an opened op; 0 when it has none. */
size_t dnn_arg_size(const dnn_op *op, int id);

#endif
