/* The zoo's ResNets, cifar10_quick and cifar10_full with PyTorch's weights, brought through h5py,
 * give PyTorch's loss, gradients, running statistics and loss curve. The numbers:
 * tests/data/torch/make_reference.py. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/checkpoint.h"
#include "rig.h"
#include <math.h>
#include <unistd.h>

enum { BATCHES = 5 };

/* As recipe.py has them. */
typedef struct {
    const char *name;
    int steps, batch, side;
    double rate, gradient_bound;
} recipe;

/* Of so many ReLUs some flip by rounding, which ones depends on the instruction set. Found:
 * elements of a gradient off by up to 0.01 of its root mean square; one in a wrong place would be
 * off by it. */
#define BOUND_OF_MANY_RELUS 5e-2

/* Relative, for gradients and the loss curve. The reference says how far PyTorch's own float32 run
 * drifts from its float64 run over the curve; the models and rates are chosen so that this, which
 * is what any two correct programs may differ by, is far below. */
#define BOUND 1e-4

/* The integer hash of recipe.py, and its images. */
static uint32_t mix(uint32_t x) {
    x = (x ^ x >> 16) * 0x7feb352du;
    x = (x ^ x >> 15) * 0x846ca68bu;
    return x ^ x >> 16;
}

static void load_batch(rig *r, int index) {
    uint8_t *pixel = r->images;
    const uint32_t count = (uint32_t)r->o.n, side = (uint32_t)r->o.size, edge = side / 4;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t sample = (uint32_t)index * count + i;
        r->labels[i] = (int32_t)(mix(sample + (1u << 26)) % 10);
        for (uint32_t at = 0; at < side * side * 3; at++) {
            uint32_t c = at % 3, x = at / 3 % side, y = at / 3 / side;
            uint32_t patch = mix(((sample * 4 + y / edge) * 4 + x / edge) * 3 + c + (1u << 24));
            uint32_t noise = mix(((sample * side + y) * side + x) * 3 + c + (1u << 25));
            *pixel++ = (uint8_t)(patch % 128 + noise % 128);
        }
    }
}

/* The reference file, line by line. */
typedef struct {
    char what[32], name[64];
    size_t index;
    double value;
} line;

static line *read_reference(const char *model, int *count) {
    char path[128];
    snprintf(path, sizeof path, "tests/data/torch/%s.txt", model);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    line *lines = NULL;
    line l;
    for (*count = 0; fscanf(f, "%31s %63s %zu %lf", l.what, l.name, &l.index, &l.value) == 4;) {
        if (*count % 1024 == 0) {
            line *more = realloc(lines, (size_t)(*count + 1024) * sizeof *lines);
            assert_non_null(more);
            lines = more;
        }
        lines[(*count)++] = l;
    }
    fclose(f);
    assert_true(*count > 0);
    return lines;
}

static double value_of(const line *lines, int count, const char *what, size_t index) {
    for (int i = 0; i < count; i++) {
        if (strcmp(lines[i].what, what) == 0 && lines[i].index == index) return lines[i].value;
    }
    fail_msg("the reference has no %s %zu", what, index);
    return 0;
}

static const gyre_param *param_named(const gyre_model *m, const char *name) {
    for (int i = 0; i < m->param_count; i++) {
        if (strcmp(m->params[i].name, name) == 0) return &m->params[i];
    }
    fail_msg("no parameter %s", name);
    return NULL;
}

/* Offset in the buffers of "bn1.running_mean" or "...running_var". */
static size_t buffer_named(const gyre_model *m, const char *name) {
    for (int i = 0; i < m->statistic_count; i++) {
        if (strcmp(m->statistics[i].name, name) == 0) return m->statistics[i].offset;
    }
    fail_msg("no buffer %s", name);
    return 0;
}

static void near(const char *what, const char *name, size_t index, double found, double expected,
                 double tolerance) {
    if (!(fabs(found - expected) <= tolerance)) {
        fail_msg("%s %s[%zu]: %.9g, PyTorch has %.9g (difference %.2g, allowed %.2g)", what, name,
                 index, found, expected, fabs(found - expected), tolerance);
    }
}

