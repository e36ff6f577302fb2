/* Fully connected layers: shapes to cached oneDNN primitives. */
#include "cpu.h"

#include <string.h>

size_t cpu_linear_pack_size(gyre_backend *b, const gyre_linear_shape *s) {
    return (size_t)s->in * (size_t)s->out * b->act_size;
}

/* Plain weights serve all three kernels; the copy keeps the contract that updates of the master
 * weights show only after packing. */
gyre_status cpu_linear_pack(gyre_queue *q, const gyre_linear_shape *s, gyre_f32 w,
                            gyre_raw packed) {
    size_t n = (size_t)s->in * (size_t)s->out;
    if (cpu_bf16(q))
        cpu_round(cpu_f32(w), n, (uint16_t *)(void *)packed);
    else
        memcpy(packed, w, n * sizeof(float));
    return GYRE_OK;
}

gyre_status cpu_linear(gyre_queue *q, const gyre_linear_shape *s, gyre_act x, gyre_raw packed,
                       gyre_f32 bias, gyre_act y) {
    GYRE_TRY(cpu_run(q, DNN_LINEAR, s,
                     (dnn_arg[]){{DNNL_ARG_SRC, x},
                                 {DNNL_ARG_WEIGHTS, packed},
                                 {DNNL_ARG_BIAS, bias},
                                 {DNNL_ARG_DST, y}},
                     4));
    return s->relu ? cpu_relu(q, (size_t)s->n * (size_t)s->out, y, y) : GYRE_OK; /* as in conv.c */
}

gyre_status cpu_linear_dx(gyre_queue *q, const gyre_linear_shape *s, gyre_act dy, gyre_raw packed,
                          gyre_act dx) {
    return cpu_run(
        q, DNN_LINEAR_DX, s,
        (dnn_arg[]){{DNNL_ARG_DIFF_DST, dy}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_DIFF_SRC, dx}},
        3);
}

gyre_status cpu_linear_dw(gyre_queue *q, const gyre_linear_shape *s, gyre_act x, gyre_act dy,
                          gyre_f32 dw, gyre_f32 db) {
    return cpu_run(q, DNN_LINEAR_DW, s,
                   (dnn_arg[]){{DNNL_ARG_SRC, x},
                               {DNNL_ARG_DIFF_DST, dy},
                               {DNNL_ARG_DIFF_WEIGHTS, dw},
                               {DNNL_ARG_DIFF_BIAS, db}},
                   4);
}
