/* The plans of a backend, cached by what they compute, and how they are run.
 *
 * Making a plan takes milliseconds and no device memory. Those of a step are made ahead
 * (prepare.c), others at the first call with a shape. */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* More than any model here needs at a batch of 1024, and little beside a device's memory. */
static const size_t workspace_limit = (size_t)1 << 30;
_Static_assert(CUDNN_VERSION >= 90800, "engine heuristics from device properties are in cuDNN 9.8");

/* ---- opening */

/* The one place where plans for a device that is here and for one that is not differ. */
static gyre_status describe_device(gpu_plans *p, cudnnHandle_t handle, const char *json) {
    cudnnBackendDescriptor_t *device = &p->rules.device;
    GPU_CUDNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, device));
    if (json == NULL) {
        GPU_CUDNN_TRY(cudnnBackendSetAttribute(*device, CUDNN_ATTR_DEVICEPROP_HANDLE,
                                               CUDNN_TYPE_HANDLE, 1, &handle));
    } else {
        GPU_CUDNN_TRY(cudnnBackendSetAttribute(*device, CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION,
                                               CUDNN_TYPE_CHAR, (int64_t)strlen(json) + 1, json));
    }
    GPU_CUDNN_TRY(cudnnBackendFinalize(*device));
    return GYRE_OK;
}

static gyre_status open_plans(bool deterministic, gpu_plans **out) {
    gpu_plans *p = calloc(1, sizeof *p);
    if (p == NULL) return gyre_no_memory("the plan cache");
    p->rules = (gpu_rules){.deterministic = deterministic, .workspace_limit = workspace_limit};
    *out = p;
    return GYRE_OK;
}

gyre_status gpu_plans_open_json(const char *device, bool deterministic, gpu_plans **out) {
    GYRE_TRY(open_plans(deterministic, out));
    gyre_status status = describe_device(*out, NULL, device);
    if (status == GYRE_OK) return GYRE_OK;
    gpu_plans_close(*out);
    *out = NULL;
    return status;
}

gyre_status gpu_plans_open(gpu_backend *b, gpu_plans **out) {
    GYRE_TRY(open_plans(b->options.deterministic, out));
    gyre_status status = describe_device(*out, b->trunk.cudnn, NULL);
    if (status == GYRE_OK) return GYRE_OK;
    gpu_plans_close(*out);
    *out = NULL;
    return status;
}

static void close_plan(gpu_plan *plan) {
    gpu_choice_close(&plan->choice);
    gpu_graph_close(&plan->graph);
    free(plan);
}

void gpu_plans_close(gpu_plans *p) {
    if (p == NULL) return;
    for (int i = 0; i < p->count; i++) close_plan(p->plans[i]);
    free(p->plans);
    if (p->rules.device != NULL) cudnnBackendDestroyDescriptor(p->rules.device);
    free(p);
}

/* ---- the cache */

static bool same(const gpu_operation *a, const gpu_operation *b) {
    return a->kind == b->kind && a->math == b->math &&
           memcmp(&a->shape, &b->shape, GYRE_CONV_INTS * sizeof(int)) == 0;
}

static gyre_status add_plan(gpu_plans *p, const gpu_operation *op, gpu_plan **out) {
    if (p->count == p->room) {
        int room = p->room == 0 ? 64 : 2 * p->room;
        gpu_plan **more = realloc(p->plans, (size_t)room * sizeof(gpu_plan *));
        if (more == NULL) return gyre_no_memory("the plan cache");
        p->plans = more;
        p->room = room;
    }
    gpu_plan *plan = calloc(1, sizeof *plan);
    if (plan == NULL) return gyre_no_memory("a plan");
    plan->op = *op;
    gyre_status status = gpu_graph_open(op, &plan->graph);
    if (status == GYRE_OK) status = gpu_choose(&p->rules, op, &plan->graph, &plan->choice);
    if (status != GYRE_OK) {
        close_plan(plan);
        return status;
    }
    p->plans[p->count++] = plan;
    *out = plan;
    return GYRE_OK;
}

/* A step runs the same plans in the same order, so the search starts behind the last hit. */
gyre_status gpu_plans_find(gpu_plans *p, const gpu_operation *op, gpu_plan **out) {
    for (int i = 0; i < p->count; i++) {
        int at = (p->next + i) % p->count;
        if (!same(&p->plans[at]->op, op)) continue;
        p->next = at + 1;
        *out = p->plans[at];
        return GYRE_OK;
    }
    return add_plan(p, op, out);
}

/* The sum of a hash of each, so that their order does not matter. */
gyre_status gpu_plans_hash(const gpu_plans *p, uint64_t *out) {
    char operation[GPU_OPERATION_TEXT], engine[GPU_ENGINE_TEXT];
    *out = 0;
    for (int i = 0; i < p->count; i++) {
        gpu_operation_text(&p->plans[i]->op, operation, sizeof operation);
        GYRE_TRY(gpu_engine_text(&p->plans[i]->choice.engine, engine));
        uint64_t seed = XXH3_64bits(operation, strlen(operation));
        *out += XXH3_64bits_withSeed(engine, strlen(engine), seed);
    }
    return GYRE_OK;
}

/* ---- running */

static gyre_status run(cudnnHandle_t handle, const gpu_plan *plan, const void *const *tensors,
                       const void *workspace, cudnnBackendDescriptor_t pack) {
    static const int64_t ids[GPU_TENSORS] = {GPU_TENSOR_X, GPU_TENSOR_W, GPU_TENSOR_Y};
    GPU_CUDNN_TRY(cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS,
                                           CUDNN_TYPE_INT64, GPU_TENSORS, ids));
    GPU_CUDNN_TRY(cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS,
                                           CUDNN_TYPE_VOID_PTR, GPU_TENSORS, tensors));
    GPU_CUDNN_TRY(cudnnBackendSetAttribute(pack, CUDNN_ATTR_VARIANT_PACK_WORKSPACE,
                                           CUDNN_TYPE_VOID_PTR, 1, &workspace));
    GPU_CUDNN_TRY(cudnnBackendFinalize(pack));
    GPU_CUDNN_TRY(cudnnBackendExecute(handle, plan->choice.plan, pack));
    return GYRE_OK;
}

gyre_status gpu_plan_run(cudnnHandle_t handle, const gpu_plan *plan, const void *x, const void *w,
                         const void *y, void *workspace) {
    const void *const tensors[GPU_TENSORS] = {x, w, y};
    cudnnBackendDescriptor_t pack = NULL;
    char text[160];
    gpu_operation_text(&plan->op, text, sizeof text);
    for (int i = 0; i < GPU_TENSORS; i++) {
        if ((uintptr_t)tensors[i] % GPU_TENSOR_ALIGNMENT == 0) continue;
        return gyre_fail(GYRE_EDEVICE, "%s: tensor %c at %p is not aligned to %d bytes", text,
                         "xwy"[i], tensors[i], GPU_TENSOR_ALIGNMENT);
    }
    GPU_CUDNN_TRY(cudnnBackendCreateDescriptor(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, &pack));
    gyre_status status = run(handle, plan, tensors, workspace, pack);
    cudnnBackendDestroyDescriptor(pack);
    return status == GYRE_OK ? GYRE_OK : gyre_fail_in(text, status);
}
