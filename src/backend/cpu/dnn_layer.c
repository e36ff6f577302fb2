/* Convolutions and fully connected layers: from shapes to primitives. */
#include "dnn_api.h"

#include <string.h>

/* The memory descriptors of a layer: x, w, b, y in plain formats or `any`. */
typedef struct {
    dnn_md_own x, w, b, y;
    bool bias;
} layer_md;

static void layer_md_free(layer_md *m) {
    dnn_md_free(&m->x);
    dnn_md_free(&m->w);
    dnn_md_free(&m->y);
    if (m->bias) dnn_md_free(&m->b);
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
    GYRE_TRY(dnn_check(dnn_md_make(&m->x, rank, x, l.act, l.act_tag), "memory descriptor"));
    GYRE_TRY(dnn_check(dnn_md_make(&m->w, l.weights_rank, w, l.weights, l.weights_tag),
                       "memory descriptor"));
    GYRE_TRY(dnn_check(dnn_md_make(&m->y, rank, y, l.act, l.act_tag), "memory descriptor"));
    const dnnl_dims_t b = {y[1]};
    if (bias) GYRE_TRY(dnn_check(dnn_md_make(&m->b, 1, b, dnnl_f32, dnnl_a), "memory descriptor"));
    return GYRE_OK;
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
    dnn_md b = m->bias ? DNN_MD(m->b) : NULL;
#if DNNL_VERSION_MAJOR >= 3
    if (d == FORWARD) {
        return dnnl_convolution_forward_primitive_desc_create(
            out, engine, dnnl_forward_training, dnnl_convolution_direct, DNN_MD(m->x), DNN_MD(m->w),
            b, DNN_MD(m->y), stride, dilate, front, back, attr);
    }
    if (d == DATA) {
        return dnnl_convolution_backward_data_primitive_desc_create(
            out, engine, dnnl_convolution_direct, DNN_MD(m->x), DNN_MD(m->w), DNN_MD(m->y), stride,
            dilate, front, back, hint, attr);
    }
    return dnnl_convolution_backward_weights_primitive_desc_create(
        out, engine, dnnl_convolution_direct, DNN_MD(m->x), DNN_MD(m->w), b, DNN_MD(m->y), stride,
        dilate, front, back, hint, attr);
#else
    dnnl_convolution_desc_t desc;
    dnnl_status_t code;
    if (d == FORWARD) {
        code = dnnl_dilated_convolution_forward_desc_init(
            &desc, dnnl_forward_training, dnnl_convolution_direct, DNN_MD(m->x), DNN_MD(m->w), b,
            DNN_MD(m->y), stride, dilate, front, back);
    } else if (d == DATA) {
        code = dnnl_dilated_convolution_backward_data_desc_init(
            &desc, dnnl_convolution_direct, DNN_MD(m->x), DNN_MD(m->w), DNN_MD(m->y), stride,
            dilate, front, back);
    } else {
        code = dnnl_dilated_convolution_backward_weights_desc_init(
            &desc, dnnl_convolution_direct, DNN_MD(m->x), DNN_MD(m->w), b, DNN_MD(m->y), stride,
            dilate, front, back);
    }
    if (code != dnnl_success) return code;
    return dnnl_primitive_desc_create(out, &desc, attr, engine, hint);
#endif
}

