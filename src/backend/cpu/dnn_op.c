/* Ops: primitives with the memory objects that they read and write. */
#include "dnn_api.h"

#include "gyre/size.h"

#include <stdlib.h>
#include <string.h>

gyre_status dnn_check(dnnl_status_t code, const char *what) {
    if (code == dnnl_success) return GYRE_OK;
    return gyre_fail(GYRE_EDEVICE, "oneDNN: %s failed with status %d%s", what, (int)code,
                     code == dnnl_unimplemented   ? " (no kernel for this shape on this processor)"
                     : code == dnnl_out_of_memory ? " (out of memory)"
                                                  : "");
}

/* No ReLU post-op: on AVX-512 it turns NaN into 0 (conv.c and linear.c apply their own). */
gyre_status dnn_attr(dnnl_primitive_attr_t *out) {
    GYRE_TRY(dnn_check(dnnl_primitive_attr_create(out), "attributes"));
    return dnn_check(dnnl_primitive_attr_set_scratchpad_mode(*out, dnnl_scratchpad_mode_user),
                     "scratchpad mode");
}

gyre_status dnn_op_make(dnnl_engine_t engine, dnnl_primitive_desc_t pd, const int *ids,
                        dnn_op *op) {
    memset(op, 0, sizeof *op);
    GYRE_TRY(dnn_check(dnnl_primitive_create(&op->primitive, pd), "making a primitive"));
    for (int i = 0; ids[i] != 0; i++) {
        dnn_md m = dnnl_primitive_desc_query_md(pd, dnnl_query_exec_arg_md, ids[i]);
        if (m == NULL || dnnl_memory_desc_get_size(m) == 0) continue;
        GYRE_TRY(
            dnn_check(dnnl_memory_create(&op->memories[op->count], m, engine, DNNL_MEMORY_NONE),
                      "making a memory object"));
        op->ids[op->count++] = ids[i];
    }
    dnn_md m = dnnl_primitive_desc_query_md(pd, dnnl_query_scratchpad_md, 0);
    op->scratch = m == NULL ? 0 : dnnl_memory_desc_get_size(m);
    if (op->scratch == 0) return GYRE_OK;
    GYRE_TRY(dnn_check(dnnl_memory_create(&op->memories[op->count], m, engine, DNNL_MEMORY_NONE),
                       "making a memory object"));
    op->ids[op->count++] = DNNL_ARG_SCRATCHPAD;
    return GYRE_OK;
}

gyre_status dnn_op_repack(dnnl_engine_t engine, dnn_md packed, dnnl_primitive_desc_t pd,
                          dnn_op *op) {
    static const int ids[] = {DNNL_ARG_FROM, DNNL_ARG_TO, 0};
    gyre_status status;
    dnnl_primitive_desc_t reorder = NULL;
    dnnl_primitive_attr_t attr = NULL;
    dnn_md own = dnnl_primitive_desc_query_md(pd, dnnl_query_weights_md, 0);
    GYRE_GOTO(dnn_attr(&attr));
    GYRE_GOTO(
        dnn_check(dnnl_reorder_primitive_desc_create(&reorder, packed, engine, own, engine, attr),
                  "reorder of packed weights"));
    op->repack = calloc(1, sizeof *op->repack);
    GYRE_GOTO(op->repack == NULL ? gyre_no_memory("a reorder of weights") : GYRE_OK);
    GYRE_GOTO(dnn_op_make(engine, reorder, ids, op->repack));
    size_t work = op->scratch > op->repack->scratch ? op->scratch : op->repack->scratch;
    op->repacked = gyre_size_align(work, GYRE_ALIGNMENT);
    op->scratch = op->repacked + dnnl_memory_desc_get_size(own);
out:
    if (attr != NULL) dnnl_primitive_attr_destroy(attr);
    if (reorder != NULL) dnnl_primitive_desc_destroy(reorder);
    return status;
}

void dnn_close(dnn_op *op) {
    for (int i = 0; i < op->count; i++) dnnl_memory_destroy(op->memories[i]);
    if (op->primitive != NULL) dnnl_primitive_destroy(op->primitive);
    if (op->repack != NULL) dnn_close(op->repack);
    free(op->repack);
    memset(op, 0, sizeof *op);
}

const char *dnn_kernel(const dnn_op *op) {
    const_dnnl_primitive_desc_t pd;
    const char *name = "";
    if (dnnl_primitive_get_primitive_desc(op->primitive, &pd) == dnnl_success)
        dnnl_primitive_desc_query(pd, dnnl_query_impl_info_str, 0, &name);
    return name;
}

bool dnn_is_reference(const char *kernel) {
    return strncmp(kernel, "ref", 3) == 0;
}

size_t dnn_arg_size(const dnn_op *op, int id) {
    for (int i = 0; i < op->count; i++) {
        if (op->ids[i] != id) continue;
        dnn_md m;
        return dnnl_memory_get_memory_desc(op->memories[i], &m) == dnnl_success
                   ? dnnl_memory_desc_get_size(m)
                   : 0;
    }
    return 0;
}

/* The data of argument `id`; NULL when it was not given. */
static void *find_arg(const dnn_arg *args, int count, int id) {
    for (int i = 0; i < count; i++) {
        if (args[i].id == id) return args[i].data;
    }
    return NULL;
}

gyre_status dnn_run(const dnn_op *op, dnnl_stream_t stream, void *scratch, const dnn_arg *args,
                    int count) {
    void *own = (char *)scratch + op->repacked;
    if (op->repack != NULL) {
        dnn_arg weights[] = {{DNNL_ARG_FROM, find_arg(args, count, DNNL_ARG_WEIGHTS)},
                             {DNNL_ARG_TO, own}};
        GYRE_TRY(dnn_run(op->repack, stream, scratch, weights, 2));
    }
    dnnl_exec_arg_t list[DNN_ARGS + 1];
    for (int i = 0; i < op->count; i++) {
        int id = op->ids[i];
        void *data = id == DNNL_ARG_SCRATCHPAD                      ? scratch
                     : id == DNNL_ARG_WEIGHTS && op->repack != NULL ? own
                                                                    : find_arg(args, count, id);
        if (data == NULL) {
            return gyre_fail(GYRE_EDEVICE, "oneDNN: argument %d of a primitive is missing",
                             op->ids[i]);
        }
        GYRE_TRY(
            dnn_check(dnnl_memory_set_data_handle(op->memories[i], data), "setting a pointer"));
        list[i] = (dnnl_exec_arg_t){op->ids[i], op->memories[i]};
    }
    return dnn_check(dnnl_primitive_execute(op->primitive, stream, op->count, list), "a primitive");
}