/* Relative: of a tensor's norm; of an element, relative to the root mean square of its tensor
 * where it is smaller than that, since elements near 0 are differences of large terms. */
static void check_gradients(const gyre_model *m, const float *leaf, const line *lines, int count,
                            double bound) {
    double rms = 0;
    int norms = 0, elements = 0;
    for (int i = 0; i < count; i++) {
        const line *l = &lines[i];
        if (strcmp(l->what, "gradient_norm") == 0) {
            const gyre_param *p = param_named(m, l->name);
            double sum = 0;
            for (size_t k = 0; k < p->count; k++) {
                sum += (double)leaf[p->offset + k] * (double)leaf[p->offset + k];
            }
            near(l->what, l->name, 0, sqrt(sum), l->value, bound * l->value);
            rms = l->value / sqrt((double)p->count);
            norms++;
        } else if (strcmp(l->what, "gradient") == 0) { /* follows its tensor's norm */
            const gyre_param *p = param_named(m, l->name);
            assert_true(l->index < p->count);
            double scale = fmax(fabs(l->value), rms);
            near(l->what, l->name, l->index, (double)leaf[p->offset + l->index], l->value,
                 bound * scale);
            elements++;
        }
    }
    assert_int_equal(norms, m->param_count);
    assert_true(elements >= 10 * norms);
}

static void check_buffers(rig *r, const line *lines, int count) {
    gyre_queue *main = r->backend->main;
    OK(r->backend->ops->download(main, r->buffers, r->weights->buffers, r->model->buffers));
    for (int i = 0; i < count; i++) {
        if (strcmp(lines[i].what, "buffer") != 0) continue;
        double found = (double)r->buffers[buffer_named(r->model, lines[i].name) + lines[i].index];
        near("buffer", lines[i].name, lines[i].index, found, lines[i].value,
             1e-5 * fmax(fabs(lines[i].value), 0.1));
    }
}

static void import_weights(rig *r) {
    char path[] = "/tmp/gyre-torch-XXXXXX", command[256];
    int file = mkstemp(path);
    gyre_snapshot s = {.parameters = r->parameters, .buffers = r->buffers};
    assert_true(file >= 0);
    close(file);
    snprintf(command, sizeof command,
             "PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 tests/data/torch/recipe.py %s %s",
             r->o.name, path);
    assert_int_equal(system(command), 0);
    OK(gyre_parameters_import(path, r->model, GYRE_NEED_PARAMETERS, GYRE_WEIGHTS_ANY, &s));
    unlink(path);
    rig_upload(r);
}

static rig open_model(const recipe *p) {
    rig r = rig_open((rig_options){.name = p->name,
                                   .size = p->side,
                                   .channels = 3,
                                   .classes = 10,
                                   .n = p->batch,
                                   .shards = 1,
                                   .lanes = 1});
    size_t values = (size_t)(p->side * p->side * 3);
    float *mean = malloc(values * sizeof *mean);
    for (size_t i = 0; i < values; i++) mean[i] = 127;
    OK(r.backend->ops->upload(r.backend->main, r.weights->mean, mean, values));
    free(mean);
    import_weights(&r);
    /* Images here are 1/64 of pixels: with Caffe's own alpha it would be too weak to be tested. */
    rig_scale_lrn(r.model, 64 * 64);
    return r;
}

/* Batch 0 in evaluation mode: its loss after the first step and after the last; its logits after
 * the first, where rounding has not been blown up yet. */
