/* The zoo's layer lists, the layout of the flat vector, initial weights, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/model/node.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gyre_model *open_model(const char *name, int size, int c, int classes) {
    char copy[64];
    snprintf(copy, sizeof copy, "%s", name);
    gyre_model_settings settings = {.name = copy};
    gyre_model *m = NULL;
    assert_int_equal(gyre_model_open(&settings, size, size, c, classes, &m), GYRE_OK);
    return m;
}

static const gyre_node *node(const gyre_model *m, const char *name) {
    for (int i = 0; i < m->node_count; i++) {
        if (strcmp(m->nodes[i].name, name) == 0) return &m->nodes[i];
    }
    fail_msg("%s has no node %s", m->name, name);
    return NULL;
}

static bool has_relu(const gyre_node *n) {
    return node_option_value(n, "relu") == 1;
}

static bool is_max(const gyre_node *n) {
    return strcmp(n->type->name, "max_pool") == 0;
}

static const gyre_param *param(const gyre_model *m, const char *name) {
    for (int i = 0; i < m->param_count; i++) {
        if (strcmp(m->params[i].name, name) == 0) return &m->params[i];
    }
    fail_msg("%s has no parameter %s", m->name, name);
    return NULL;
}

static void parameters_are_counted(void **state) {
    (void)state;
    /* ResNets: PyTorch's count of the same nets (option A, final layer with bias) */
    const struct {
        const char *name;
        int size, c;
        size_t count;
    } known[] = {{"lenet", 28, 1, 431080},       {"cifar10_quick", 32, 3, 145578},
                 {"cifar10_full", 32, 3, 89578}, {"resnet20", 32, 3, 269722},
                 {"resnet32", 32, 3, 464154},    {"resnet44", 32, 3, 658586},
                 {"resnet56", 32, 3, 853018},    {"wide_resnet28_10", 32, 3, 36479194},
                 {"densenet40", 32, 3, 1019722}, {"resnet110", 32, 3, 1727962},
                 {"vit", 32, 3, 2693194}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        gyre_model *m = open_model(known[i].name, known[i].size, known[i].c, 10);
        assert_int_equal(m->count, known[i].count);
        gyre_model_close(m);
    }
    const struct {
        const char *name;
        size_t count;
    } torchvision[] = {
        {"resnet18", 11689512},    {"resnet34", 21797672},       {"resnet50", 25557032},
        {"resnet101", 44549160},   {"vgg16_bn", 138365992},      {"densenet121", 7978856},
        {"mobilenet_v2", 3504872}, {"efficientnet_b0", 5288548}, {"convnext_tiny", 28589128}};
    for (size_t i = 0; i < sizeof torchvision / sizeof torchvision[0]; i++) {
        gyre_model *m = open_model(torchvision[i].name, 224, 3, 1000);
        if (m->count != torchvision[i].count)
            fail_msg("%s has %zu parameters, not %zu", m->name, m->count, torchvision[i].count);
        gyre_model_close(m);
    }
}

static void shape_is(const gyre_model *m, const char *name, int h, int w, int c) {
    const gyre_node *l = node(m, name);
    if (l->h != h || l->w != w || l->c != c) {
        fail_msg("%s is %d x %d x %d, not %d x %d x %d", name, l->h, l->w, l->c, h, w, c);
    }
}

