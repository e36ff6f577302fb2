/* What a step needs made ahead: its body is gone through once with operations that compute nothing,
 * of which those that cuDNN computes find their plan and its work memory.
 *
 * So a plan that cannot be made is refused before the first step, and the engines that were chosen
 * are known, on all ranks, before anything hangs on them. */
#include "conv.h"
#include "gpu.h"
#include "operation.h"
#include "plan.h"

#include <stdio.h>

/* ---- operations that compute nothing */

#define UNUSED(type, name) (void)name
#define SKIP_SHAPED(op, shape, ...)                                                                \
    static GYRE_SHAPED_HEAD(skip_##op, shape, __VA_ARGS__) {                                       \
        (void)q, (void)s, GYRE_LIST(UNUSED, __VA_ARGS__);                                          \
        return GYRE_OK;                                                                            \
    }
#define SKIP_SIZED(op, ...)                                                                        \
    static GYRE_SIZED_HEAD(skip_##op, __VA_ARGS__) {                                               \
        (void)q, (void)n, GYRE_LIST(UNUSED, __VA_ARGS__);                                          \
        return GYRE_OK;                                                                            \
    }
GYRE_OPS(SKIP_SHAPED, SKIP_SIZED)

static gyre_status skip_batch_load(gyre_queue *q, const gyre_image_shape *s,
                                   const gyre_batch *batch, gyre_f32 mean, gyre_f32 scale,
                                   gyre_act x, gyre_i32 targets) {
    (void)q, (void)s, (void)batch, (void)mean, (void)scale, (void)x, (void)targets;
    return GYRE_OK;
}

/* Nothing is queued that would have to wait. */
static gyre_status skip_mark(gyre_queue *q, int number) {
    (void)q, (void)number;
    return GYRE_OK;
}

static gyre_status skip_follow(gyre_queue *after, int number) {
    (void)after, (void)number;
    return GYRE_OK;
}

static gyre_status skip_reduce_begin(gyre_backend *b, gyre_f32 x, size_t n) {
    (void)b, (void)x, (void)n;
    return GYRE_OK;
}

static gyre_status skip_reduce_end(gyre_backend *b) {
    (void)b;
    return GYRE_OK;
}

/* ---- those of cuDNN */

static gyre_status plan_conv(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_raw packed,
                             gyre_f32 bias, gyre_act y) {
    (void)x, (void)packed, (void)bias, (void)y;
    return gpu_conv_plan(q, GPU_CONV, s);
}

static gyre_status plan_conv_dx(gyre_queue *q, const gyre_conv_shape *s, gyre_act dy,
                                gyre_raw packed, gyre_act dx) {
    (void)dy, (void)packed, (void)dx;
    return gpu_conv_plan(q, GPU_CONV_DX, s);
}

static gyre_status plan_conv_dw(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                                gyre_f32 dw, gyre_f32 db) {
    (void)x, (void)dy, (void)dw, (void)db;
    return gpu_conv_plan(q, GPU_CONV_DW, s);
}

static gyre_status plan_linear(gyre_queue *q, const gyre_linear_shape *s, gyre_act x,
                               gyre_raw packed, gyre_f32 bias, gyre_act y) {
    gyre_conv_shape conv = gpu_linear_as_conv(s);
    return plan_conv(q, &conv, x, packed, bias, y);
}

static gyre_status plan_linear_dx(gyre_queue *q, const gyre_linear_shape *s, gyre_act dy,
                                  gyre_raw packed, gyre_act dx) {
    gyre_conv_shape conv = gpu_linear_as_conv(s);
    return plan_conv_dx(q, &conv, dy, packed, dx);
}

static gyre_status plan_linear_dw(gyre_queue *q, const gyre_linear_shape *s, gyre_act x,
                                  gyre_act dy, gyre_f32 dw, gyre_f32 db) {
    gyre_conv_shape conv = gpu_linear_as_conv(s);
    return plan_conv_dw(q, &conv, x, dy, dw, db);
}

/* ---- the table */

static gyre_backend_ops planning_table(const gyre_backend_ops *ops) {
    gyre_backend_ops t = *ops;
#define SKIP(op, ...) t.op = skip_##op;
    GYRE_OPS(SKIP, SKIP)
    t.batch_load = skip_batch_load;
    t.mark = skip_mark;
    t.follow = skip_follow;
    t.reduce_begin = skip_reduce_begin;
    t.reduce_end = skip_reduce_end;
    t.conv = plan_conv;
    t.conv_dx = plan_conv_dx;
    t.conv_dw = plan_conv_dw;
    t.linear = plan_linear;
    t.linear_dx = plan_linear_dx;
    t.linear_dw = plan_linear_dw;
    return t;
}

gyre_status gpu_prepare(gyre_backend *base, gyre_body body, void *context) {
    gpu_backend *b = gpu_of(base);
    const gyre_backend_ops *ops = base->ops, planning = planning_table(ops);
    uint64_t engines = 0;
    int depth = b->depth;
    base->ops = &planning;
    gyre_status status = body(context);
    base->ops = ops;
    while (b->depth > depth) ops->range_pop(base); /* of a body that failed */
    GYRE_TRY(status);
    GYRE_TRY(gpu_plans_hash(b->plans, &engines));
    gpu_device_describe(b, engines);
    return GYRE_OK;
}
