/* A convolution as cuDNN's operation graph: three NHWC tensors, the convolution's numbers, one
 * operation. The three kinds of convolution differ in names only, which a table holds. */
#include "graph.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    cudnnBackendDescriptorType_t operation;
    cudnnBackendAttributeName_t x, w, y, numbers, alpha, beta;
} kinds[] = {
    [GPU_CONV] = {"conv", CUDNN_BACKEND_OPERATION_CONVOLUTION_FORWARD_DESCRIPTOR,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_X,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_W,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_Y,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_CONV_DESC,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_ALPHA,
                  CUDNN_ATTR_OPERATION_CONVOLUTION_FORWARD_BETA},
    [GPU_CONV_DX] = {"conv_dx", CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_DATA_DESCRIPTOR,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DX,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_W,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_DY,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_CONV_DESC,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_ALPHA,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_DATA_BETA},
    [GPU_CONV_DW] = {"conv_dw", CUDNN_BACKEND_OPERATION_CONVOLUTION_BACKWARD_FILTER_DESCRIPTOR,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_X,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DW,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_DY,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_CONV_DESC,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_ALPHA,
                     CUDNN_ATTR_OPERATION_CONVOLUTION_BWD_FILTER_BETA},
};

/* A sum that still gets its bias is f32; cuDNN has no prebuilt engine from bf16 to f32. */
gpu_operation gpu_operation_of(gpu_conv_kind kind, const gyre_conv_shape *s, bool bf16, bool tf32) {
    bool wide = kind == GPU_CONV && s->bias;
    gpu_math math = tf32 ? GPU_MATH_TF32 : GPU_MATH_F32;
    if (bf16) math = wide ? GPU_MATH_WIDENED : GPU_MATH_BF16;
    return (gpu_operation){.kind = kind, .math = math, .shape = *s};
}

gyre_conv_shape gpu_linear_as_conv(const gyre_linear_shape *s) {
    gyre_conv_shape conv = gyre_conv_square(s->n, 1, 1, s->in, s->out, 1, 1, 0);
    conv.bias = s->bias;
    conv.relu = s->relu;
    return conv;
}

/* "1" where all are equal, else "1 2 1 2" */
static void numbers_text(char *out, size_t size, const int *values, int count) {
    size_t at = 0;
    bool equal = true;
    for (int i = 1; i < count; i++) equal = equal && values[i] == values[0];
    for (int i = 0; i < (equal ? 1 : count) && at < size; i++)
        at += (size_t)snprintf(out + at, size - at, "%s%d", i == 0 ? "" : " ", values[i]);
}

void gpu_operation_text(const gpu_operation *op, char *out, size_t size) {
    static const char *const types[] = {"f32", "f32 with TF32", "bf16", "bf16 widened to f32"};
    const gyre_conv_shape *s = &op->shape;
    char stride[24], pad[48], dilation[40] = "", groups[24] = "";
    numbers_text(stride, sizeof stride, (const int[]){s->stride_h, s->stride_w}, 2);
    numbers_text(pad, sizeof pad,
                 (const int[]){s->pad_top, s->pad_left, s->pad_bottom, s->pad_right}, 4);
    if (s->dilation_h != 1 || s->dilation_w != 1)
        snprintf(dilation, sizeof dilation, ", dilation %dx%d", s->dilation_h, s->dilation_w);
    if (s->groups != 1) snprintf(groups, sizeof groups, ", %d groups", s->groups);
    snprintf(out, size, "%s of %d images %dx%dx%d, %d filters %dx%d, stride %s, pad %s%s%s, %s",
             kinds[op->kind].name, s->n, s->h, s->w, s->c, s->k, s->r, s->s, stride, pad, dilation,
             groups, types[op->math]);
}

/* ---- descriptors; the first failure sticks and makes the rest do nothing */

typedef struct {
    gpu_graph *graph;
    cudnnStatus_t status;
    const char *what;
} builder;

