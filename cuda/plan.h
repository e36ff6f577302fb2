/* Convolutions as cuDNN execution plans; inside cuda/ only these files know cuDNN:
 *
 *   graph.c            a convolution as a finalised operation graph
 *   engine.c           which of cuDNN's engines may run it, and the first one that does
 *   plan.c             the plans of a backend, cached by what they compute, and how they are run
 *   conv.c, linear.c   the operations, with these plans
 *
 * A linear layer is a convolution of 1x1 images: cuDNN's matmul has no engine that multiplies f32
 * without tensor cores, its convolutions have. */
#ifndef GYRE_CUDA_PLAN_H
#define GYRE_CUDA_PLAN_H

#include "fail.h"
#include "gpu.h"
#include <cudnn_graph.h>

/* ---- graph.c */
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
/* "conv_dw of 128 images 32x32x3, 16 filters 3x3, stride 1, pad 1, f32" */
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

/* ---- engine.c */
typedef struct {
    cudnnBackendDescriptor_t config;
    int64_t id;     /* cuDNN's global index of the engine, for this kind of graph */
    uint32_t notes; /* 1 << cudnnBackendNumericalNote_t */
    bool compiled;  /* compiles its kernel while the plan is made: seconds, not milliseconds */
} gpu_engine;

/* What the choice of engines depends on. */
typedef struct {
    cudnnBackendDescriptor_t device; /* CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR */
    bool deterministic;
    size_t workspace_limit; /* bytes a plan may want */
} gpu_rules;

/* The notes among engine->notes for which the rules refuse it. */
uint32_t gpu_notes_refused(const gpu_rules *rules, gpu_math math, uint32_t given);
/* "TENSOR_CORE WINOGRAD", "-" for none */
void gpu_notes_text(uint32_t given, char *out, size_t size);

/* Sees an engine; sets *take to become the owner of engine->config and see no more. */
typedef gyre_status (*gpu_engine_visit)(void *context, const gpu_engine *engine, bool *take);
/* Shows the engines that cuDNN's heuristics offer, best guess first, modes A, B, FALLBACK. */
gyre_status gpu_engines_each(const gpu_rules *rules, const gpu_graph *graph, gpu_engine_visit visit,
                             void *context);

typedef struct {
    gpu_engine engine;
    cudnnBackendDescriptor_t plan;
    size_t workspace; /* bytes */
} gpu_choice;

/* The first engine that the rules allow, that finalises and whose workspace is within the limit;
 * those that compile at run time only when no other is left. Errors name what was refused, for
 * what, and which setting would allow it. */
gyre_status gpu_choose(const gpu_rules *rules, const gpu_operation *op, const gpu_graph *graph,
                       gpu_choice *out);
void gpu_choice_close(gpu_choice *c);

/* ---- plan.c */
typedef struct {
    gpu_operation op;
    gpu_graph graph; /* kept, since nothing says that a plan outlives what it was made from */
    gpu_choice choice;
} gpu_plan;

struct gpu_plans {
    cudnnHandle_t handle; /* NULL where plans are only made */
    gpu_rules rules;
    gpu_plan **plans; /* each stays where it is */
    int count, room;
    int next; /* where the search begins */
};

/* Plans for a device that is not there: `device` is the JSON text of cuDNN's device properties. */
gyre_status gpu_plans_open_json(const char *device, bool deterministic, gpu_plans **out);

/* The plan for `op`, made at the first call; valid until gpu_plans_close. */
gyre_status gpu_plans_find(gpu_plans *p, const gpu_operation *op, gpu_plan **out);
/* Queues it on the compute stream. workspace has plan->choice.workspace bytes. */
gyre_status gpu_plan_run(const gpu_plans *p, const gpu_plan *plan, const void *x, const void *w,
                         const void *y, void *workspace);

#endif
