/* Has the real cuDNN plan what the models need, for devices that are not here.
 *
 * tests/gpu/plans.txt holds what it chose: for each operation of each model and each device the
 * engine, its workspace, its numerical notes and how many engines the rules leave. A difference
 * means that cuDNN, the rules or a shape changed; whoever meant it runs this with PLANS=write and
 * reads the diff.
 *
 *   PLANS unset   batch size 100, all devices; the lines of plans.txt for it
 *   PLANS=all     all batch sizes, and plans.txt as a whole
 *   PLANS=write   the same, but writes plans.txt and prints the table of docs/gpu-plans.md
 *
 * Run from the top of the source tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../cuda/plan.h"
#include "../../src/model/shapes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GOLDEN "tests/gpu/plans.txt"
#define OK(call)                                                                                   \
    do {                                                                                           \
        if ((call) != GYRE_OK) fail_msg("%s: %s", #call, gyre_error_text());                       \
    } while (0)

static const char *const device_names[] = {"h100", "h200", "a100"};
static const int batch_sizes[] = {8, 32, 100, 128};
static const struct {
    const char *name;
    bool bf16, tf32;
} modes[] = {{"f32", false, false}, {"tf32", false, true}, {"bf16", true, false}};
enum { DEVICES = 3, BATCHES = 4, MODES = 3, USUAL_BATCH = 100, OPERATIONS_MAX = 4096 };

static gyre_status open_device(const char *name, gpu_plans **out) {
    char path[64], json[2048];
    snprintf(path, sizeof path, "tests/gpu/devices/%s.json", name);
    FILE *file = fopen(path, "r");
    if (file == NULL) return gyre_fail(GYRE_EIO, "%s: not here; run from the source tree", path);
    json[fread(json, 1, sizeof json - 1, file)] = '\0';
    fclose(file);
    return gpu_plans_open_json(json, true, out);
}

/* ---- the operations of all models */

typedef struct {
    int mode;
    gpu_operation op;
} job;
typedef struct {
    job jobs[OPERATIONS_MAX];
    int count;
} job_list;

static void add_job(job_list *list, int mode, gpu_conv_kind kind, const gyre_conv_shape *s) {
    job new = {mode, gpu_operation_of(kind, s, modes[mode].bf16, modes[mode].tf32)};
    new.op.shape.bias = new.op.shape.relu = false; /* have had their say in op.math */
    for (int i = 0; i < list->count; i++) {
        const job *old = &list->jobs[i];
        if (old->mode == mode && memcmp(&old->op.shape, &new.op.shape, sizeof(int[8])) == 0 &&
            old->op.kind == kind && old->op.math == new.op.math)
            return;
    }
    assert_true(list->count < OPERATIONS_MAX);
    list->jobs[list->count++] = new;
}

static void add_layer(job_list *list, int mode, const gyre_model *m, const gyre_layer *l, int n) {
    gyre_conv_shape s;
    if (l->kind == GYRE_LAYER_CONV) {
        s = shape_of_conv(m, l, n);
    } else if (l->kind == GYRE_LAYER_LINEAR) {
        gyre_linear_shape linear = shape_of_linear(m, l, n);
        s = gpu_linear_as_conv(&linear);
    } else {
        return;
    }
    add_job(list, mode, GPU_CONV, &s);
    if (l->input >= 0) add_job(list, mode, GPU_CONV_DX, &s); /* nobody wants the images' */
    add_job(list, mode, GPU_CONV_DW, &s);
}

/* Grey images of 28x28 and colour ones of 32x32; a model may refuse one of them. */
static void add_models(job_list *list, int mode, int n) {
    for (int i = 0; gyre_model_name(i) != NULL; i++) {
        for (int colour = 0; colour < 2; colour++) {
            char name[40];
            gyre_model *m = NULL;
            int size = colour ? 32 : 28;
            snprintf(name, sizeof name, "%s", gyre_model_name(i));
            gyre_model_settings settings = {.name = name};
            if (gyre_model_open(&settings, size, size, colour ? 3 : 1, 10, &m) != GYRE_OK) continue;
            for (int k = 0; k < m->layer_count; k++) add_layer(list, mode, m, &m->layers[k], n);
            gyre_model_close(m);
        }
    }
}

/* ---- what the rules leave */

typedef struct {
    const gpu_rules *rules;
    gpu_math math;
    uint64_t ids[4]; /* bit set of the prebuilt engines that are left */
} left;