static void note(builder *b, cudnnStatus_t status, const char *what) {
    if (b->status != CUDNN_STATUS_SUCCESS || status == CUDNN_STATUS_SUCCESS) return;
    b->status = status;
    b->what = what;
}

static cudnnBackendDescriptor_t make(builder *b, cudnnBackendDescriptorType_t type) {
    cudnnBackendDescriptor_t d = NULL;
    if (b->status != CUDNN_STATUS_SUCCESS) return NULL;
    note(b, cudnnBackendCreateDescriptor(type, &d), "cudnnBackendCreateDescriptor");
    if (b->status != CUDNN_STATUS_SUCCESS) return NULL;
    b->graph->parts[b->graph->count++] = d;
    return d;
}

static void set(builder *b, cudnnBackendDescriptor_t d, cudnnBackendAttributeName_t name,
                cudnnBackendAttributeType_t type, int64_t count, const void *values) {
    if (b->status != CUDNN_STATUS_SUCCESS) return;
    note(b, cudnnBackendSetAttribute(d, name, type, count, values), "cudnnBackendSetAttribute");
}

static void finalize(builder *b, cudnnBackendDescriptor_t d, const char *what) {
    if (b->status != CUDNN_STATUS_SUCCESS) return;
    note(b, cudnnBackendFinalize(d), what);
}

