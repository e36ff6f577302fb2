/* y += x on activations: where two ways through a net meet again. */
#include "act.h"
#include "cpu.h"

ACT_LOOP void accumulate_loop(bool bf16, size_t width, size_t begin, size_t end, const void *x,
                              void *y) {
    for (size_t i = begin; i < end; i += GROUP) {
        group v, sum;
        group_get(bf16, width, x, i, &v);
        group_get(bf16, width, y, i, &sum);
        sum.a += v.a;
        sum.b += v.b;
        group_put(bf16, width, &sum, y, i);
    }
}

CPU_CLONES
gyre_status cpu_accumulate(gyre_queue *q, size_t n, gyre_act x, gyre_act y) {
    ACT_CALL_GROUPS(cpu_bf16(q), n, accumulate_loop, x, y);
    return GYRE_OK;
}
