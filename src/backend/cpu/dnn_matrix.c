/* Matrix products y(n, out) = x(n, in) W^T with packed weights, and dx(n, in) = dy(n, out) W.
 * Unlike those of inner products, their kernels are as fast for few rows as for many, and their
 * packed formats do not depend on the number of rows. */
#include "dnn_api.h"

#include <string.h>

/* a(rows, inner) b(inner, columns) = c(rows, columns); of forward b is W^T, of dx it is W. */
typedef struct {
    dnn_md_own a, b, c, bias;
    bool has_bias;
} product;

static void product_free(product *p) {
    dnn_md_free(&p->a);
    dnn_md_free(&p->b);
    dnn_md_free(&p->c);
    if (p->has_bias) dnn_md_free(&p->bias);
}

static gyre_status product_make(const dnn_device *device, bool dx, const gyre_linear_shape *s,
                                product *p) {
    const int inner = dx ? s->out : s->in, columns = dx ? s->in : s->out;
    const dnnl_dims_t a = {s->n, inner}, b = {inner, columns}, c = {s->n, columns};
    const dnnl_dims_t bias = {1, columns};
    memset(p, 0, sizeof *p);
    p->has_bias = s->bias && !dx;
    GYRE_TRY(dnn_check(dnn_md_make(&p->a, 2, a, device->act, dnnl_ab), "memory descriptor"));
    GYRE_TRY(
        dnn_check(dnn_md_make(&p->b, 2, b, device->act, dnnl_format_tag_any), "memory descriptor"));
    GYRE_TRY(dnn_check(dnn_md_make(&p->c, 2, c, device->act, dnnl_ab), "memory descriptor"));
    if (!p->has_bias) return GYRE_OK;
    return dnn_check(dnn_md_make(&p->bias, 2, bias, dnnl_f32, dnnl_ab), "memory descriptor");
}

static dnnl_status_t product_pd(dnnl_engine_t engine, const product *p, dnnl_primitive_attr_t attr,
                                dnnl_primitive_desc_t *out) {
    dnn_md bias = p->has_bias ? DNN_MD(p->bias) : NULL;
#if DNNL_VERSION_MAJOR >= 3
    return dnnl_matmul_primitive_desc_create(out, engine, DNN_MD(p->a), DNN_MD(p->b), bias,
                                             DNN_MD(p->c), attr);
#else
    dnnl_matmul_desc_t desc;
    dnnl_status_t code =
        dnnl_matmul_desc_init(&desc, DNN_MD(p->a), DNN_MD(p->b), bias, DNN_MD(p->c));
    if (code != dnnl_success) return code;
    return dnnl_primitive_desc_create(out, &desc, attr, engine, NULL);
#endif
}

enum { CANONICAL_ROWS = 32 };

/* The primitive descriptor whose weights md is the packed format. */
static gyre_status format_open(const dnn_device *device, bool dx, const gyre_linear_shape *s,
                               dnnl_primitive_attr_t attr, dnnl_primitive_desc_t *out) {
    const gyre_linear_shape canonical = {CANONICAL_ROWS, s->in, s->out, false, false};
    product p;
    gyre_status status;
    GYRE_GOTO(product_make(device, dx, &canonical, &p));
    GYRE_GOTO(dnn_check(product_pd(device->engine, &p, attr, out), "matrix product"));
out:
    product_free(&p);
    return status;
}

static gyre_status product_open(const dnn_device *device, bool dx, const gyre_linear_shape *s,
                                dnnl_primitive_attr_t attr, dnnl_primitive_desc_t format,
                                dnn_op *op) {
    static const int ids[][5] = {{DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_BIAS, DNNL_ARG_DST, 0},
                                 {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, 0}};
    dnnl_primitive_desc_t pd = NULL;
    product p;
    gyre_status status;
    GYRE_GOTO(product_make(device, dx, s, &p));
    dnn_md_own packed;
    dnn_md w = dnnl_primitive_desc_query_md(format, dnnl_query_weights_md, 0);
#if DNNL_VERSION_MAJOR >= 3
    GYRE_GOTO(dnn_check(dnnl_memory_desc_clone(&packed, w), "memory descriptor"));
#else
    packed = *w;
#endif
    dnn_md_free(&p.b);
    p.b = packed;
    GYRE_GOTO(dnn_check(product_pd(device->engine, &p, attr, &pd), "matrix product"));
    status = dnn_op_make(device->engine, pd, ids[p.has_bias ? 0 : 1], op);
out:
    product_free(&p);
    if (pd != NULL) dnnl_primitive_desc_destroy(pd);
    return status;
}