static gyre_status see(void *context, const gpu_engine *e, bool *take) {
    left *l = context;
    (void)take;
    assert_in_range((uint64_t)e->id, 0, 255);
    if (!e->compiled && gpu_notes_refused(l->rules, l->math, e->notes) == 0)
        l->ids[e->id / 64] |= 1ULL << e->id % 64;
    return GYRE_OK;
}

static int count_left(const gpu_plans *p, const gpu_plan *plan) {
    left l = {.rules = &p->rules, .math = plan->op.math};
    int count = 0;
    OK(gpu_engines_each(&p->rules, &plan->graph, see, &l));
    for (int i = 0; i < 4; i++) count += __builtin_popcountll(l.ids[i]);
    return count;
}

/* ---- the golden file */

static int fewest[DEVICES][MODES][3], most[DEVICES][MODES][3];

static void keep_range(int device, const job *j, int count) {
    int *low = &fewest[device][j->mode][j->op.kind], *high = &most[device][j->mode][j->op.kind];
    if (*low == 0 || count < *low) *low = count;
    if (count > *high) *high = count;
}

static void print_ranges(void) {
    static const char *const kinds[] = {"conv", "conv_dx", "conv_dw"};
    for (int k = 0; k < 3; k++) {
        for (int m = 0; m < MODES; m++) {
            printf("| %s | %s |", kinds[k], modes[m].name);
            for (int d = 0; d < DEVICES; d++) printf(" %d-%d |", fewest[d][m][k], most[d][m][k]);
            printf("\n");
        }
    }
}

static const char golden_head[] =
    "# mode operation nxhxwxc filters stride pad | engine bytes-of-workspace notes engines-left\n"
    "# for h100 | h200 | a100; +: tensors are bf16 widened to f32, *: compiled at run time\n";

static void write_line(gpu_plans *const *devices, const job *j, FILE *out) {
    static const char *const kinds[] = {"conv", "conv_dx", "conv_dw"};
    const gyre_conv_shape *s = &j->op.shape;
    char notes[96];
    fprintf(out, "%s%s %s %dx%dx%dx%d %dx%dx%d s%d p%d", modes[j->mode].name,
            j->op.math == GPU_MATH_WIDENED ? "+" : "", kinds[j->op.kind], s->n, s->h, s->w, s->c,
            s->k, s->r, s->r, s->stride, s->pad);
    for (int d = 0; d < DEVICES; d++) {
        gpu_plan *plan;
        OK(gpu_plans_find(devices[d], &j->op, &plan));
        const gpu_choice *c = &plan->choice;
        int count = count_left(devices[d], plan);
        keep_range(d, j, count);
        gpu_notes_text(c->engine.notes, notes, sizeof notes);
        fprintf(out, " | %d%s %zu %s %d", (int)c->engine.id, c->engine.compiled ? "*" : "",
                c->workspace, notes, count);
    }
    fprintf(out, "\n");
}

static bool in_golden(const char *golden, const char *line, size_t length) {
    for (const char *at = golden; *at != '\0';) {
        size_t n = strcspn(at, "\n");
        if (n == length && memcmp(at, line, n) == 0) return true;
        at += n + (at[n] == '\n');
    }
    return false;
}

static char *read_golden(void) {
    FILE *file = fopen(GOLDEN, "r");
    char *text = calloc(1, 4 << 20);
    assert_non_null(text);
    if (file == NULL) fail_msg("%s is missing; PLANS=write makes it", GOLDEN);
    assert_in_range(fread(text, 1, (4 << 20) - 1, file), 1, (4 << 20) - 2);
    fclose(file);
    return text;
}

static void compare(const char *now, size_t length, bool all) {
    char *golden = read_golden();
    int wrong = 0;
    for (const char *at = now; *at != '\0'; at += strcspn(at, "\n") + 1) {
        size_t n = strcspn(at, "\n");
        if (!in_golden(golden, at, n) && wrong++ < 5)
            fprintf(stderr, "not in %s:\n  %.*s\n", GOLDEN, (int)n, at);
    }
    if (wrong > 0) fail_msg("%d plans differ from %s", wrong, GOLDEN);
    if (all && strlen(golden) != length) fail_msg("%s has plans that nobody wants", GOLDEN);
    free(golden);
}

