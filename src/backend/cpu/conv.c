/* Convolutions: shapes to cached oneDNN primitives, to own loops where each channel is by itself,
 * or to matrix products where images are small: of pixels or whole images (matrix.c), or of
 * patches, whose dx is a convolution (patches.c). */
#include "cpu.h"
#include "depthwise.h"
#include "matrix.h"
#include "patches.h"

#include "gyre/size.h"

/* The forward part of packed weights: a kind of reorder, and its shape. */
typedef struct {
    dnn_kind kind;
    const void *shape;
    gyre_linear_shape product;
} forward_pack;

static void find_pack(const gyre_conv_shape *s, forward_pack *p) {
    *p = (forward_pack){.kind = DNN_CONV_PACK, .shape = s};
    if (!cpu_is_patches(s)) return;
    p->kind = DNN_MATRIX_PACK;
    p->product = cpu_patches_packed(s);
    p->shape = &p->product;
}

/* Packed convolution weights: the forward kernel's copy, then the backward-data kernel's. */
static gyre_status pack_op_sizes(gyre_queue *q, const gyre_conv_shape *s, size_t *forward,
                                 size_t *data) {
    forward_pack pack;
    dnn_op *op;
    find_pack(s, &pack);
    GYRE_TRY(cpu_op(q, pack.kind, pack.shape, &op));
    *forward = gyre_size_align(dnn_arg_size(op, DNNL_ARG_TO), GYRE_ALIGNMENT);
    GYRE_TRY(cpu_op(q, DNN_CONV_PACK_DX, s, &op));
    *data = gyre_size_align(dnn_arg_size(op, DNNL_ARG_TO), GYRE_ALIGNMENT);
    return GYRE_OK;
}

/* The packed format must not depend on the batch or on the bias. */
static gyre_conv_shape pack_shape(const gyre_conv_shape *s) {
    gyre_conv_shape p = *s;
    p.n = 1;
    p.bias = false;
    return p;
}

size_t cpu_conv_pack_size(gyre_backend *b, const gyre_conv_shape *s) {
    if (cpu_is_depthwise(s)) return cpu_depthwise_pack_size(s);
    gyre_conv_shape p = pack_shape(s);
    size_t forward = 0, data = 0, size = 0;
    if (cpu_is_matrix(s)) return cpu_matrix_pack_size(b->main, s, &size) == GYRE_OK ? size : 0;
    if (pack_op_sizes(b->main, &p, &forward, &data) != GYRE_OK) return 0;
    return forward + data;
}

gyre_status cpu_conv_pack(gyre_queue *q, const gyre_conv_shape *s, gyre_f32 w, gyre_raw packed) {
    gyre_conv_shape p = pack_shape(s);
    forward_pack pack;
    size_t forward, data;
    if (cpu_is_depthwise(s)) {
        cpu_depthwise_pack(q, s, w, packed);
        return GYRE_OK;
    }
    if (cpu_is_matrix(s)) return cpu_matrix_pack(q, s, w, packed);
    GYRE_TRY(pack_op_sizes(q, &p, &forward, &data));
    find_pack(&p, &pack);
    GYRE_TRY(cpu_run(q, pack.kind, pack.shape,
                     (dnn_arg[]){{DNNL_ARG_FROM, w}, {DNNL_ARG_TO, packed}}, 2));
    return cpu_run(q, DNN_CONV_PACK_DX, &p,
                   (dnn_arg[]){{DNNL_ARG_FROM, w}, {DNNL_ARG_TO, (char *)packed + forward}}, 2);
}

static gyre_status run_forward(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_raw packed,
                               gyre_f32 bias, gyre_act y) {
    if (cpu_is_matrix(s)) return cpu_matrix(q, s, x, packed, bias, y);
    if (cpu_is_patches(s)) return cpu_patches(q, s, x, packed, bias, y);
    return cpu_run(q, DNN_CONV, s,
                   (dnn_arg[]){{DNNL_ARG_SRC, x},
                               {DNNL_ARG_WEIGHTS, packed},
                               {DNNL_ARG_BIAS, bias},
                               {DNNL_ARG_DST, y}},
                   4);
}

gyre_status cpu_conv(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_raw packed,
                     gyre_f32 bias, gyre_act y) {
    if (cpu_is_depthwise(s)) return cpu_depthwise(q, s, x, packed, bias, y);
    size_t pixels = (size_t)s->n * (size_t)gyre_conv_rows(s) * (size_t)gyre_conv_columns(s);
    GYRE_TRY(run_forward(q, s, x, packed, bias, y));
    /* behind the primitive: oneDNN's fused ReLU does not grant that NaN stays NaN, and a diverged
     * layer would look healthy from there on */
    return s->relu ? cpu_relu(q, pixels * (size_t)s->k, y, y) : GYRE_OK;
}

gyre_status cpu_conv_dx(gyre_queue *q, const gyre_conv_shape *s, gyre_act dy, gyre_raw packed,
                        gyre_act dx) {
    if (cpu_is_depthwise(s)) return cpu_depthwise_dx(q, s, dy, packed, dx);
    if (cpu_is_matrix(s)) return cpu_matrix_dx(q, s, dy, packed, dx);
    gyre_conv_shape p = pack_shape(s);
    size_t forward, data;
    GYRE_TRY(pack_op_sizes(q, &p, &forward, &data));
    return cpu_run(q, DNN_CONV_DX, s,
                   (dnn_arg[]){{DNNL_ARG_DIFF_DST, dy},
                               {DNNL_ARG_WEIGHTS, (char *)packed + forward},
                               {DNNL_ARG_DIFF_SRC, dx}},
                   3);
}

static gyre_status weight_gradient(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                                   gyre_f32 dw, gyre_f32 db) {
    if (cpu_is_depthwise(s)) return cpu_depthwise_dw(q, s, x, dy, dw, db);
    if (cpu_is_matrix(s)) return cpu_matrix_dw(q, s, x, dy, dw, db);
    if (cpu_is_patches(s)) return cpu_patches_dw(q, s, x, dy, dw, db);
    dnn_op *op;
    void *blocked;
    /* both are made before the scratch is taken, since a new primitive may move it */
    GYRE_TRY(cpu_op(q, DNN_CONV_UNPACK, s, &op));
    GYRE_TRY(cpu_op(q, DNN_CONV_DW, s, &op));
    GYRE_TRY(
        cpu_scratch((cpu_queue *)(void *)q, dnn_arg_size(op, DNNL_ARG_DIFF_WEIGHTS), &blocked));
    GYRE_TRY(cpu_run(q, DNN_CONV_DW, s,
                     (dnn_arg[]){{DNNL_ARG_SRC, x},
                                 {DNNL_ARG_DIFF_DST, dy},
                                 {DNNL_ARG_DIFF_WEIGHTS, blocked},
                                 {DNNL_ARG_DIFF_BIAS, db}},
                     4));
    return cpu_run(q, DNN_CONV_UNPACK, s, (dnn_arg[]){{DNNL_ARG_FROM, blocked}, {DNNL_ARG_TO, dw}},
                   2);
}

gyre_status cpu_conv_dw(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                        gyre_f32 dw, gyre_f32 db) {
    GYRE_TRY(weight_gradient(q, s, x, dy, dw, db));
    size_t columns = (size_t)s->r * (size_t)s->s * (size_t)(s->c / s->groups);
    if (cpu_bf16(q)) cpu_round_in_place(cpu_f32(dw), (size_t)s->k * columns);
    return GYRE_OK;
}