static void layers_have_their_shapes(void **state) {
    (void)state;
    gyre_model *m = open_model("cifar10_quick", 32, 3, 10);
    shape_is(m, "conv1", 32, 32, 32);
    shape_is(m, "pool1", 16, 16, 32); /* rounded up: 15 otherwise */
    shape_is(m, "pool2", 8, 8, 32);
    shape_is(m, "pool3", 4, 4, 64);
    assert_int_equal(param(m, "ip1.weight")->dims[1], 1024);
    assert_false(has_relu(node(m, "ip1")));
    assert_int_equal(node(m, "relu1")->inputs[0], node(m, "pool1") - m->nodes);
    gyre_model_close(m);
    m = open_model("cifar10_full", 32, 3, 10);
    shape_is(m, "norm1", 16, 16, 32);
    shape_is(m, "norm2", 8, 8, 32);
    shape_is(m, "pool3", 4, 4, 64);
    assert_int_equal(m->node_count, 10);
    assert_int_equal(param(m, "ip1.weight")->dims[1], 1024);
    assert_true(has_relu(node(m, "norm1")) && !has_relu(node(m, "norm2"))); /* conv2 has its own */
    assert_false(has_relu(node(m, "conv1")));
    assert_true(has_relu(node(m, "conv2")) && has_relu(node(m, "conv3")) &&
                !has_relu(node(m, "ip1")));
    assert_true(is_max(node(m, "pool1")) && !is_max(node(m, "pool2")) && !is_max(node(m, "pool3")));
    for (int i = 1; i < m->node_count; i++) assert_int_equal(m->nodes[i].inputs[0], i - 1);
    gyre_model_close(m);
    m = open_model("resnet20", 32, 3, 100);
    shape_is(m, "layer1.2.bn2", 32, 32, 16);
    shape_is(m, "layer2.0.bn1", 16, 16, 32);
    shape_is(m, "layer3.0.shortcut", 8, 8, 64);
    shape_is(m, "pool", 1, 1, 64);
    shape_is(m, "fc", 1, 1, 100);
    assert_int_equal(node(m, "layer1.1.bn2")->inputs[1], node(m, "layer1.0.bn2") - m->nodes);
    assert_int_equal(node(m, "layer2.0.bn2")->inputs[1], node(m, "layer2.0.shortcut") - m->nodes);
    gyre_model_close(m);
}

static void large_resnets_have_torchvisions_shapes(void **state) {
    (void)state;
    gyre_model *m = open_model("resnet18", 224, 3, 1000);
    shape_is(m, "conv1", 112, 112, 64);
    shape_is(m, "maxpool", 56, 56, 64);
    shape_is(m, "layer2.0.downsample.1", 28, 28, 128);
    shape_is(m, "avgpool", 1, 1, 512);
    assert_false(has_relu(node(m, "layer2.0.downsample.1")));
    assert_int_equal(node(m, "layer2.0.bn2")->inputs[1],
                     node(m, "layer2.0.downsample.1") - m->nodes);
    assert_int_equal(node(m, "layer1.0.bn2")->inputs[1], node(m, "maxpool") - m->nodes);
    gyre_model_close(m);
    m = open_model("resnet50", 64, 3, 10);
    shape_is(m, "layer1.0.conv1", 16, 16, 64);
    shape_is(m, "layer1.0.downsample.0", 16, 16, 256);
    shape_is(m, "layer2.0.conv1", 16, 16, 128); /* the stride is the 3x3's */
    shape_is(m, "layer2.0.conv2", 8, 8, 128);
    shape_is(m, "layer4.2.bn3", 2, 2, 2048);
    gyre_model_close(m);
}

/* Every parameter lies in the one group of its multipliers, in layer order, and nowhere else. */
static void the_layout_covers_each_parameter_once(void **state) {
    (void)state;
    for (int k = 0; gyre_model_name(k) != NULL; k++) {
        gyre_model *m = open_model(gyre_model_name(k), 32, 3, 10);
        size_t at = 0;
        int seen = 0;
        for (int g = 0; g < m->group_count; g++) {
            assert_int_equal(m->groups[g].offset, at);
            for (int i = 0; i < m->param_count; i++) {
                const gyre_param *p = &m->params[i];
                if (p->lr_mult != m->groups[g].lr_mult) continue;
                if (p->decay_mult != m->groups[g].decay_mult) continue;
                assert_int_equal(p->offset, at);
                at += (p->count + 15) / 16 * 16;
                seen++;
            }
            assert_int_equal(m->groups[g].offset + m->groups[g].count, at);
        }
        assert_int_equal(m->parameters, at);
        assert_int_equal(seen, m->param_count);
        gyre_model_close(m);
    }
    gyre_model *m = open_model("cifar10_quick", 32, 3, 10);
    assert_int_equal(m->group_count, 2); /* weights, and biases at twice the rate */
    assert_true(param(m, "ip2.bias")->lr_mult == 2 && param(m, "ip2.weight")->lr_mult == 1);
    gyre_model_close(m);
}

