/* The parts of the ONNX import that know no file: views of axes, operators on constants, names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/onnx/fold.h"
#include "../../src/onnx/naming.h"
#include <string.h>

/* ---- views */

static const int64_t sizes[ONNX_AXES] = {7, 6, 4, 5}; /* N, C, H, W */

static onnx_view reshaped(const onnx_view *v, int rank, const int64_t *dims) {
    onnx_view out;
    assert_true(onnx_view_reshape(v, rank, dims, &out));
    return out;
}

static onnx_view transposed(const onnx_view *v, const int64_t *order) {
    onnx_view out;
    assert_true(onnx_view_transpose(v, order, &out));
    return out;
}

static void a_view_that_is_flattened_comes_back(void **state) {
    const onnx_view nchw = onnx_view_of("NCHW", sizes);
    const onnx_view row = reshaped(&nchw, 2, (int64_t[]){7, 120});
    (void)state;
    assert_int_equal(onnx_view_size(&row, 1), 120);
    assert_false(onnx_view_is(&row, "NC"));
    assert_int_equal(onnx_view_find(&row, ONNX_AXIS_N), 0);
    assert_int_equal(onnx_view_find(&row, ONNX_AXIS_C), -1);
    const onnx_view back = reshaped(&row, 4, sizes);
    assert_true(onnx_view_is(&back, "NCHW"));
    for (int i = 0; i < 4; i++) assert_true(onnx_view_same_dimension(&back, &nchw, i));
}

static void axes_change_places(void **state) {
    const onnx_view nchw = onnx_view_of("NCHW", sizes);
    const onnx_view nhwc = transposed(&nchw, (int64_t[]){0, 2, 3, 1});
    onnx_view out;
    (void)state;
    assert_true(onnx_view_is(&nhwc, "NHWC"));
    assert_false(onnx_view_is(&nhwc, "NCHW"));
    assert_int_equal(onnx_view_find(&nhwc, ONNX_AXIS_C), 3);
    out = transposed(&nhwc, (int64_t[]){0, 3, 1, 2});
    assert_true(onnx_view_is(&out, "NCHW"));
    assert_false(onnx_view_transpose(&nchw, (int64_t[]){0, 1, 1, 2}, &out));
    assert_false(onnx_view_transpose(&nchw, (int64_t[]){0, 1, 2, 4}, &out));
}

/* Channels in other places are no picture of the same axes. */
static void shuffled_channels_are_seen(void **state) {
    const onnx_view nchw = onnx_view_of("NCHW", sizes);
    const onnx_view groups = reshaped(&nchw, 5, (int64_t[]){7, 2, 3, 4, 5});
    const onnx_view again = reshaped(&groups, 4, sizes);
    const onnx_view other = transposed(&groups, (int64_t[]){0, 2, 1, 3, 4});
    const onnx_view shuffled = reshaped(&other, 4, sizes);
    (void)state;
    assert_true(onnx_view_is(&again, "NCHW"));
    assert_int_equal(onnx_view_size(&shuffled, 1), 6);
    assert_false(onnx_view_is(&shuffled, "NCHW"));
    assert_false(onnx_view_same_dimension(&shuffled, &nchw, 1));
    const onnx_view parts = reshaped(&shuffled, 5, (int64_t[]){7, 3, 2, 4, 5});
    const onnx_view sorted = transposed(&parts, (int64_t[]){0, 2, 1, 3, 4});
    const onnx_view whole = reshaped(&sorted, 4, sizes);
    assert_true(onnx_view_is(&whole, "NCHW"));
}

static void sizes_that_do_not_fit_are_refused(void **state) {
    const onnx_view nchw = onnx_view_of("NCHW", sizes);
    onnx_view out;
    (void)state;
    assert_false(onnx_view_reshape(&nchw, 2, (int64_t[]){7, 119}, &out));
    assert_false(onnx_view_reshape(&nchw, 3, (int64_t[]){7, 120, 2}, &out));
    assert_false(onnx_view_reshape(&nchw, 1, (int64_t[]){7}, &out));
    assert_false(onnx_view_reshape(&nchw, 3, (int64_t[]){7, 4, 30}, &out)); /* 4 of 6 channels */
}

static void dimensions_of_one_come_and_go(void **state) {
    const int64_t pooled[ONNX_AXES] = {7, 6, 1, 1};
    onnx_view v = onnx_view_of("NCHW", pooled);
    (void)state;
    assert_true(onnx_view_is(&v, "NHWC") == false && onnx_view_is(&v, "NCHW"));
    assert_true(onnx_view_remove(&v, 3) && onnx_view_remove(&v, 2));
    assert_true(onnx_view_is(&v, "NC"));
    assert_false(onnx_view_remove(&v, 1));
    assert_false(onnx_view_remove(&v, 2));
    assert_true(onnx_view_insert(&v, 1));
    assert_int_equal(onnx_view_find(&v, ONNX_AXIS_C), 2);
    assert_false(onnx_view_insert(&v, 4));
}

/* ---- operators on constants */