/* cuDNN names dimensions n, c, h, w whatever their order in memory; the strides say NHWC. */
static cudnnBackendDescriptor_t tensor(builder *b, int64_t id, gpu_math math, int n, int h, int w,
                                       int c) {
    const int64_t dims[] = {n, c, h, w};
    const int64_t strides[] = {(int64_t)h * w * c, 1, (int64_t)w * c, c};
    const int64_t alignment = GPU_TENSOR_ALIGNMENT;
    const cudnnDataType_t type = math == GPU_MATH_BF16 ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
    cudnnBackendDescriptor_t d = make(b, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    set(b, d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(b, d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dims);
    set(b, d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, strides);
    set(b, d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id);
    set(b, d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &alignment);
    finalize(b, d, "a tensor");
    return d;
}

static cudnnBackendDescriptor_t numbers(builder *b, const gyre_conv_shape *s) {
    const int64_t dimensions = 2;
    const int64_t front[] = {s->pad_top, s->pad_left}, back[] = {s->pad_bottom, s->pad_right};
    const int64_t stride[] = {s->stride_h, s->stride_w};
    const int64_t dilation[] = {s->dilation_h, s->dilation_w};
    const cudnnDataType_t sums = CUDNN_DATA_FLOAT;
    const cudnnConvolutionMode_t mode = CUDNN_CROSS_CORRELATION;
    cudnnBackendDescriptor_t d = make(b, CUDNN_BACKEND_CONVOLUTION_DESCRIPTOR);
    set(b, d, CUDNN_ATTR_CONVOLUTION_SPATIAL_DIMS, CUDNN_TYPE_INT64, 1, &dimensions);
    set(b, d, CUDNN_ATTR_CONVOLUTION_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &sums);
    set(b, d, CUDNN_ATTR_CONVOLUTION_CONV_MODE, CUDNN_TYPE_CONVOLUTION_MODE, 1, &mode);
    set(b, d, CUDNN_ATTR_CONVOLUTION_PRE_PADDINGS, CUDNN_TYPE_INT64, 2, front);
    set(b, d, CUDNN_ATTR_CONVOLUTION_POST_PADDINGS, CUDNN_TYPE_INT64, 2, back);
    set(b, d, CUDNN_ATTR_CONVOLUTION_DILATIONS, CUDNN_TYPE_INT64, 2, dilation);
    set(b, d, CUDNN_ATTR_CONVOLUTION_FILTER_STRIDES, CUDNN_TYPE_INT64, 2, stride);
    finalize(b, d, "the convolution's numbers");
    return d;
}

/* ---- the graph */

static bool pads_at_most(const gyre_conv_shape *s, int rows, int columns) {
    return s->pad_top >= 0 && s->pad_left >= 0 && s->pad_bottom >= 0 && s->pad_right >= 0 &&
           s->pad_top < rows && s->pad_bottom < rows && s->pad_left < columns &&
           s->pad_right < columns;
}

static gyre_status check(const gpu_operation *op) {
    const gyre_conv_shape *s = &op->shape;
    char text[GPU_OPERATION_TEXT];
    const char *wrong = NULL;
    if (s->n < 1 || s->h < 1 || s->w < 1 || s->c < 1 || s->k < 1 || s->r < 1 || s->s < 1)
        wrong = "every size must be at least 1";
    else if (s->stride_h < 1 || s->stride_w < 1)
        wrong = "the stride must be at least 1";
    else if (s->dilation_h < 1 || s->dilation_w < 1)
        wrong = "the dilation must be at least 1";
    else if (s->groups < 1 || s->c % s->groups != 0 || s->k % s->groups != 0)
        wrong = "the groups must divide the channels and the filters";
    else if (!pads_at_most(s, gyre_conv_extent(s->r, s->dilation_h),
                           gyre_conv_extent(s->s, s->dilation_w)))
        wrong = "the padding must be at least 0 and less than the filter";
    else if (gyre_conv_rows(s) < 1 || gyre_conv_columns(s) < 1)
        wrong = "the filter is larger than the padded image";
    if (wrong == NULL) return GYRE_OK;
    gpu_operation_text(op, text, sizeof text);
    return gyre_fail(GYRE_EDEVICE, "%s: %s", text, wrong);
}

static void build(builder *b, const gpu_operation *op) {
    const gyre_conv_shape *s = &op->shape;
    const int oh = gyre_conv_rows(s), ow = gyre_conv_columns(s);
    const float alpha = 1, beta = 0;
    cudnnBackendDescriptor_t x = tensor(b, GPU_TENSOR_X, op->math, s->n, s->h, s->w, s->c);
    /* cuDNN knows the number of groups by the filter's channels */
    cudnnBackendDescriptor_t w =
        tensor(b, GPU_TENSOR_W, op->math, s->k, s->r, s->s, s->c / s->groups);
    cudnnBackendDescriptor_t y = tensor(b, GPU_TENSOR_Y, op->math, s->n, oh, ow, s->k);
    cudnnBackendDescriptor_t shape = numbers(b, s);
    cudnnBackendDescriptor_t d = make(b, kinds[op->kind].operation);
    set(b, d, kinds[op->kind].x, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &x);
    set(b, d, kinds[op->kind].w, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &w);
    set(b, d, kinds[op->kind].y, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &y);
    set(b, d, kinds[op->kind].numbers, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &shape);
    set(b, d, kinds[op->kind].alpha, CUDNN_TYPE_FLOAT, 1, &alpha);
    set(b, d, kinds[op->kind].beta, CUDNN_TYPE_FLOAT, 1, &beta);
    finalize(b, d, "the operation");
    cudnnBackendDescriptor_t graph = make(b, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    set(b, graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &d);
    finalize(b, graph, "the operation graph");
    b->graph->graph = graph;
}

gyre_status gpu_graph_open(const gpu_operation *op, gpu_graph *out) {
    memset(out, 0, sizeof *out);
    GYRE_TRY(check(op));
    builder b = {.graph = out};
    build(&b, op);
    if (b.status == CUDNN_STATUS_SUCCESS) return GYRE_OK;
    gyre_status status = gpu_cudnn_fail(b.status, b.what);
    char text[GPU_OPERATION_TEXT];
    gpu_operation_text(op, text, sizeof text);
    gpu_graph_close(out);
    return gyre_fail_in(text, status);
}

void gpu_graph_close(gpu_graph *g) {
    while (g->count > 0) cudnnBackendDestroyDescriptor(g->parts[--g->count]);
    g->graph = NULL;
}
