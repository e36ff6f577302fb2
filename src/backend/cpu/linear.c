/* Fully connected layers: shapes to cached oneDNN primitives. */
#include "act.h"
#include "cpu.h"

#include <string.h>

/* Weights from which on forward computes y^T = W x^T: oneDNN's y = x W^T reads W, which is larger
 * than the cache, along its columns, and takes two to three times as long for few rows. */
enum { TURNED = 1 << 20 };

static bool is_turned(const gyre_linear_shape *s) {
    return (int64_t)s->in * s->out >= TURNED;
}

enum { SIDE = 16 }; /* of the blocks in which y^T is turned, so that its lines are read once */

/* y(n, out) = turned(out, n) + bias */
ACT_LOOP void turn_back(bool bf16, const gyre_linear_shape *s, const float *turned,
                        const float *bias, void *y) {
    const size_t n = (size_t)s->n, out = (size_t)s->out;
    for (size_t o = 0; o < out; o += SIDE) {
        const size_t end = o + SIDE < out ? o + SIDE : out;
        for (size_t i = 0; i < n; i++) {
            for (size_t j = o; j < end; j++) {
                float value = turned[j * n + i];
                act_put(bf16, y, i * out + j, bias == NULL ? value : value + bias[j]);
            }
        }
    }
}

CPU_CLONES
static void turn(bool bf16, const gyre_linear_shape *s, const float *turned, const float *bias,
                 void *y) {
    if (bf16)
        turn_back(true, s, turned, bias, y);
    else
        turn_back(false, s, turned, bias, y);
}

static gyre_status forward_turned(gyre_queue *q, const gyre_linear_shape *s, gyre_act x,
                                  gyre_raw packed, gyre_f32 bias, gyre_act y) {
    dnn_op *op;
    void *turned;
    GYRE_TRY(cpu_op(q, DNN_LINEAR_TURNED, s, &op)); /* before the scratch, which it may move */
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, dnn_arg_size(op, DNNL_ARG_DST), &turned));
    GYRE_TRY(cpu_run(
        q, DNN_LINEAR_TURNED, s,
        (dnn_arg[]){{DNNL_ARG_SRC, packed}, {DNNL_ARG_WEIGHTS, x}, {DNNL_ARG_DST, turned}}, 3));
    turn(cpu_bf16(q), s, turned, s->bias ? cpu_f32(bias) : NULL, y);
    return GYRE_OK;
}

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

static gyre_status forward(gyre_queue *q, const gyre_linear_shape *s, gyre_act x, gyre_raw packed,
                           gyre_f32 bias, gyre_act y) {
    if (is_turned(s)) return forward_turned(q, s, x, packed, bias, y);
    return cpu_run(q, DNN_LINEAR, s,
                   (dnn_arg[]){{DNNL_ARG_SRC, x},
                               {DNNL_ARG_WEIGHTS, packed},
                               {DNNL_ARG_BIAS, bias},
                               {DNNL_ARG_DST, y}},
                   4);
}

gyre_status cpu_linear(gyre_queue *q, const gyre_linear_shape *s, gyre_act x, gyre_raw packed,
                       gyre_f32 bias, gyre_act y) {
    GYRE_TRY(forward(q, s, x, packed, bias, y));
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
    GYRE_TRY(cpu_run(q, DNN_LINEAR_DW, s,
                     (dnn_arg[]){{DNNL_ARG_SRC, x},
                                 {DNNL_ARG_DIFF_DST, dy},
                                 {DNNL_ARG_DIFF_WEIGHTS, dw},
                                 {DNNL_ARG_DIFF_BIAS, db}},
                     4));
    if (cpu_bf16(q)) cpu_round_in_place(cpu_f32(dw), (size_t)s->in * (size_t)s->out);
    return GYRE_OK;
}