/* From the plain f32 W(out, in) to the packed format. */
static gyre_status pack_open(dnnl_engine_t engine, bool dx, const gyre_linear_shape *s,
                             dnnl_primitive_attr_t attr, dnnl_primitive_desc_t format, dnn_op *op) {
    static const int ids[] = {DNNL_ARG_FROM, DNNL_ARG_TO, 0};
    const dnnl_dims_t dims = {dx ? s->out : s->in, dx ? s->in : s->out};
    dnnl_primitive_desc_t pd = NULL;
    dnn_md_own plain;
    memset(&plain, 0, sizeof plain);
    gyre_status status;
    GYRE_GOTO(dnn_check(dnn_md_make(&plain, 2, dims, dnnl_f32, dx ? dnnl_ab : dnnl_ba),
                        "memory descriptor"));
    dnn_md to = dnnl_primitive_desc_query_md(format, dnnl_query_weights_md, 0);
    GYRE_GOTO(
        dnn_check(dnnl_reorder_primitive_desc_create(&pd, DNN_MD(plain), engine, to, engine, attr),
                  "reorder"));
    status = dnn_op_make(engine, pd, ids, op);
out:
    dnn_md_free(&plain);
    if (pd != NULL) dnnl_primitive_desc_destroy(pd);
    return status;
}

gyre_status dnn_matrix_open(const dnn_device *device, dnn_kind kind, const gyre_linear_shape *s,
                            dnn_op *op) {
    bool dx = kind == DNN_MATRIX_DX || kind == DNN_MATRIX_PACK_DX;
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t format = NULL;
    gyre_status status;
    GYRE_GOTO(dnn_attr(&attr));
    GYRE_GOTO(format_open(device, dx, s, attr, &format));
    if (kind == DNN_MATRIX || kind == DNN_MATRIX_DX)
        status = product_open(device, dx, s, attr, format, op);
    else
        status = pack_open(device->engine, dx, s, attr, format, op);
out:
    if (format != NULL) dnnl_primitive_desc_destroy(format);
    if (attr != NULL) dnnl_primitive_attr_destroy(attr);
    return status;
}

/* y(out, n) = W(out, in) x(n, in)^T */
gyre_status dnn_turned_open(const dnn_device *device, const gyre_linear_shape *s, dnn_op *op) {
    static const int ids[] = {DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, 0};
    const dnnl_dims_t w = {s->out, s->in}, x = {s->in, s->n}, y = {s->out, s->n};
    dnnl_primitive_attr_t attr = NULL;
    dnnl_primitive_desc_t pd = NULL;
    product p;
    gyre_status status;
    memset(&p, 0, sizeof p);
    GYRE_GOTO(dnn_check(dnn_md_make(&p.a, 2, w, device->act, dnnl_ab), "memory descriptor"));
    GYRE_GOTO(dnn_check(dnn_md_make(&p.b, 2, x, device->act, dnnl_ba), "memory descriptor"));
    GYRE_GOTO(dnn_check(dnn_md_make(&p.c, 2, y, dnnl_f32, dnnl_ab), "memory descriptor"));
    GYRE_GOTO(dnn_attr(&attr));
    GYRE_GOTO(dnn_check(product_pd(device->engine, &p, attr, &pd), "matrix product"));
    status = dnn_op_make(device->engine, pd, ids, op);
out:
    product_free(&p);
    if (pd != NULL) dnnl_primitive_desc_destroy(pd);
    if (attr != NULL) dnnl_primitive_attr_destroy(attr);
    return status;
}

gyre_status dnn_gemm(size_t rows, size_t columns, size_t inner, dnn_matrix a, dnn_matrix b,
                     float beta, float *c, size_t c_ld) {
    return dnn_check(dnnl_sgemm(a.turned ? 'T' : 'N', b.turned ? 'T' : 'N', (dnnl_dim_t)rows,
                                (dnnl_dim_t)columns, (dnnl_dim_t)inner, 1, a.x, (dnnl_dim_t)a.ld,
                                b.x, (dnnl_dim_t)b.ld, beta, c, (dnnl_dim_t)c_ld),
                     "matrix product");
}
