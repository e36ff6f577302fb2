/* Has the real cuDNN plan what the models need, for devices that are not here.
 *
 * tests/gpu/plans/plans.txt holds what it chose: for each operation of each model and each device
 * the engine, its workspace, its numerical notes and how many engines the rules leave. A difference
 * means that cuDNN, the rules or a shape changed; whoever meant it runs this with PLANS=write and
 * reads the diff.
 *
 *   PLANS unset   batch size 100, all devices, all but the largest networks: their lines of
 * plans.txt PLANS=all     all batch sizes and networks, and plans.txt as a whole PLANS=write   the
 * same, but writes plans.txt and prints the table of docs/gpu-plans.md
 *
 * Run from the top of the source tree. */
#include "../../unit/convolutions.h"
#include "plans_rig.h"

#include <stdlib.h>
#include <string.h>

#define GOLDEN "tests/gpu/plans/plans.txt"

static const char *const device_names[] = {"h100", "h200", "a100"};
/* What configs/ give: shards of 4 (4 images in one), 32 (128 in four) and 50 (100 in two), and
 * evaluations of 100 and 250, which is the default. 100 and 128 are also shards of larger batches.
 */
static const struct {
    int n;
    bool evaluated_only;
} batches[] = {{4, false}, {32, false}, {50, false}, {100, false}, {128, false}, {250, true}};
static const struct {
    const char *name;
    bool bf16, tf32;
} modes[] = {{"f32", false, false}, {"tf32", false, true}, {"bf16", true, false}};
enum { DEVICES = 3, BATCHES = 6, MODES = 3, USUAL_BATCH = 100, OPERATIONS_MAX = 16384 };

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
        if (old->mode == mode &&
            memcmp(&old->op.shape, &new.op.shape, GYRE_CONV_INTS * sizeof(int)) == 0 &&
            old->op.kind == kind && old->op.math == new.op.math)
            return;
    }
    assert_true(list->count < OPERATIONS_MAX);
    list->jobs[list->count++] = new;
}

static void add_node(job_list *list, int mode, const gyre_model *m, int node, int n,
                     bool evaluated_only) {
    const node_call c = node_call_of(m, node, NULL, n);
    const gyre_node *l = c.node;
    bool bias = l->params[1] >= 0, relu = node_option_value(l, "relu") == 1;
    gyre_conv_shape s;
    if (strcmp(l->type->name, "conv") == 0) {
        s = convolution_of(&c);
    } else if (strcmp(l->type->name, "linear") == 0) {
        gyre_linear_shape linear = {n, (int)node_elements(c.in[0]), l->c, bias, relu};
        s = gpu_linear_as_conv(&linear);
    } else {
        return;
    }
    add_job(list, mode, GPU_CONV, &s);
    if (evaluated_only) return;
    if (l->inputs[0] >= 0) add_job(list, mode, GPU_CONV_DX, &s); /* the images' is not needed */
    add_job(list, mode, GPU_CONV_DW, &s);
}

/* Many shapes: planned for the usual batch size, and only where all are asked for. */
static bool is_large(const char *name) {
    static const char *const names[] = {"wide_resnet28_10", "vgg16_bn",     "densenet40",
                                        "densenet121",      "mobilenet_v2", "efficientnet_b0",
                                        "convnext_tiny",    "unet",         "vit"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0) return true;
    }
    return false;
}

/* Grey images of 28x28 and colour ones of 32x32; a model may refuse one of them. */
static void add_models(job_list *list, int mode, int n, bool evaluated_only, bool all) {
    for (int i = 0; gyre_model_name(i) != NULL; i++) {
        if (is_large(gyre_model_name(i)) && (!all || n != USUAL_BATCH)) continue;
        for (int colour = 0; colour < 2; colour++) {
            char name[40];
            gyre_model *m = NULL;
            int size = colour ? 32 : 28;
            snprintf(name, sizeof name, "%s", gyre_model_name(i));
            gyre_model_settings settings = {.name = name};
            if (gyre_model_open(&settings, size, size, colour ? 3 : 1, 10, &m) != GYRE_OK) continue;
            for (int k = 0; k < m->node_count; k++) {
                add_node(list, mode, m, k, n, evaluated_only);
            }
            gyre_model_close(m);
        }
    }
}

/* Stable Diffusion 1.5, in the batch that configs/stable_diffusion gives. */
static void add_stable_diffusion(job_list *list, int mode) {
    enum { BATCH = 4, SIDE = 64, CHANNELS = 4, CONTEXTS = 2, BYTES = 1 << 16 };
    const char *path = "tests/data/unet/stable_diffusion.json";
    char *config = calloc(1, BYTES);
    gyre_model *m = NULL;
    FILE *f = fopen(path, "r");
    if (f == NULL || config == NULL) fail_msg("%s is missing", path);
    assert_in_range(fread(config, 1, BYTES - 1, f), 1, BYTES - 2);
    fclose(f);
    const gyre_model_settings settings = {.unet = config};
    OK(gyre_model_open(&settings, SIDE, SIDE, CHANNELS, CONTEXTS, &m));
    for (int k = 0; k < m->node_count; k++) add_node(list, mode, m, k, BATCH, false);
    gyre_model_close(m);
    free(config);
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

/* "# cuDNN 91900": with another one, engines are others. */
static void version_line(char out[32]) {
    snprintf(out, 32, "# cuDNN %zu\n", cudnnGetVersion());
}

static const char golden_head[] =
    "# mode operation nxhxwxc filters stride pad groups | engine bytes-of-workspace notes "
    "engines-left\n"
    "# for h100 | h200 | a100; +: tensors are bf16 widened to f32, *: compiled at run time\n";

static void write_line(gpu_plans *const *devices, const job *j, FILE *out) {
    static const char *const kinds[] = {"conv", "conv_dx", "conv_dw"};
    const gyre_conv_shape *s = &j->op.shape;
    char notes[96];
    /* all networks here have the same strides and paddings in both directions */
    assert_true(s->stride_h == s->stride_w && s->pad_top == s->pad_left &&
                s->pad_top == s->pad_bottom && s->pad_top == s->pad_right && s->dilation_h == 1 &&
                s->dilation_w == 1);
    fprintf(out, "%s%s %s %dx%dx%dx%d %dx%dx%d s%d p%d", modes[j->mode].name,
            j->op.math == GPU_MATH_WIDENED ? "+" : "", kinds[j->op.kind], s->n, s->h, s->w, s->c,
            s->k, s->r, s->s, s->stride_h, s->pad_top);
    if (s->groups != 1) fprintf(out, " g%d", s->groups);
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
    char *golden = read_golden(), version[32];
    int wrong = 0;
    version_line(version);
    if (strncmp(golden, version, strlen(version)) != 0) {
        printf("not compared: this is %s%s was made with another one; PLANS=write makes it anew\n",
               version, GOLDEN);
        free(golden);
        return;
    }
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
    char version[32];
    version_line(version);
    fputs(version, out);
    fputs(golden_head, out);
    for (int d = 0; d < DEVICES; d++) OK(open_device(device_names[d], &devices[d]));
    for (int m = 0; m < MODES; m++) {
        for (int i = 0; i < BATCHES; i++) {
            if (!all && batches[i].n != USUAL_BATCH) continue;
            add_models(&list, m, batches[i].n, batches[i].evaluated_only, all);
        }
        if (all) add_stable_diffusion(&list, m);
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

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plans)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
