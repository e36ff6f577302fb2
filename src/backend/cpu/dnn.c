/* The only file that knows oneDNN's two C APIs: 2.x builds an operation descriptor and makes a
 * primitive descriptor of it, 3.x makes the primitive descriptor at once and has opaque memory
 * descriptors. Below, `md` is a memory descriptor to pass and `md_own` one to make. */
#include "dnn.h"

#include <stdlib.h>
#include <string.h>

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t md;
typedef dnnl_memory_desc_t md_own;
#define MD(x) (x)
static dnnl_status_t md_make(md_own *out, int rank, const dnnl_dims_t dims, dnnl_data_type_t type,
                             dnnl_format_tag_t tag) {
    return dnnl_memory_desc_create_with_tag(out, rank, dims, type, tag);
}
static void md_free(md_own *x) {
    dnnl_memory_desc_destroy(*x);
}
#else
typedef const dnnl_memory_desc_t *md;
typedef dnnl_memory_desc_t md_own;
#define MD(x) (&(x))
static dnnl_status_t md_make(md_own *out, int rank, const dnnl_dims_t dims, dnnl_data_type_t type,
                             dnnl_format_tag_t tag) {
    return dnnl_memory_desc_init_by_tag(out, rank, dims, type, tag);
}
static void md_free(md_own *x) {
    (void)x;
}
#endif

static gyre_status check(dnnl_status_t code, const char *what) {
    if (code == dnnl_success) return GYRE_OK;
    return gyre_fail(GYRE_EDEVICE, "oneDNN: %s failed with status %d%s", what, (int)code,
                     code == dnnl_unimplemented   ? " (no kernel for this shape on this processor)"
                     : code == dnnl_out_of_memory ? " (out of memory)"
                                                  : "");
}

/* The memory descriptors of a layer: x, w, b, y in plain formats or `any`. */
typedef struct {
    md_own x, w, b, y;
    bool bias;
} layer_md;

static void layer_md_free(layer_md *m) {
    md_free(&m->x);
    md_free(&m->w);
    md_free(&m->y);
    if (m->bias) md_free(&m->b);
}

/* Types and formats of a layer's tensors; its bias is f32 always. weights_rank: dimensions of the
 * weights, which have one more than x when they are in groups. */
typedef struct {
    dnnl_data_type_t act, weights;
    dnnl_format_tag_t act_tag, weights_tag;
    int weights_rank;
} layout;

static gyre_status layer_md_make(layer_md *m, int rank, const dnnl_dims_t x, const dnnl_dims_t w,
                                 const dnnl_dims_t y, layout l, bool bias) {
    memset(m, 0, sizeof *m);
    m->bias = bias;
    GYRE_TRY(check(md_make(&m->x, rank, x, l.act, l.act_tag), "memory descriptor"));
    GYRE_TRY(
        check(md_make(&m->w, l.weights_rank, w, l.weights, l.weights_tag), "memory descriptor"));
    GYRE_TRY(check(md_make(&m->y, rank, y, l.act, l.act_tag), "memory descriptor"));
    const dnnl_dims_t b = {y[1]};
    if (bias) GYRE_TRY(check(md_make(&m->b, 1, b, dnnl_f32, dnnl_a), "memory descriptor"));
    return GYRE_OK;
}

/* No ReLU post-op: on AVX-512 it turns NaN into 0 (conv.c and linear.c apply their own). */
static gyre_status make_attr(dnnl_primitive_attr_t *out) {
    GYRE_TRY(check(dnnl_primitive_attr_create(out), "attributes"));
    return check(dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user),
                 "scratchpad mode");
}

/* ---- primitive descriptors: forward, backward data, backward weights */

typedef enum { FORWARD, DATA, WEIGHTS } direction;

