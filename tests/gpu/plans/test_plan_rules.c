/* What plan.c and engine.c refuse, and what they keep: shapes, engines by their notes, plans by
 * what they compute. */
#include "plans_rig.h"

#include <string.h>

/* ---- what must be refused */

/* 8 images of 16x16x16, 32 filters of 3x3, padded by 1 */
static const gyre_conv_shape good = {8, 16, 16, 16, 32, 3, 3, 1,     1,
                                     1, 1,  1,  1,  1,  1, 1, false, false};

static void assert_refused(const gpu_operation *op, const char *words) {
    gpu_graph graph;
    assert_int_equal(gpu_graph_open(op, &graph), GYRE_EDEVICE);
    assert_int_equal(graph.count, 0);
    if (strstr(gyre_error_text(), words) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", gyre_error_text(), words);
    if (strstr(gyre_error_text(), "cuDNN") != NULL) fail_msg("cuDNN saw it: %s", gyre_error_text());
}

static void test_wrong_shapes(void **state) {
    (void)state;
    struct {
        size_t field;
        int value;
        const char *words;
    } cases[] = {
        {offsetof(gyre_conv_shape, n), 0, "at least 1"},
        {offsetof(gyre_conv_shape, h), 0, "at least 1"},
        {offsetof(gyre_conv_shape, w), -1, "at least 1"},
        {offsetof(gyre_conv_shape, c), 0, "at least 1"},
        {offsetof(gyre_conv_shape, k), 0, "at least 1"},
        {offsetof(gyre_conv_shape, r), 0, "at least 1"},
        {offsetof(gyre_conv_shape, s), 0, "at least 1"},
        {offsetof(gyre_conv_shape, stride_h), 0, "stride"},
        {offsetof(gyre_conv_shape, stride_w), 0, "stride"},
        {offsetof(gyre_conv_shape, pad_top), -1, "padding"},
        {offsetof(gyre_conv_shape, pad_left), 3, "padding"},
        {offsetof(gyre_conv_shape, pad_bottom), 3, "padding"},
        {offsetof(gyre_conv_shape, pad_right), -1, "padding"},
        {offsetof(gyre_conv_shape, dilation_h), 0, "dilation"},
        {offsetof(gyre_conv_shape, dilation_w), 0, "dilation"},
        {offsetof(gyre_conv_shape, dilation_w), 9, "larger than the padded image"},
        {offsetof(gyre_conv_shape, groups), 0, "groups"},
        {offsetof(gyre_conv_shape, groups), 32, "groups"},
        {offsetof(gyre_conv_shape, r), 19, "larger than the padded image"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gpu_operation op = {.kind = GPU_CONV_DW, .math = GPU_MATH_F32, .shape = good};
        memcpy((char *)&op.shape + cases[i].field, &cases[i].value, sizeof(int));
        assert_refused(&op, cases[i].words);
    }
}

/* The filter has the channels of one group, by which cuDNN knows how many groups there are. */
static void check_filter_channels(int groups) {
    gpu_graph graph;
    int64_t dims[3][4], count = 0;
    gpu_operation op = {.kind = GPU_CONV, .math = GPU_MATH_F32, .shape = good};
    op.shape.groups = groups;
    OK(gpu_graph_open(&op, &graph));
    for (int i = 0; i < 3; i++) { /* x, w, y come first */
        assert_int_equal(cudnnBackendGetAttribute(graph.parts[i], CUDNN_ATTR_TENSOR_DIMENSIONS,
                                                  CUDNN_TYPE_INT64, 4, &count, dims[i]),
                         CUDNN_STATUS_SUCCESS);
    }
    assert_int_equal(dims[0][1], 16);
    assert_int_equal(dims[1][1], dims[0][1] / groups);
    assert_int_equal(dims[1][0], dims[2][1]);
    gpu_graph_close(&graph);
}

static void test_filter_channels(void **state) {
    (void)state;
    check_filter_channels(1);
    check_filter_channels(4);
}

/* A plan's text is what a person reads when cuDNN refuses it. */
static void test_text(void **state) {
    (void)state;
    char text[GPU_OPERATION_TEXT];
    gpu_operation op = {.kind = GPU_CONV, .math = GPU_MATH_F32, .shape = good};
    gpu_operation_text(&op, text, sizeof text);
    assert_string_equal(text, "conv of 8 images 16x16x16, 32 filters 3x3, stride 1, pad 1, f32");
    op.shape.stride_w = 2;
    op.shape.pad_bottom = 0;
    op.shape.dilation_h = 2;
    op.shape.groups = 16;
    gpu_operation_text(&op, text, sizeof text);
    assert_string_equal(text, "conv of 8 images 16x16x16, 32 filters 3x3, stride 1 2, pad 1 1 0 1, "
                              "dilation 2x1, 16 groups, f32");
}

static void test_notes(void **state) {
    (void)state;
    const uint32_t tensor = 1U << CUDNN_NUMERICAL_NOTE_TENSOR_CORE,
                   down = 1U << CUDNN_NUMERICAL_NOTE_DOWN_CONVERT_INPUTS,
                   sums = 1U << CUDNN_NUMERICAL_NOTE_REDUCED_PRECISION_REDUCTION,
                   winograd = 1U << CUDNN_NUMERICAL_NOTE_WINOGRAD,
                   any = 1U << CUDNN_NUMERICAL_NOTE_NONDETERMINISTIC,
                   nan = 1U << CUDNN_NUMERICAL_NOTE_STRICT_NAN_PROP, unknown = 1U << 20;
    const uint32_t given = tensor | down | sums | winograd | any | nan | unknown;
    const gpu_rules strict = {.deterministic = true}, loose = {.deterministic = false};
    const uint32_t always = sums | winograd | unknown;
    assert_int_equal(gpu_notes_refused(&strict, GPU_MATH_F32, given), always | any | tensor | down);
    assert_int_equal(gpu_notes_refused(&loose, GPU_MATH_F32, given), always | tensor | down);
    assert_int_equal(gpu_notes_refused(&loose, GPU_MATH_TF32, given), always);
    assert_int_equal(gpu_notes_refused(&loose, GPU_MATH_BF16, given), always | down);
    assert_int_equal(gpu_notes_refused(&loose, GPU_MATH_WIDENED, given), always | down);
}

/* One plan for an operation however often and with whatever bias it is asked for. */
static void test_cache(void **state) {
    (void)state;
    gpu_plans *p;
    gpu_plan *first, *second, *again;
    gpu_operation op = {.kind = GPU_CONV, .math = GPU_MATH_F32, .shape = good};
    gpu_operation other = op;
    OK(open_device("h100", &p));
    OK(gpu_plans_find(p, &op, &first));
    other.kind = GPU_CONV_DX;
    OK(gpu_plans_find(p, &other, &second));
    op.shape.bias = op.shape.relu = true;
    OK(gpu_plans_find(p, &op, &again));
    assert_ptr_equal(first, again);
    assert_ptr_not_equal(first, second);
    assert_int_equal(p->count, 2);
    gpu_plans_close(p);
}

/* Whatever tells two operations apart tells their plans apart. */
static void test_cache_key(void **state) {
    (void)state;
    const gpu_operation op = {.kind = GPU_CONV, .math = GPU_MATH_F32, .shape = good};
    const size_t fields[] = {
        offsetof(gyre_conv_shape, r),          offsetof(gyre_conv_shape, s),
        offsetof(gyre_conv_shape, stride_h),   offsetof(gyre_conv_shape, stride_w),
        offsetof(gyre_conv_shape, pad_top),    offsetof(gyre_conv_shape, pad_left),
        offsetof(gyre_conv_shape, pad_bottom), offsetof(gyre_conv_shape, pad_right),
        offsetof(gyre_conv_shape, dilation_h), offsetof(gyre_conv_shape, dilation_w),
        offsetof(gyre_conv_shape, groups)};
    enum { FIELDS = sizeof fields / sizeof fields[0], OTHERS = 8 + FIELDS };
    gpu_operation others[OTHERS];
    gpu_plans *p;
    gpu_plan *plan;
    for (int i = 0; i < OTHERS; i++) others[i] = op;
    others[1].kind = GPU_CONV_DW;
    others[2].math = GPU_MATH_TF32;
    others[3].shape.n = 4;
    others[4].shape.h = 12;
    others[5].shape.w = 12;
    others[6].shape.c = 32;
    others[7].shape.k = 16;
    for (int i = 0; i < FIELDS; i++) {
        *(int *)(void *)((char *)&others[8 + i].shape + fields[i]) = 2;
    }
    OK(open_device("h100", &p));
    for (int i = 0; i < OTHERS; i++) OK(gpu_plans_find(p, &others[i], &plan));
    assert_int_equal(p->count, OTHERS);
    gpu_plans_close(p);
}

/* ---- nothing left: a matrix product in f32, for which cuDNN has tensor cores only; why a linear
 * layer is a convolution */

typedef cudnnBackendDescriptor_t descriptor;

static descriptor part(gpu_graph *g, cudnnBackendDescriptorType_t type) {
    descriptor d;
    assert_int_equal(cudnnBackendCreateDescriptor(type, &d), CUDNN_STATUS_SUCCESS);
    g->parts[g->count++] = d;
    return d;
}

static void set(descriptor d, cudnnBackendAttributeName_t name, cudnnBackendAttributeType_t type,
                int64_t count, const void *values) {
    assert_int_equal(cudnnBackendSetAttribute(d, name, type, count, values), CUDNN_STATUS_SUCCESS);
}

static void finish(descriptor d) {
    assert_int_equal(cudnnBackendFinalize(d), CUDNN_STATUS_SUCCESS);
}

static descriptor matrix(gpu_graph *g, int64_t id, int64_t rows, int64_t columns) {
    const int64_t dims[] = {1, rows, columns}, strides[] = {rows * columns, columns, 1}, bytes = 16;
    const cudnnDataType_t type = CUDNN_DATA_FLOAT;
    descriptor d = part(g, CUDNN_BACKEND_TENSOR_DESCRIPTOR);
    set(d, CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    set(d, CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 3, dims);
    set(d, CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 3, strides);
    set(d, CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &id);
    set(d, CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &bytes);
    finish(d);
    return d;
}

static gpu_graph product(void) {
    const cudnnDataType_t type = CUDNN_DATA_FLOAT;
    gpu_graph g = {.graph = NULL};
    descriptor a = matrix(&g, 1, 100, 64), b = matrix(&g, 2, 64, 16), c = matrix(&g, 3, 100, 16);
    descriptor how = part(&g, CUDNN_BACKEND_MATMUL_DESCRIPTOR);
    set(how, CUDNN_ATTR_MATMUL_COMP_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    finish(how);
    descriptor d = part(&g, CUDNN_BACKEND_OPERATION_MATMUL_DESCRIPTOR);
    set(d, CUDNN_ATTR_OPERATION_MATMUL_DESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &how);
    set(d, CUDNN_ATTR_OPERATION_MATMUL_ADESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &a);
    set(d, CUDNN_ATTR_OPERATION_MATMUL_BDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &b);
    set(d, CUDNN_ATTR_OPERATION_MATMUL_CDESC, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &c);
    finish(d);
    g.graph = part(&g, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR);
    set(g.graph, CUDNN_ATTR_OPERATIONGRAPH_OPS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &d);
    finish(g.graph);
    return g;
}

static void test_nothing_left(void **state) {
    (void)state;
    gpu_plans *p;
    gpu_choice choice = {0};
    gpu_operation op = {.kind = GPU_CONV, .math = GPU_MATH_F32, .shape = good};
    gpu_graph g = product();
    OK(open_device("h100", &p));
    assert_int_equal(gpu_choose(&p->rules, &op, &g, &choice), GYRE_EDEVICE);
    const char *const wanted[] = {"no engine left for conv of 8 images 16x16x16, 32 filters 3x3",
                                  "f32: of ", "use tensor cores (\"tf32\": true allows them)"};
    for (int i = 0; i < 3; i++) {
        if (strstr(gyre_error_text(), wanted[i]) == NULL)
            fail_msg("\"%s\" lacks \"%s\"", gyre_error_text(), wanted[i]);
    }
    assert_null(choice.plan);
    gpu_graph_close(&g);
    gpu_plans_close(p);
}

static void test_bad_device(void **state) {
    (void)state;
    gpu_plans *p = NULL;
    assert_int_equal(gpu_plans_open_json("{\"deviceVer\": \"new\"}", true, &p), GYRE_EDEVICE);
    assert_null(p);
    assert_non_null(strstr(gyre_error_text(), "cuDNN"));
}

static void test_misaligned(void **state) {
    (void)state;
    gpu_plans *p;
    gpu_plan *plan;
    gpu_operation op = {.kind = GPU_CONV, .math = GPU_MATH_F32, .shape = good};
    char *base = NULL;
    OK(open_device("a100", &p));
    OK(gpu_plans_find(p, &op, &plan));
    assert_int_equal(gpu_plan_run(NULL, plan, base + 256, base + 260, base + 512, NULL),
                     GYRE_EDEVICE);
    assert_non_null(strstr(gyre_error_text(), "tensor w at 0x104 is not aligned"));
    gpu_plans_close(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_shapes), cmocka_unit_test(test_filter_channels),
        cmocka_unit_test(test_text),         cmocka_unit_test(test_notes),
        cmocka_unit_test(test_cache),        cmocka_unit_test(test_cache_key),
        cmocka_unit_test(test_nothing_left), cmocka_unit_test(test_bad_device),
        cmocka_unit_test(test_misaligned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
