/* How oneDNN's two C APIs differ, for the files dnn*.c, which alone know of it: 2.x builds an
 * operation descriptor and makes a primitive descriptor of it, 3.x makes the primitive descriptor
 * at once and has opaque memory descriptors. A `dnn_md` is a memory descriptor to pass, a
 * `dnn_md_own` one to make. */
#ifndef GYRE_CPU_DNN_API_H
#define GYRE_CPU_DNN_API_H

#include "dnn.h"

#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t dnn_md;
typedef dnnl_memory_desc_t dnn_md_own;
#define DNN_MD(x) (x)
static inline dnnl_status_t dnn_md_make(dnn_md_own *out, int rank, const dnnl_dims_t dims,
                                        dnnl_data_type_t type, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_create_with_tag(out, rank, dims, type, tag);
}
static inline void dnn_md_free(dnn_md_own *x) {
    dnnl_memory_desc_destroy(*x);
}
#else
typedef const dnnl_memory_desc_t *dnn_md;
typedef dnnl_memory_desc_t dnn_md_own;
#define DNN_MD(x) (&(x))
static inline dnnl_status_t dnn_md_make(dnn_md_own *out, int rank, const dnnl_dims_t dims,
                                        dnnl_data_type_t type, dnnl_format_tag_t tag) {
    return dnnl_memory_desc_init_by_tag(out, rank, dims, type, tag);
}
static inline void dnn_md_free(dnn_md_own *x) {
    (void)x;
}
#endif

/* A status of oneDNN's, as an error that says what failed. */
gyre_status dnn_check(dnnl_status_t code, const char *what);

/* The attributes of every primitive: who runs it gives the scratch. */
gyre_status dnn_attr(dnnl_primitive_attr_t *out);

/* From a primitive descriptor to an op. ids: the arguments of its primitive; the last one is 0. */
gyre_status dnn_op_make(dnnl_engine_t engine, dnnl_primitive_desc_t pd, const int *ids, dnn_op *op);

/* The same op with weights in a format `packed` that its kernel does not take: they are reordered
 * into its scratch before each run. */
gyre_status dnn_op_repack(dnnl_engine_t engine, dnn_md packed, dnnl_primitive_desc_t pd,
                          dnn_op *op);

/* dnn_matrix.c: the kinds DNN_MATRIX to DNN_MATRIX_PACK_DX. */
gyre_status dnn_matrix_open(const dnn_device *device, dnn_kind kind, const gyre_linear_shape *s,
                            dnn_op *op);
/* The same file: DNN_LINEAR_TURNED. */
gyre_status dnn_turned_open(const dnn_device *device, const gyre_linear_shape *s, dnn_op *op);

#endif