/* The arguments of a layer's primitive, by direction. */
static const int layer_ids[][5] = {
    {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST, 0},
    {DNNL_ARG_DIFF_DST, DNNL_ARG_WEIGHTS, DNNL_ARG_DIFF_SRC, 0},
    {DNNL_ARG_SRC, DNNL_ARG_DIFF_DST, DNNL_ARG_DIFF_WEIGHTS, DNNL_ARG_DIFF_BIAS, 0}};

/* Gradients of weights are f32, whatever the activations are. */
static dnnl_data_type_t weights_type(const dnn_device *device, direction d) {
    return d == WEIGHTS ? dnnl_f32 : device->act;
}

static dnnl_status_t conv_pd(dnnl_engine_t engine, direction d, const gyre_conv_shape *s,
                             const layer_md *m, dnnl_primitive_attr_t attr,
                             dnnl_primitive_desc_t hint, dnnl_primitive_desc_t *out) {
    const dnnl_dims_t stride = {s->stride_h, s->stride_w};
    const dnnl_dims_t dilate = {s->dilation_h - 1, s->dilation_w - 1}; /* pixels between taps */
    const dnnl_dims_t front = {s->pad_top, s->pad_left}, back = {s->pad_bottom, s->pad_right};
    md b = m->bias ? MD(m->b) : NULL;
#if DNNL_VERSION_MAJOR >= 3
    if (d == FORWARD) {
        return dnnl_convolution_forward_primitive_desc_create(
            out, engine, dnnl_forward_training, dnnl_convolution_direct, MD(m->x), MD(m->w), b,
            MD(m->y), stride, dilate, front, back, attr);
    }
    if (d == DATA) {
        return dnnl_convolution_backward_data_primitive_desc_create(
            out, engine, dnnl_convolution_direct, MD(m->x), MD(m->w), MD(m->y), stride, dilate,
            front, back, hint, attr);
    }
    return dnnl_convolution_backward_weights_primitive_desc_create(
        out, engine, dnnl_convolution_direct, MD(m->x), MD(m->w), b, MD(m->y), stride, dilate,
        front, back, hint, attr);
#else
    dnnl_convolution_desc_t desc;
    dnnl_status_t code;
    if (d == FORWARD) {
        code = dnnl_dilated_convolution_forward_desc_init(
            &desc, dnnl_forward_training, dnnl_convolution_direct, MD(m->x), MD(m->w), b, MD(m->y),
            stride, dilate, front, back);
    } else if (d == DATA) {
        code = dnnl_dilated_convolution_backward_data_desc_init(&desc, dnnl_convolution_direct,
                                                                MD(m->x), MD(m->w), MD(m->y),
                                                                stride, dilate, front, back);
    } else {
        code = dnnl_dilated_convolution_backward_weights_desc_init(&desc, dnnl_convolution_direct,
                                                                   MD(m->x), MD(m->w), b, MD(m->y),
                                                                   stride, dilate, front, back);
    }
    if (code != dnnl_success) return code;
    return dnnl_primitive_desc_create(out, &desc, attr, engine, hint);
#endif
}

static dnnl_status_t linear_pd(dnnl_engine_t engine, direction d, const layer_md *m,
                               dnnl_primitive_attr_t attr, dnnl_primitive_desc_t hint,
                               dnnl_primitive_desc_t *out) {
    md b = m->bias ? MD(m->b) : NULL;
#if DNNL_VERSION_MAJOR >= 3
    if (d == FORWARD) {
        return dnnl_inner_product_forward_primitive_desc_create(
            out, engine, dnnl_forward_training, MD(m->x), MD(m->w), b, MD(m->y), attr);
    }
    if (d == DATA) {
        return dnnl_inner_product_backward_data_primitive_desc_create(
            out, engine, MD(m->x), MD(m->w), MD(m->y), hint, attr);
    }
    return dnnl_inner_product_backward_weights_primitive_desc_create(
        out, engine, MD(m->x), MD(m->w), b, MD(m->y), hint, attr);
#else
    dnnl_inner_product_desc_t desc;
    dnnl_status_t code;
    if (d == FORWARD) {
        code = dnnl_inner_product_forward_desc_init(&desc, dnnl_forward_training, MD(m->x),
                                                    MD(m->w), b, MD(m->y));
    } else if (d == DATA) {
        code = dnnl_inner_product_backward_data_desc_init(&desc, MD(m->x), MD(m->w), MD(m->y));
    } else {
        code =
            dnnl_inner_product_backward_weights_desc_init(&desc, MD(m->x), MD(m->w), b, MD(m->y));
    }
    if (code != dnnl_success) return code;
    return dnnl_primitive_desc_create(out, &desc, attr, engine, hint);
#endif
}

