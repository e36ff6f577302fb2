/* Convolutions: operations around cuDNN's plans. conv.cu has the kernels beside them, as tests
 * build kernels without cuDNN.
 *
 * bf16 keeps the promises of the CPU backend: sums are f32 and each result is rounded once, that of
 * a weight gradient too, which is widened afterwards. cuDNN has no prebuilt engine from bf16 to
 * f32, which a sum that still gets its bias needs. Its operands are widened to f32 first, so that
 * the engine reads and writes f32 and multiplies the same bf16 numbers exactly. ReLU is no part of
 * a plan, since the fast engines do not promise that NaN stays. */
#include "conv.h"
#include "kernels.h"
#include "operation.h"
#include "plan.h"

#include "gyre/size.h"
#include <string.h>

/* ---- sizes, in elements */

static size_t out_rows(const gyre_conv_shape *s) {    /* n oh ow */
    if (s->stride_h < 1 || s->stride_w < 1) return 0; /* the graph refuses it */
    return (size_t)s->n * (size_t)gyre_conv_rows(s) * (size_t)gyre_conv_columns(s);
}
static size_t x_count(const gyre_conv_shape *s) {
    return (size_t)s->n * (size_t)s->h * (size_t)s->w * (size_t)s->c;
}
static size_t w_count(const gyre_conv_shape *s) {
    if (s->groups < 1) return 0;
    return (size_t)s->k * (size_t)s->r * (size_t)s->s * (size_t)(s->c / s->groups);
}
static size_t y_count(const gyre_conv_shape *s) {
    return out_rows(s) * (size_t)s->k;
}

/* ---- plan and workspace */

typedef struct {
    gpu_backend *b;
    gpu_branch *branch;
    gpu_plan *plan;
    char *workspace;               /* the plan's own part comes first */
    float *first, *second, *third; /* vectors behind it; NULL where none was asked for */
} call;

enum { ALIGNMENT = 256 }; /* as cudaMalloc gives it */

/* Lengths of the f32 vectors that a kind needs beside its plan: with a bias, widened x, w and y; of
 * a weight gradient the bf16 one, two in the place of a float. */
static void find_vectors(bool bf16, gpu_conv_kind kind, const gyre_conv_shape *s,
                         size_t floats[3]) {
    memset(floats, 0, 3 * sizeof *floats);
    if (bf16 && kind == GPU_CONV_DW) floats[0] = (w_count(s) + 1) / 2;
    if (bf16 && kind == GPU_CONV && s->bias) {
        floats[0] = x_count(s);
        floats[1] = w_count(s);
        floats[2] = y_count(s);
    }
}

/* Finds the plan and room for it, and behind it for its vectors. */
static gyre_status begin(gyre_queue *q, gpu_conv_kind kind, const gyre_conv_shape *s, call *out) {
    gpu_backend *b = gpu_of_queue(q);
    size_t floats[3];
    find_vectors(gpu_bf16(q), kind, s, floats);
    const gpu_operation op = gpu_operation_of(kind, s, gpu_bf16(q), b->options.tf32);
    void *workspace = NULL;
    *out = (call){.b = b, .branch = gpu_branch_of(q)};
    GYRE_TRY(gpu_plans_find(b->plans, &op, &out->plan));
    size_t at[4] = {gyre_size_align(out->plan->choice.workspace, ALIGNMENT)};
    for (int i = 0; i < 3; i++)
        at[i + 1] = at[i] + gyre_size_align(floats[i] * sizeof(float), ALIGNMENT);
    GYRE_TRY(gpu_workspace(q, at[3], &workspace));
    out->workspace = workspace;
    if (floats[0] > 0) out->first = (float *)(void *)(out->workspace + at[0]);
    if (floats[1] > 0) out->second = (float *)(void *)(out->workspace + at[1]);
    if (floats[2] > 0) out->third = (float *)(void *)(out->workspace + at[2]);
    return GYRE_OK;
}

static gyre_status run(const call *c, const void *x, const void *w, const void *y) {
    return gpu_plan_run(c->branch->cudnn, c->plan, x, w, y, c->workspace);
}