static void check_evaluation(rig *r, const line *lines, int count, bool early) {
    const int batch = r->o.n;
    float stats[2], logits[16 * 10];
    double largest = 0, worst = 0;
    gyre_raw memory;
    gyre_net *net;
    load_batch(r, 0);
    OK(gyre_net_open(r->weights, batch + 3, 0, &net)); /* room for more than are given */
    OK(r->backend->ops->alloc(r->backend, sizeof stats, &memory));
    gyre_f32 device = (gyre_f32)(void *)memory;
    OK(gyre_net_evaluate(net, r->backend->main, &r->batch, device));
    OK(r->backend->ops->download(r->backend->main, stats, device, 2));
    OK(gyre_net_logits(net, r->backend->main, logits));
    double expected = value_of(lines, count, "evaluation", !early);
    near("evaluation", "loss", !early, (double)stats[0] / batch, expected, BOUND * expected);
    for (int i = 0, at = 0; early && i < count; i++) {
        if (strcmp(lines[i].what, "logits") != 0) continue;
        largest = fmax(largest, fabs(lines[i].value));
        worst = fmax(worst, fabs((double)logits[at++] - lines[i].value));
    }
    if (early) {
        printf("logits differ by %.1e of %.3g\n", worst, largest);
        assert_true(largest > 0 && worst <= BOUND * largest);
    }
    r->backend->ops->release(r->backend, memory);
    gyre_net_close(net);
}

static void check_model(recipe p) {
    int count;
    line *lines = read_reference(p.name, &count);
    rig r = open_model(&p);
    assert_int_equal(r.model->count, (size_t)value_of(lines, count, "parameters", 0));
    gyre_optimizer_settings settings = {
        .name = GYRE_OPTIMIZER_SGD, .momentum = 0.9, .weight_decay = 1e-4};
    gyre_optimizer *optimizer;
    OK(gyre_optimizer_open(&settings, r.weights, 1, &optimizer));
    load_batch(&r, 0);
    float *leaf = rig_leaf(&r);
    double first = value_of(lines, count, "curve", 0), worst = 0;
    near("loss", "train", 0, (double)leaf[gyre_leaf_stats(r.model)], first, 1e-5 * first);
    check_gradients(r.model, leaf, lines, count, p.gradient_bound);
    free(leaf);
    const double drift = value_of(lines, count, "drift", 0);
    for (int t = 0; t < p.steps; t++) {
        load_batch(&r, t % BATCHES);
        double loss = rig_step(&r, optimizer, t, p.rate, 0.9);
        double expected = value_of(lines, count, "curve", (size_t)t);
        near("curve", "train", (size_t)t, loss, expected, BOUND * expected);
        worst = fmax(worst, fabs(loss - expected) / expected);
        if (t == 0) {
            check_buffers(&r, lines, count);
            check_evaluation(&r, lines, count, true);
        }
    }
    printf("%s: curve differs by %.1e, float32 PyTorch by %.1e\n", p.name, worst, drift);
    assert_true(drift < BOUND / 5);
    check_evaluation(&r, lines, count, false);
    gyre_optimizer_close(optimizer);
    rig_close(&r);
    free(lines);
}

static void resnet20_is_pytorchs(void **state) {
    (void)state;
    check_model((recipe){"resnet20", 50, 16, 32, 0.003, BOUND});
}

static void cifar10_quick_is_pytorchs(void **state) {
    (void)state;
    check_model((recipe){"cifar10_quick", 50, 16, 32, 0.003, BOUND});
}

static void cifar10_full_is_pytorchs(void **state) {
    (void)state;
    check_model((recipe){"cifar10_full", 50, 16, 32, 0.0015, BOUND});
}

static void resnet18_is_pytorchs(void **state) {
    (void)state;
    check_model((recipe){"resnet18", 3, 2, 64, 0.001, BOUND});
}

static void resnet50_is_pytorchs(void **state) {
    (void)state;
    check_model((recipe){"resnet50", 3, 2, 64, 0.0001, BOUND_OF_MANY_RELUS});
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resnet20_is_pytorchs),     cmocka_unit_test(cifar10_quick_is_pytorchs),
        cmocka_unit_test(cifar10_full_is_pytorchs), cmocka_unit_test(resnet18_is_pytorchs),
        cmocka_unit_test(resnet50_is_pytorchs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