static dnnl_status_t linear_pd(dnnl_engine_t engine, direction d, const layer_md *m,
                               dnnl_primitive_attr_t attr, dnnl_primitive_desc_t hint,
                               dnnl_primitive_desc_t *out) {
    dnn_md b = m->bias ? DNN_MD(m->b) : NULL;
#if DNNL_VERSION_MAJOR >= 3
    if (d == FORWARD) {
        return dnnl_inner_product_forward_primitive_desc_create(
            out, engine, dnnl_forward_training, DNN_MD(m->x), DNN_MD(m->w), b, DNN_MD(m->y), attr);
    }
    if (d == DATA) {
        return dnnl_inner_product_backward_data_primitive_desc_create(
            out, engine, DNN_MD(m->x), DNN_MD(m->w), DNN_MD(m->y), hint, attr);
    }
    return dnnl_inner_product_backward_weights_primitive_desc_create(
        out, engine, DNN_MD(m->x), DNN_MD(m->w), b, DNN_MD(m->y), hint, attr);
#else
    dnnl_inner_product_desc_t desc;
    dnnl_status_t code;
    if (d == FORWARD) {
        code = dnnl_inner_product_forward_desc_init(&desc, dnnl_forward_training, DNN_MD(m->x),
                                                    DNN_MD(m->w), b, DNN_MD(m->y));
    } else if (d == DATA) {
        code = dnnl_inner_product_backward_data_desc_init(&desc, DNN_MD(m->x), DNN_MD(m->w),
                                                          DNN_MD(m->y));
    } else {
        code = dnnl_inner_product_backward_weights_desc_init(&desc, DNN_MD(m->x), DNN_MD(m->w), b,
                                                             DNN_MD(m->y));
    }
    if (code != dnnl_success) return code;
    return dnnl_primitive_desc_create(out, &desc, attr, engine, hint);
#endif
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

/* The same with weights as `packed` describes them. */
static gyre_status conv_md_of(const gyre_conv_shape *s, dnnl_data_type_t act, dnn_md packed,
                              layer_md *m) {
    GYRE_TRY(conv_md(s, act, act, dnnl_format_tag_any, m));
    dnn_md_free(&m->w);
#if DNNL_VERSION_MAJOR >= 3
    m->w = NULL;
    return dnn_check(dnnl_memory_desc_clone(&m->w, packed), "memory descriptor");
#else
    m->w = *packed;
    return GYRE_OK;
#endif
}

/* A primitive descriptor of direction d with given memory descriptors; the backward ones need a
 * forward one as a hint. */
static gyre_status conv_pd_open(const dnn_device *device, direction d, const gyre_conv_shape *s,
                                const layer_md *m, dnnl_primitive_desc_t *out) {
    gyre_status status;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t hint = NULL;
    layer_md any = {0};
    GYRE_GOTO(dnn_attr(&attr));
    if (d != FORWARD) {
        GYRE_GOTO(conv_md(s, device->act, device->act, dnnl_format_tag_any, &any));
        GYRE_GOTO(dnn_check(conv_pd(device->engine, FORWARD, s, &any, attr, NULL, &hint),
                            "convolution hint"));
    }
    GYRE_GOTO(dnn_check(conv_pd(device->engine, d, s, m, attr, hint, out), "convolution"));
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

static bool is_reference(dnnl_primitive_desc_t pd) {
    const char *name = "";
    dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    return dnn_is_reference(name);
}

/* With weights in the packed format. The format that serves the canonical batch is one that no fast
 * kernel of a smaller batch may take (7 x 7 pixels of one sample): there the op chooses its own and
 * reorders the packed weights at each run: all of a U-Net's step for one sample took 19 ms so, the
 * reference kernel alone 500 ms. */
static gyre_status conv_packed_open(const dnn_device *device, direction d, const gyre_conv_shape *s,
                                    dnn_op *op) {
    dnnl_primitive_desc_t format = NULL, pd = NULL;
    layer_md own = {0}, m = {0};
    gyre_status status;
    GYRE_GOTO(conv_md(s, device->act, device->act, dnnl_format_tag_any, &own));
    GYRE_GOTO(conv_format_open(device, d, s, &format));
    dnn_md packed = dnnl_primitive_desc_query_md(format, dnnl_query_weights_md, 0);
    GYRE_GOTO(conv_md_of(s, device->act, packed, &m));
    GYRE_GOTO(conv_pd_open(device, d, s, &m, &pd));
    bool repack = is_reference(pd);
    if (repack) {
        dnnl_primitive_desc_destroy(pd);
        pd = NULL;
        GYRE_GOTO(conv_pd_open(device, d, s, &own, &pd));
    }
    GYRE_GOTO(dnn_op_make(device->engine, pd, layer_ids[d], op));
    if (repack) status = dnn_op_repack(device->engine, packed, pd, op);
out:
    layer_md_free(&own);
    layer_md_free(&m);
    if (format != NULL) dnnl_primitive_desc_destroy(format);
    if (pd != NULL) dnnl_primitive_desc_destroy(pd);
    return status;
}

/* dW's format is the kernel's own: it is unpacked at once. */
static gyre_status conv_dw_open(const dnn_device *device, const gyre_conv_shape *s, dnn_op *op) {
    dnnl_primitive_desc_t pd = NULL;
    layer_md m = {0};
    gyre_status status;
    GYRE_GOTO(conv_md(s, device->act, dnnl_f32, dnnl_format_tag_any, &m));
    GYRE_GOTO(conv_pd_open(device, WEIGHTS, s, &m, &pd));
    status = dnn_op_make(device->engine, pd, layer_ids[WEIGHTS], op);
out:
    layer_md_free(&m);
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
    GYRE_GOTO(dnn_attr(&attr));
    GYRE_GOTO(conv_md(s, device->act, dnnl_f32, dnnl_ohwi, &plain));
    if (d == WEIGHTS) {
        GYRE_GOTO(conv_md(s, device->act, dnnl_f32, dnnl_format_tag_any, &any));
        GYRE_GOTO(conv_pd_open(device, d, s, &any, &format));
        dnn_md from = dnnl_primitive_desc_query_md(format, dnnl_query_diff_weights_md, 0);
        GYRE_GOTO(dnn_check(
            dnnl_reorder_primitive_desc_create(&pd, from, engine, DNN_MD(plain.w), engine, attr),
            "reorder"));
    } else {
        GYRE_GOTO(conv_format_open(device, d, s, &format));
        dnn_md to = dnnl_primitive_desc_query_md(format, dnnl_query_weights_md, 0);
        GYRE_GOTO(dnn_check(
            dnnl_reorder_primitive_desc_create(&pd, DNN_MD(plain.w), engine, to, engine, attr),
            "reorder"));
    }
    status = dnn_op_make(engine, pd, ids, op);
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
    GYRE_GOTO(dnn_attr(&attr));
    GYRE_GOTO(layer_md_make(&m, 2, x, w, y, l, s->bias));
    if (d != FORWARD) {
        l.weights = device->act;
        GYRE_GOTO(layer_md_make(&any, 2, x, w, y, l, s->bias));
        GYRE_GOTO(dnn_check(linear_pd(device->engine, FORWARD, &any, attr, NULL, &hint),
                            "inner product hint"));
    }
    GYRE_GOTO(dnn_check(linear_pd(device->engine, d, &m, attr, hint, &pd), "inner product"));
    status = dnn_op_make(device->engine, pd, layer_ids[d], op);
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
    case DNN_CONV: return conv_packed_open(device, FORWARD, shape, out);
    case DNN_CONV_DX: return conv_packed_open(device, DATA, shape, out);
    case DNN_CONV_DW: return conv_dw_open(device, shape, out);
    case DNN_CONV_PACK: return conv_reorder_open(device, FORWARD, shape, out);
    case DNN_CONV_PACK_DX: return conv_reorder_open(device, DATA, shape, out);
    case DNN_CONV_UNPACK: return conv_reorder_open(device, WEIGHTS, shape, out);
    case DNN_LINEAR: return linear_open(device, FORWARD, shape, out);
    case DNN_LINEAR_DX: return linear_open(device, DATA, shape, out);
    case DNN_LINEAR_DW: return linear_open(device, WEIGHTS, shape, out);
    case DNN_LINEAR_TURNED: return dnn_turned_open(device, shape, out);
    case DNN_MATRIX:
    case DNN_MATRIX_DX:
    case DNN_MATRIX_PACK:
    case DNN_MATRIX_PACK_DX: return dnn_matrix_open(device, kind, shape, out);
    }
    return gyre_fail(GYRE_EDEVICE, "unknown kind of primitive %d", (int)kind);
}