/* ---- from a primitive descriptor to an op */

static gyre_status op_make(dnnl_engine_t engine, dnnl_primitive_desc_t pd, const int *ids,
                           dnn_op *op) {
    memset(op, 0, sizeof *op);
    GYRE_TRY(check(dnnl_primitive_create(&op->primitive, pd), "making a primitive"));
    for (int i = 0; ids[i] != 0; i++) {
        md m = dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, ids[i]);
        if (m == NULL || dnnl_memory_desc_get_size(m) == 0) continue;
        GYRE_TRY(check(dnnl_memory_create(&op->memories[op->count], m, engine, DNNL_MEMORY_NONE),
                       "making a memory object"));
        op->ids[op->count++] = ids[i];
    }
    md m = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    op->scratch = m == NULL ? 0 : dnnl_memory_desc_get_size(m);
    if (op->scratch == 0) return GYRE_OK;
    GYRE_TRY(check(dnnl_memory_create(&op->memories[op->count], m, engine, DNNL_MEMORY_NONE),
                   "making a memory object"));
    op->ids[op->count++] = DNNL_ARG_SCRATCHPAD;
    return GYRE_OK;
}

void dnn_close(dnn_op *op) {
    for (int i = 0; i < op->count; i++) dnnl_memory_destroy(op->memories[i]);
    if (op->primitive != NULL) dnnl_primitive_destroy(op->primitive);
    memset(op, 0, sizeof *op);
}

size_t dnn_arg_size(const dnn_op *op, int id) {
    for (int i = 0; i < op->count; i++) {
        if (op->ids[i] != id) continue;
        md m;
        return dnnl_memory_get_memory_desc(op->memories[i], &m) == dnnl_success
                   ? dnnl_memory_desc_get_size(m)
                   : 0;
    }
    return 0;
}

gyre_status dnn_run(const dnn_op *op, dnnl_stream_t stream, void *scratch, const dnn_arg *args,
                    int count) {
    dnnl_exec_arg_t list[DNN_ARGS + 1];
    for (int i = 0; i < op->count; i++) {
        void *data = op->ids[i] == DNNL_ARG_SCRATCHPAD ? scratch : NULL;
        for (int k = 0; k < count; k++) {
            if (args[k].id == op->ids[i]) data = args[k].data;
        }
        if (data == NULL) {
            return gyre_fail(GYRE_EDEVICE, "oneDNN: argument %d of a primitive is missing",
                             op->ids[i]);
        }
        GYRE_TRY(check(dnnl_memory_set_data_handle(op->memories[i], data), "setting a pointer"));
        list[i] = (dnnl_exec_arg_t){op->ids[i], op->memories[i]};
    }
    return check(dnnl_primitive_execute(op->primitive, stream, op->count, list), "a primitive");
}

/* ---- convolutions */

static gyre_status conv_md(const gyre_conv_shape *s, dnnl_data_type_t act, dnnl_data_type_t weights,
                           dnnl_format_tag_t weights_tag, layer_md *m) {
    const dnnl_dims_t x = {s->n, s->c, s->h, s->w};
    const dnnl_dims_t y = {s->n, s->k, gyre_conv_rows(s), gyre_conv_columns(s)};
    const dnnl_dims_t w = {s->k, s->c, s->r, s->s};
    const dnnl_dims_t grouped = {s->groups, s->k / s->groups, s->c / s->groups, s->r, s->s};
    bool one = s->groups == 1;
    layout l = {act, weights, dnnl_nhwc, weights_tag, one ? 4 : 5};
    if (!one && weights_tag == dnnl_ohwi) l.weights_tag = dnnl_gohwi;
    return layer_md_make(m, 4, x, one ? w : grouped, y, l, s->bias);
}

