/* ReLU: NaN stays NaN. */
#include "act.h"
#include "cpu.h"

/* A group is read before it is written, so results may take an operand's place. */
ACT_LOOP void relu_loop(bool bf16, size_t width, size_t begin, size_t end, const void *x, void *y) {
    for (size_t i = begin; i < end; i += GROUP) {
        group v;
        group_get(bf16, width, x, i, &v);
        rectify_lanes(&v.a);
        rectify_lanes(&v.b);
        group_put_exact(bf16, width, &v, y, i);
    }
}

CPU_CLONES
gyre_status cpu_relu(gyre_queue *q, size_t n, gyre_act x, gyre_act y) {
    ACT_CALL_GROUPS(cpu_bf16(q), n, relu_loop, x, y);
    return GYRE_OK;
}

ACT_LOOP void relu_dx_loop(bool bf16, size_t width, size_t begin, size_t end, const void *y,
                           const void *dy, void *dx) {
    for (size_t i = begin; i < end; i += GROUP) {
        group v, d;
        group_get(bf16, width, y, i, &v);
        group_get(bf16, width, dy, i, &d);
        mask_lanes(&d.a, &v.a);
        mask_lanes(&d.b, &v.b);
        group_put_exact(bf16, width, &d, dx, i);
    }
}

CPU_CLONES
gyre_status cpu_relu_dx(gyre_queue *q, size_t n, gyre_act y, gyre_act dy, gyre_act dx) {
    ACT_CALL_GROUPS(cpu_bf16(q), n, relu_dx_loop, y, dy, dx);
    return GYRE_OK;
}
