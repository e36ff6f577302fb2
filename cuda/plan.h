/* Convolutions as cuDNN execution plans, cached by what they compute, and how they are run. Inside
 * cuda/ only these files, conv.c and linear.c know cuDNN:
 *
 *   graph.c    a convolution as an operation graph
 *   engine.c   which engine runs it
 *   plan.c     the plans of a backend */
#ifndef GYRE_CUDA_PLAN_H
#define GYRE_CUDA_PLAN_H

#include "engine.h"

typedef struct {
    gpu_operation op;
    gpu_graph graph; /* kept, since nothing says that a plan outlives what it was made from */
    gpu_choice choice;
} gpu_plan;

struct gpu_plans {
    gpu_rules rules;
    gpu_plan **plans; /* each stays where it is */
    int count, room;
    int next; /* where the search begins */
};

/* Plans for a device that is not there: `device` is the JSON text of cuDNN's device properties. */
gyre_status gpu_plans_open_json(const char *device, bool deterministic, gpu_plans **out);

/* The plan for `op`, made at the first call; valid until gpu_plans_close. */
gyre_status gpu_plans_find(gpu_plans *p, const gpu_operation *op, gpu_plan **out);
/* Queues it on the handle's stream. workspace has plan->choice.workspace bytes. */
gyre_status gpu_plan_run(cudnnHandle_t handle, const gpu_plan *plan, const void *x, const void *w,
                         const void *y, void *workspace);

#endif