static void test_plans(void **state) {
    (void)state;
    const char *asked = getenv("PLANS");
    bool write = asked != NULL && strcmp(asked, "write") == 0;
    bool all = write || (asked != NULL && strcmp(asked, "all") == 0);
    gpu_plans *devices[DEVICES];
    static job_list list;
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    assert_non_null(out);
    fputs(golden_head, out);
    for (int d = 0; d < DEVICES; d++) OK(open_device(device_names[d], &devices[d]));
    for (int m = 0; m < MODES; m++) {
        for (int i = 0; i < BATCHES; i++) {
            if (all || batch_sizes[i] == USUAL_BATCH) add_models(&list, m, batch_sizes[i]);
        }
    }
    for (int i = 0; i < list.count; i++) write_line(devices, &list.jobs[i], out);
    fclose(out);
    printf("%d operations planned for %d devices\n", list.count, DEVICES);
    for (int d = 0; d < DEVICES; d++) gpu_plans_close(devices[d]);
    if (write) {
        FILE *golden = fopen(GOLDEN, "w");
        assert_non_null(golden);
        assert_int_equal(fwrite(text, 1, length, golden), length);
        assert_int_equal(fclose(golden), 0);
        print_ranges();
    } else {
        compare(text, length, all);
    }
    free(text);
}

/* ---- what must be refused */

static const gyre_conv_shape good = {
    .n = 8, .h = 16, .w = 16, .c = 16, .k = 32, .r = 3, .stride = 1, .pad = 1};

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
        {offsetof(gyre_conv_shape, stride), 0, "stride"},
        {offsetof(gyre_conv_shape, pad), -1, "padding"},
        {offsetof(gyre_conv_shape, pad), 3, "padding"},
        {offsetof(gyre_conv_shape, r), 19, "larger than the padded image"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        gpu_operation op = {.kind = GPU_CONV_DW, .math = GPU_MATH_F32, .shape = good};
        memcpy((char *)&op.shape + cases[i].field, &cases[i].value, sizeof(int));
        assert_refused(&op, cases[i].words);
    }
}

/* The filter has the channels of the image, so that no convolution turns into a grouped one. */
static void test_filter_channels(void **state) {
    (void)state;
    gpu_graph graph;
    int64_t dims[3][4], count = 0;
    gpu_operation op = {.kind = GPU_CONV, .math = GPU_MATH_F32, .shape = good};
    OK(gpu_graph_open(&op, &graph));
    for (int i = 0; i < 3; i++) { /* x, w, y come first */
        assert_int_equal(cudnnBackendGetAttribute(graph.parts[i], CUDNN_ATTR_TENSOR_DIMENSIONS,
                                                  CUDNN_TYPE_INT64, 4, &count, dims[i]),
                         CUDNN_STATUS_SUCCESS);
    }
    assert_int_equal(dims[0][1], 16);
    assert_int_equal(dims[1][1], dims[0][1]);
    assert_int_equal(dims[1][0], dims[2][1]);
    gpu_graph_close(&graph);
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
    other.shape.pad = 0;
    OK(gpu_plans_find(p, &other, &again));
    assert_int_equal(p->count, 3);
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

/* What a device says about itself makes the same device again. */
static void test_device_text(void **state) {
    (void)state;
    char text[4096], again[4096];
    gpu_plans *p;
    OK(open_device("a100", &p));
    OK(gpu_plans_device(p, text, sizeof text));
    gpu_plans_close(p);
    assert_non_null(strstr(text, "NVIDIA A100"));
    OK(gpu_plans_open_json(text, true, &p));
    OK(gpu_plans_device(p, again, sizeof again));
    gpu_plans_close(p);
    assert_string_equal(text, again);
}

static void test_misaligned(void **state) {
    (void)state;
    gpu_plans *p;
    gpu_plan *plan;
    gpu_operation op = {.kind = GPU_CONV, .math = GPU_MATH_F32, .shape = good};
    char *base = NULL;
    OK(open_device("a100", &p));
    OK(gpu_plans_find(p, &op, &plan));
    assert_int_equal(gpu_plan_run(p, plan, base + 256, base + 260, base + 512, NULL), GYRE_EDEVICE);
    assert_non_null(strstr(gyre_error_text(), "tensor w at 0x104 is not aligned"));
    gpu_plans_close(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wrong_shapes), cmocka_unit_test(test_filter_channels),
        cmocka_unit_test(test_notes),        cmocka_unit_test(test_cache),
        cmocka_unit_test(test_nothing_left), cmocka_unit_test(test_bad_device),
        cmocka_unit_test(test_misaligned),   cmocka_unit_test(test_device_text),
        cmocka_unit_test(test_plans),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