/* cifar10_full_train_test.prototxt: each layer's `param` blocks; conv3 has none. */
static void caffes_multipliers(void **state) {
    (void)state;
    static const struct {
        const char *name;
        float lr, decay;
    } known[] = {{"conv1.weight", 1, 1}, {"conv1.bias", 2, 1},   {"conv2.weight", 1, 1},
                 {"conv2.bias", 2, 1},   {"conv3.weight", 1, 1}, {"conv3.bias", 1, 1},
                 {"ip1.weight", 1, 250}, {"ip1.bias", 2, 0}};
    gyre_model *m = open_model("cifar10_full", 32, 3, 10);
    assert_int_equal(m->param_count, sizeof known / sizeof known[0]);
    assert_int_equal(m->group_count, 4);
    for (int i = 0; i < m->param_count; i++) {
        const gyre_param *p = param(m, known[i].name);
        assert_true(p->lr_mult == known[i].lr && p->decay_mult == known[i].decay);
    }
    gyre_model_close(m);
}

/* Deviation of a parameter's values, held against `expected` by 5 standard errors (of a normal's
 * deviation; a uniform's is smaller). */
static void spread_is(const gyre_model *m, const float *values, const char *name, double expected) {
    const gyre_param *p = param(m, name);
    double sum = 0, squares = 0, n = (double)p->count;
    for (size_t i = 0; i < p->count; i++) {
        double x = (double)values[p->offset + i];
        sum += x;
        squares += x * x;
    }
    double deviation = sqrt(squares / n);
    assert_true(fabs(sum / n) < 5 * expected / sqrt(n));
    assert_true(fabs(deviation - expected) < 5 * expected / sqrt(2 * n));
}

static float *initial(const gyre_model *m, uint64_t seed) {
    float *values = malloc((m->parameters + m->buffers) * sizeof *values);
    memset(values, 0xff, (m->parameters + m->buffers) * sizeof *values);
    gyre_model_init(m, seed, values, values + m->parameters);
    return values;
}

static void initial_weights_have_their_spread(void **state) {
    (void)state;
    gyre_model *m = open_model("cifar10_quick", 32, 3, 10);
    float *x = initial(m, 3);
    spread_is(m, x, "conv1.weight", 1e-4);
    spread_is(m, x, "conv2.weight", 0.01);
    spread_is(m, x, "conv3.weight", 0.01);
    spread_is(m, x, "ip1.weight", 0.1);
    for (int i = 0; i < 32; i++) assert_true(x[param(m, "conv1.bias")->offset + (size_t)i] == 0);
    free(x);
    gyre_model_close(m);
    m = open_model("cifar10_full", 32, 3, 10);
    x = initial(m, 3);
    spread_is(m, x, "conv1.weight", 1e-4);
    spread_is(m, x, "conv2.weight", 0.01);
    spread_is(m, x, "conv3.weight", 0.01);
    spread_is(m, x, "ip1.weight", 0.01);
    for (int i = 0; i < 10; i++) assert_true(x[param(m, "ip1.bias")->offset + (size_t)i] == 0);
    free(x);
    gyre_model_close(m);
    m = open_model("lenet", 28, 1, 10);
    x = initial(m, 3);
    spread_is(m, x, "ip1.weight", sqrt(1.0 / 800)); /* uniform of half width sqrt(3 / 800) */
    free(x);
    gyre_model_close(m);
    m = open_model("resnet20", 32, 3, 10);
    x = initial(m, 3);
    spread_is(m, x, "conv1.weight", sqrt(2.0 / (16 * 9)));
    spread_is(m, x, "layer2.0.conv1.weight", sqrt(2.0 / (32 * 9))); /* fan out, not in */
    for (int i = 0; i < 16; i++) {
        assert_true(x[param(m, "bn1.weight")->offset + (size_t)i] == 1);
        assert_true(x[param(m, "bn1.bias")->offset + (size_t)i] == 0);
        assert_true(x[m->parameters + node(m, "bn1")->statistics + (size_t)i] == 0);
        assert_true(x[m->parameters + node(m, "bn1")->statistics + 16 + (size_t)i] == 1);
    }
    free(x);
    gyre_model_close(m);
}