gyre_status gpu_conv_plan(gyre_queue *q, gpu_conv_kind kind, const gyre_conv_shape *s) {
    call c;
    return begin(q, kind, s, &c);
}

/* ---- convolutions */

size_t gpu_conv_pack_size(gyre_backend *b, const gyre_conv_shape *s) {
    return w_count(s) * b->act_size;
}

/* The weights as they are serve all three kernels; the copy keeps the contract that updates show
 * only after packing. */
gyre_status gpu_conv_pack(gyre_queue *q, const gyre_conv_shape *s, gyre_f32 w, gyre_raw packed) {
    gpu_backend *b = gpu_of_queue(q);
    if (gpu_bf16(q)) {
        GPU_TRY(b, gpu_round_launch(gpu_stream(q), w_count(s), gpu_floats(w), packed));
    } else {
        GYRE_TRY(gpu_copy(q, packed, w, w_count(s) * sizeof(float)));
    }
    return GYRE_OK;
}

/* bf16 and a bias: the sum is f32 until the bias is added. */
static gyre_status conv_widened(gyre_queue *q, const gyre_conv_shape *s, gyre_act x,
                                gyre_raw packed, gyre_f32 bias, gyre_act y) {
    call c;
    GYRE_TRY(begin(q, GPU_CONV, s, &c));
    GPU_TRY(c.b, gpu_widen_launch(c.branch->stream, x_count(s), x, c.first));
    GPU_TRY(c.b, gpu_widen_launch(c.branch->stream, w_count(s), packed, c.second));
    GYRE_TRY(run(&c, c.first, c.second, c.third));
    GPU_TRY(c.b, gpu_bias_launch(c.branch->stream, true, out_rows(s), (size_t)s->k, s->relu,
                                 c.third, gpu_floats(bias), y));
    return GYRE_OK;
}

gyre_status gpu_conv(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_raw packed,
                     gyre_f32 bias, gyre_act y) {
    call c;
    if (gpu_bf16(q) && s->bias) return conv_widened(q, s, x, packed, bias, y);
    GYRE_TRY(begin(q, GPU_CONV, s, &c));
    GYRE_TRY(run(&c, x, packed, y));
    if (s->bias) {
        GPU_TRY(c.b, gpu_bias_launch(c.branch->stream, false, out_rows(s), (size_t)s->k, s->relu,
                                     (const float *)(const void *)y, gpu_floats(bias), y));
    } else if (s->relu) {
        return gpu_relu(q, y_count(s), y, y);
    }
    return GYRE_OK;
}

gyre_status gpu_conv_dx(gyre_queue *q, const gyre_conv_shape *s, gyre_act dy, gyre_raw packed,
                        gyre_act dx) {
    call c;
    GYRE_TRY(begin(q, GPU_CONV_DX, s, &c));
    return run(&c, dx, packed, dy);
}

static gyre_status conv_db(gyre_queue *q, const gyre_conv_shape *s, gyre_act dy, gyre_f32 db) {
    gpu_backend *b = gpu_of_queue(q);
    void *work = NULL;
    GYRE_TRY(gpu_workspace(q, gpu_columns_work((size_t)s->k), &work));
    GPU_TRY(b, gpu_column_sum_launch(gpu_stream(q), gpu_bf16(q), out_rows(s), (size_t)s->k, dy,
                                     work, gpu_floats(db)));
    return GYRE_OK;
}

gyre_status gpu_conv_dw(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                        gyre_f32 dw, gyre_f32 db) {
    call c;
    GYRE_TRY(begin(q, GPU_CONV_DW, s, &c));
    if (gpu_bf16(q)) {
        GYRE_TRY(run(&c, x, c.first, dy));
        GPU_TRY(c.b, gpu_widen_launch(c.branch->stream, w_count(s), c.first, gpu_floats(dw)));
    } else {
        GYRE_TRY(run(&c, x, dw, dy));
    }
    return s->bias ? conv_db(q, s, dy, db) : GYRE_OK;
}