typedef struct {
    onnx_import m;
    Onnx__NodeProto node;
    onnx_call call;
    onnx_value out, in[4];
} bench;

static void open_bench(bench *b, const char *op) {
    memset(b, 0, sizeof *b);
    onnx__node_proto__init(&b->node);
    b->node.op_type = (char *)(uintptr_t)op;
    b->call.node = &b->node;
    b->call.out[0] = &b->out;
}

/* One more input: whole numbers, or a single one without dimensions (count 0). */
static void give(bench *b, int count, const int64_t *numbers) {
    int64_t dims = count;
    onnx_constant *k = onnx_constant_make(&b->m.work, count > 0, &dims, true);
    assert_non_null(k);
    for (size_t i = 0; i < k->count; i++) k->values[i] = (double)numbers[i];
    onnx_value *v = &b->in[b->call.in_count];
    *v = (onnx_value){.kind = ONNX_CONSTANT, .constant = k};
    b->call.in[b->call.in_count++] = v;
}

static void expect_numbers(bench *b, int count, const int64_t *numbers) {
    assert_true(onnx_fold(&b->m, &b->call));
    assert_int_equal(b->out.kind, ONNX_CONSTANT);
    const onnx_constant *k = b->out.constant;
    assert_true(k->integer);
    assert_int_equal(k->rank, count > 0);
    assert_int_equal(k->count, count > 0 ? count : 1);
    for (size_t i = 0; i < k->count; i++) assert_true(k->values[i] == (double)numbers[i]);
    onnx_work_close(&b->m.work);
}

static const int64_t shape[] = {7, 6, 4, 5};

static void parts_of_a_shape_are_computed(void **state) {
    bench b;
    (void)state;
    open_bench(&b, "Gather");
    give(&b, 4, shape);
    give(&b, 0, (int64_t[]){-1});
    expect_numbers(&b, 0, (int64_t[]){5});
    open_bench(&b, "Slice");
    give(&b, 4, shape);
    give(&b, 1, (int64_t[]){2});
    give(&b, 1, (int64_t[]){INT32_MAX});
    expect_numbers(&b, 2, (int64_t[]){4, 5});
    open_bench(&b, "Concat");
    give(&b, 2, shape);
    give(&b, 1, (int64_t[]){-1});
    expect_numbers(&b, 3, (int64_t[]){7, 6, -1});
    open_bench(&b, "ReduceProd");
    give(&b, 4, shape);
    expect_numbers(&b, 1, (int64_t[]){840});
    open_bench(&b, "Range");
    give(&b, 0, (int64_t[]){1});
    give(&b, 0, (int64_t[]){8});
    give(&b, 0, (int64_t[]){3});
    expect_numbers(&b, 3, (int64_t[]){1, 4, 7});
}

/* Div cuts off, Mod has the sign of the divisor. */
static void whole_numbers_stay_whole(void **state) {
    static const struct {
        const char *op;
        int64_t result[4];
    } cases[] = {{"Add", {-4, 8, 10, -5}}, {"Sub", {-10, 2, 4, -11}}, {"Mul", {-21, 15, 21, -24}},
                 {"Div", {-2, 1, 2, -2}},  {"Mod", {2, 2, 1, 1}},     {"Less", {1, 0, 0, 1}}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench b;
        open_bench(&b, cases[i].op);
        give(&b, 4, (int64_t[]){-7, 5, 7, -8});
        give(&b, 0, (int64_t[]){3});
        expect_numbers(&b, 4, cases[i].result);
    }
}

static void what_cannot_be_is_not_computed(void **state) {
    bench b;
    (void)state;
    open_bench(&b, "Gather");
    give(&b, 4, shape);
    give(&b, 0, (int64_t[]){4});
    assert_false(onnx_fold(&b.m, &b.call));
    onnx_work_close(&b.m.work);
    open_bench(&b, "Add");
    give(&b, 4, shape);
    give(&b, 3, shape);
    assert_false(onnx_fold(&b.m, &b.call));
    onnx_work_close(&b.m.work);
    open_bench(&b, "Conv");
    give(&b, 4, shape);
    assert_false(onnx_fold(&b.m, &b.call));
    onnx_work_close(&b.m.work);
}

/* A column and a row would make a table. */
/* One more input of two dimensions: 10, 20, ... */
static void give_matrix(bench *b, int64_t rows, int64_t columns) {
    const int64_t dims[] = {rows, columns};
    onnx_constant *k = onnx_constant_make(&b->m.work, 2, dims, true);
    assert_non_null(k);
    for (size_t i = 0; i < k->count; i++) k->values[i] = 10 * ((double)i + 1);
    onnx_value *v = &b->in[b->call.in_count];
    *v = (onnx_value){.kind = ONNX_CONSTANT, .constant = k};
    b->call.in[b->call.in_count++] = v;
}