static void initial_weights_are_keyed(void **state) {
    (void)state;
    gyre_model *small = open_model("resnet20", 32, 3, 10);
    gyre_model *large = open_model("resnet110", 32, 3, 100);
    float *a = initial(small, 5), *b = initial(large, 5), *c = initial(small, 6);
    const gyre_param *p = param(small, "layer2.1.conv1.weight");
    const gyre_param *q = param(large, "layer2.1.conv1.weight");
    const gyre_param *other = param(small, "layer2.1.conv2.weight");
    assert_true(p->offset != q->offset);
    size_t bytes = p->count * sizeof(float);
    assert_memory_equal(a + p->offset, b + q->offset, bytes); /* by name, not by place */
    assert_memory_not_equal(a + p->offset, c + p->offset, bytes);
    assert_memory_not_equal(a + p->offset, a + other->offset, bytes);
    for (size_t i = 0; i < small->parameters; i++) assert_true(isfinite(a[i])); /* the gaps too */
    free(a);
    free(b);
    free(c);
    gyre_model_close(small);
    gyre_model_close(large);
}

static int frozen_by(const char *pattern) {
    char copy[64], *list[] = {copy}, name[] = "resnet20";
    snprintf(copy, sizeof copy, "%s", pattern);
    gyre_model_settings settings = {.name = name, .freeze = list, .freeze_count = 1};
    gyre_model *m = NULL;
    if (gyre_model_open(&settings, 32, 32, 3, 10, &m) != GYRE_OK) return -1;
    int count = 0;
    for (int i = 0; i < m->param_count; i++) count += m->params[i].frozen;
    size_t frozen_floats = 0;
    for (int g = 0; g < m->group_count; g++) {
        if (m->groups[g].frozen) frozen_floats += m->groups[g].count;
    }
    assert_true(frozen_floats > 0 && frozen_floats < m->parameters);
    gyre_model_close(m);
    return count;
}

static void parameters_are_frozen_by_name_or_prefix(void **state) {
    (void)state;
    assert_int_equal(frozen_by("conv1"), 1); /* not layer1.0.conv1 */
    assert_int_equal(frozen_by("conv1.weight"), 1);
    assert_int_equal(frozen_by("bn1"), 2);
    assert_int_equal(frozen_by("layer1."), 18);
    assert_int_equal(frozen_by("layer1"), 18);
    assert_int_equal(frozen_by("layer1.0.bn1.bias"), 1);
    assert_int_equal(frozen_by("conv"), -1);
    assert_int_equal(frozen_by(""), -1);
    assert_int_equal(frozen_by("layr1.0.conv1.weight"), -1);
    assert_non_null(strstr(gyre_error_text(), "\"layer1.0.conv1.weight\""));
}

static void refused(const char *name, int h, int w, int classes, const char *says) {
    char copy[64];
    snprintf(copy, sizeof copy, "%s", name);
    gyre_model_settings settings = {.name = copy};
    gyre_model *m = NULL;
    assert_int_equal(gyre_model_open(&settings, h, w, 3, classes, &m), GYRE_EUSAGE);
    if (strstr(gyre_error_text(), says) == NULL) fail_msg("%s", gyre_error_text());
}

static void what_cannot_be_is_refused(void **state) {
    (void)state;
    refused("resnet21", 32, 32, 10, "did you mean \"resnet20\"");
    refused("vgg16", 32, 32, 10, "unknown model \"vgg16\"; there are small_cnn");
    refused("", 32, 32, 10, "there are small_cnn");
    refused("lenet", 10, 10, 10, "conv2");
    refused("mlp", 8, 8, 1, "classes");
    char *all[] = {(char[]){"fc1"}, (char[]){"fc2"}, (char[]){"fc3"}}, name[] = "mlp";
    gyre_model_settings settings = {.name = name, .freeze = all, .freeze_count = 3};
    gyre_model *m = NULL;
    assert_int_equal(gyre_model_open(&settings, 8, 8, 1, 10, &m), GYRE_EUSAGE);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parameters_are_counted),
        cmocka_unit_test(layers_have_their_shapes),
        cmocka_unit_test(large_resnets_have_torchvisions_shapes),
        cmocka_unit_test(the_layout_covers_each_parameter_once),
        cmocka_unit_test(caffes_multipliers),
        cmocka_unit_test(initial_weights_have_their_spread),
        cmocka_unit_test(initial_weights_are_keyed),
        cmocka_unit_test(parameters_are_frozen_by_name_or_prefix),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
