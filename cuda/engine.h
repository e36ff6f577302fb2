/* Which of cuDNN's engines may run a convolution, and the first one that does. */
#ifndef GYRE_CUDA_ENGINE_H
#define GYRE_CUDA_ENGINE_H

#include "graph.h"

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
    size_t workspace_limit; /* bytes a plan may need */
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

/* "engine 3, knob 2 = 1, knob 27 = 0": what computes, of all that the heuristics could have taken.
 */
enum { GPU_ENGINE_TEXT = 1024 };
gyre_status gpu_engine_text(const gpu_engine *engine, char out[GPU_ENGINE_TEXT]);

/* The first engine that the rules allow, that finalises and whose workspace is within the limit;
 * those that compile at run time only when no other is left. Errors name what was refused, for
 * what, and which setting would allow it. */
gyre_status gpu_choose(const gpu_rules *rules, const gpu_operation *op, const gpu_graph *graph,
                       gpu_choice *out);
void gpu_choice_close(gpu_choice *c);

#endif