/* As ONNX's operators repeat them: along dimensions of 1, and those that are missing in front. */
static void numbers_are_repeated(void **state) {
    static const struct {
        int64_t rows, columns, out[2];
        double want[6];
    } cases[] = {{1, 2, {1, 2}, {17, 26}},
                 {2, 1, {2, 2}, {17, 16, 27, 26}},
                 {3, 2, {3, 2}, {17, 26, 37, 46, 57, 66}},
                 {2, 3, {0}, {0}},
                 {1, 3, {0}, {0}}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bench b;
        open_bench(&b, "Add");
        give(&b, 2, shape);
        give_matrix(&b, cases[i].rows, cases[i].columns);
        const bool fits = cases[i].out[0] > 0;
        assert_int_equal(onnx_fold(&b.m, &b.call), fits);
        const onnx_constant *k = b.out.constant;
        for (int a = 0; fits && a < 2; a++) assert_int_equal(k->dims[a], cases[i].out[a]);
        for (size_t n = 0; fits && n < k->count; n++) assert_true(k->values[n] == cases[i].want[n]);
        onnx_work_close(&b.m.work);
    }
}

/* ---- names */

static void nodes_are_called_as_modules_are(void **state) {
    static const struct {
        const char *type, *weight, *node, *output, *name;
    } cases[] = {{"conv", "layer1.0.conv1.weight", "/x/Conv", "x", "layer1.0.conv1"},
                 {"conv", "onnx::Conv_193", "/layer1/layer1.0/conv2/Conv", "y", "layer1.0.conv2"},
                 {"relu", NULL, "/layer1/layer1.0/relu/Relu", "z", "layer1.0.relu"},
                 {"relu", NULL, "/layer1/layer1.0/relu/Relu", "z", "layer1.0.relu_1"},
                 {"add", NULL, "/layer1/layer1.0/Add", "w", "layer1.0.add"},
                 {"conv", "val_4", "node_conv", "conv2d", "conv2d"},
                 {"relu", NULL, "", "val_7", "relu"},
                 {"relu", NULL, "", "images", "images_1"},
                 {"relu", NULL, "", "a \"name\"", "a__name_"}};
    enum { COUNT = sizeof cases / sizeof *cases };
    Onnx__NodeProto nodes[COUNT];
    char *outputs[COUNT];
    onnx_constant weights[COUNT] = {0};
    onnx_import m = {0};
    (void)state;
    for (int i = 0; i < COUNT; i++) {
        onnx__node_proto__init(&nodes[i]);
        outputs[i] = (char *)(uintptr_t)cases[i].output;
        nodes[i].name = (char *)(uintptr_t)cases[i].node;
        nodes[i].output = &outputs[i];
        nodes[i].n_output = 1;
        weights[i].name = cases[i].weight;
        if (cases[i].weight != NULL && onnx_name_is_lost(cases[i].weight))
            weights[i].kind = ONNX_NAME_LOST;
        assert_int_equal(onnx_layers_add(&m.work, &m.layers, cases[i].type, &nodes[i], NULL, 0), i);
        m.layers.list[i].needed = true;
        if (cases[i].weight != NULL) onnx_layer_weight(&m.layers.list[i], "weight", &weights[i]);
    }
    onnx_naming_names(&m);
    for (int i = 0; i < COUNT; i++) {
        assert_string_equal(m.layers.list[i].name, cases[i].name);
    }
    onnx_layers_close(&m.layers);
    onnx_work_close(&m.work);
}

/* Of no numbers and one come none, whatever their ranks; a number of many dimensions is one. */
static void no_numbers_stay_none(void **state) {
    const int64_t none[] = {0}, ones[] = {1, 1}, few[] = {3};
    bench b;
    (void)state;
    for (int order = 0; order < 4; order++) {
        open_bench(&b, "Add");
        onnx_constant *k[2] = {onnx_constant_make(&b.m.work, 1, order < 2 ? none : few, true),
                               onnx_constant_make(&b.m.work, 2, ones, true)};
        for (int i = 0; i < 2; i++) {
            b.in[i] =
                (onnx_value){.kind = ONNX_CONSTANT, .constant = k[order % 2 == 0 ? i : 1 - i]};
            b.call.in[b.call.in_count++] = &b.in[i];
        }
        assert_true(onnx_fold(&b.m, &b.call));
        assert_int_equal(b.out.constant->rank, 2);
        assert_int_equal(b.out.constant->dims[1], order < 2 ? 0 : 3);
        assert_int_equal(b.out.constant->count, order < 2 ? 0 : 3);
        onnx_work_close(&b.m.work);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_numbers_stay_none),
        cmocka_unit_test(a_view_that_is_flattened_comes_back),
        cmocka_unit_test(axes_change_places),
        cmocka_unit_test(shuffled_channels_are_seen),
        cmocka_unit_test(sizes_that_do_not_fit_are_refused),
        cmocka_unit_test(dimensions_of_one_come_and_go),
        cmocka_unit_test(parts_of_a_shape_are_computed),
        cmocka_unit_test(whole_numbers_stay_whole),
        cmocka_unit_test(what_cannot_be_is_not_computed),
        cmocka_unit_test(numbers_are_repeated),
        cmocka_unit_test(nodes_are_called_as_modules_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