/* A primitive descriptor of direction d with given memory descriptors; the backward ones need a
 * forward one as a hint. */
static gyre_status conv_pd_open(const dnn_device *device, direction d, const gyre_conv_shape *s,
                                const layer_md *m, dnnl_primitive_desc_t *out) {
    gyre_status status;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t hint = NULL;
    layer_md any = {0};
    GYRE_GOTO(make_attr(&attr));
    if (d != FORWARD) {
        GYRE_GOTO(conv_md(s, device->act, device->act, dnnl_format_tag_any, &any));
        GYRE_GOTO(check(conv_pd(device->engine, FORWARD, s, &any, attr, NULL, &hint),
                        "convolution hint"));
    }
    GYRE_GOTO(check(conv_pd(device->engine, d, s, m, attr, hint, out), "convolution"));
out:
    layer_md_free(&any);
    if (hint != NULL) dnnl_primitive_desc_destroy(hint);
    if (attr != NULL) dnnl_primitive_attr_destroy(attr);
    return status;
}

enum { CANONICAL_BATCH = 32 };

/* The primitive descriptor whose weights md is the packed format of direction d. */
static gyre_status conv_format_open(const dnn_device *device, direction d, const gyre_conv_shape *s,
                                    dnnl_primitive_desc_t *out) {
    gyre_conv_shape canonical = *s;
    canonical.n = CANONICAL_BATCH;
    canonical.bias = false;
    layer_md m;
    GYRE_TRY(conv_md(&canonical, device->act, device->act, dnnl_format_tag_any, &m));
    gyre_status status = conv_pd_open(device, d, &canonical, &m, out);
    layer_md_free(&m);
    return status;
}

static gyre_status conv_open(const dnn_device *device, direction d, const gyre_conv_shape *s,
                             dnn_op *op) {
    dnnl_primitive_desc_t format = NULL, pd = NULL;
    layer_md m = {0};
    gyre_status status;
    GYRE_GOTO(conv_md(s, device->act, weights_type(device, d), dnnl_format_tag_any, &m));
    if (d != WEIGHTS) { /* dW's format is private: it is unpacked at once */
        GYRE_GOTO(conv_format_open(device, d, s, &format));
        md_own packed;
        md w = dnnl_primitive_desc_query_md(format, dnnl_query_weights_md, 0);
#if DNNL_VERSION_MAJOR >= 3
        GYRE_GOTO(check(dnnl_memory_desc_clone(&packed, w), "memory descriptor"));
#else
        packed = *w;
#endif
        md_free(&m.w);
        m.w = packed;
    }
    GYRE_GOTO(conv_pd_open(device, d, s, &m, &pd));
    status = op_make(device->engine, pd, layer_ids[d], op);
out:
    layer_md_free(&m);
    if (format != NULL) dnnl_primitive_desc_destroy(format);
    if (pd != NULL) dnnl_primitive_desc_destroy(pd);
    return status;
}

/* Reorders between the plain f32 (k, r, s, c / groups) weights and a kernel's type and format. */
static gyre_status conv_reorder_open(const dnn_device *device, direction d,
                                     const gyre_conv_shape *s, dnn_op *op) {
    static const int ids[] = {DNNL_ARG_FROM, DNNL_ARG_TO, 0};
    dnnl_engine_t engine = device->engine;
    dnnl_primitive_desc_t format = NULL, pd = NULL;
    dnnl_primitive_attr_t attr = NULL;
    layer_md plain = {0}, any = {0};
    gyre_status status;
    GYRE_GOTO(make_attr(&attr));
    GYRE_GOTO(conv_md(s, device->act, dnnl_f32, dnnl_ohwi, &plain));
    if (d == WEIGHTS) {
        GYRE_GOTO(conv_md(s, device->act, dnnl_f32, dnnl_format_tag_any, &any));
        GYRE_GOTO(conv_pd_open(device, d, s, &any, &format));
        md from = dnnl_primitive_desc_query_md(format, dnnl_query_diff_weights_md, 0);
        GYRE_GOTO(
            check(dnnl_reorder_primitive_desc_create(&pd, from, engine, MD(plain.w), engine, attr),
                  "reorder"));
    } else {
        GYRE_GOTO(conv_format_open(device, d, s, &format));
        md to = dnnl_primitive_desc_query_md(format, dnnl_query_weights_md, 0);
        GYRE_GOTO(
            check(dnnl_reorder_primitive_desc_create(&pd, MD(plain.w), engine, to, engine, attr),
                  "reorder"));
    }
    status = op_make(engine, pd, ids, op);
out:
    layer_md_free(&plain);
    layer_md_free(&any);
    if (attr != NULL) dnnl_primitive_attr_destroy(attr);
    if (format != NULL) dnnl_primitive_desc_destroy(format);
    if (pd != NULL) dnnl_primitive_desc_destroy(pd);
    return status;
}

/* ---- fully connected layers */

static gyre_status linear_open(const dnn_device *device, direction d, const gyre_linear_shape *s,
                               dnn_op *op) {
    const dnnl_dims_t x = {s->n, s->in}, w = {s->out, s->in}, y = {s->n, s->out};
    dnnl_primitive_desc_t hint = NULL, pd = NULL;
    dnnl_primitive_attr_t attr = NULL;
    layer_md m = {0}, any = {0};
    gyre_status status;
    layout l = {device->act, weights_type(device, d), dnnl_ab, dnnl_ab, 2};
    GYRE_GOTO(make_attr(&attr));
    GYRE_GOTO(layer_md_make(&m, 2, x, w, y, l, s->bias));
    if (d != FORWARD) {
        l.weights = device->act;
        GYRE_GOTO(layer_md_make(&any, 2, x, w, y, l, s->bias));
        GYRE_GOTO(check(linear_pd(device->engine, FORWARD, &any, attr, NULL, &hint),
                        "inner product hint"));
    }
    GYRE_GOTO(check(linear_pd(device->engine, d, &m, attr, hint, &pd), "inner product"));
    status = op_make(device->engine, pd, layer_ids[d], op);
out:
    layer_md_free(&m);
    layer_md_free(&any);
    if (hint != NULL) dnnl_primitive_desc_destroy(hint);
    if (pd != NULL) dnnl_primitive_desc_destroy(pd);
    if (attr != NULL) dnnl_primitive_attr_destroy(attr);
    return status;
}

gyre_status dnn_open(const dnn_device *device, dnn_kind kind, const void *shape, dnn_op *out) {
    memset(out, 0, sizeof *out);
    switch (kind) {
    case DNN_CONV: return conv_open(device, FORWARD, shape, out);
    case DNN_CONV_DX: return conv_open(device, DATA, shape, out);
    case DNN_CONV_DW: return conv_open(device, WEIGHTS, shape, out);
    case DNN_CONV_PACK: return conv_reorder_open(device, FORWARD, shape, out);
    case DNN_CONV_PACK_DX: return conv_reorder_open(device, DATA, shape, out);
    case DNN_CONV_UNPACK: return conv_reorder_open(device, WEIGHTS, shape, out);
    case DNN_LINEAR: return linear_open(device, FORWARD, shape, out);
    case DNN_LINEAR_DX: return linear_open(device, DATA, shape, out);
    case DNN_LINEAR_DW: return linear_open(device, WEIGHTS, shape, out);
    }
    return gyre_fail(GYRE_EDEVICE, "unknown kind of primitive %d", (int)kind);
}
