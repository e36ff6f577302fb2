/* Batch norm whose running statistics are frozen: of all nodes (model.batch_norm) or of one (its
 * option). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gradient_rig.h"

static void gradient_of_all_frozen(void **state) {
    (void)state;
    rig_options o = options("resnet20", 7, 3, 2);
    o.norm_frozen = true;
    check_gradient(o);
}

/* One that is frozen between two that are not, with a second input and ReLU. */
static void build_frozen_node(builder *b, int variant) {
    (void)variant;
    builder_style_he(b);
    int x = builder_node_of(b, "conv", "conv1", BUILDER_IMAGES,
                            BUILDER_OPTIONS({"channels", 5}, {"size", 3}));
    int first = builder_node_of(b, "batch_norm", "bn1", x, NULL);
    x = builder_node_of(b, "conv", "conv2", first,
                        BUILDER_OPTIONS({"channels", 5}, {"size", 3}, {"pad", 1}));
    x = builder_node(b, "batch_norm", "bn2", (const int[]){x, first}, 2,
                     BUILDER_OPTIONS({"frozen", 1}, {"relu", 1}));
    x = builder_node_of(b, "batch_norm", "bn3", x, NULL);
    builder_style_torch(b);
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", 10}));
}

static void gradient_of_one_frozen(void **state) {
    (void)state;
    rig_options o = options("frozen", 6, 3, 3);
    o.build = build_frozen_node;
    check_gradient(o);
}

static rig_options sharded(const char *name) {
    rig_options o = options(name, 8, 3, 4);
    o.shards = 2;
    return o;
}

static void frozen_batch_norm_is_a_constant(void **state) {
    (void)state;
    rig_options o = sharded("resnet20");
    o.norm_frozen = true;
    rig r = rig_open(o);
    gyre_optimizer_settings settings = {.momentum = 0.9};
    gyre_optimizer *optimizer;
    gyre_net *net;
    gyre_raw memory;
    float stats[2];
    OK(gyre_net_open(r.weights, 8, 0, &net));
    OK(r.backend->ops->alloc(r.backend, sizeof stats, &memory));
    OK(gyre_net_evaluate(net, r.backend->main, &r.batch, (gyre_f32)(void *)memory));
    OK(r.backend->ops->download(r.backend->main, stats, (gyre_f32)(void *)memory, 2));
    OK(gyre_optimizer_open(&settings, r.weights, 2, &optimizer));
    double loss = rig_step(&r, optimizer, 0, 0.01, 0.9);
    assert_true(fabs(loss - (double)stats[0] / 8) < 1e-5 * loss); /* as in evaluation */
    float *after = malloc(r.model->buffers * sizeof *after), *leaf = rig_leaf(&r);
    OK(r.backend->ops->download(r.backend->main, after, r.weights->buffers, r.model->buffers));
    assert_memory_equal(after, r.buffers, r.model->buffers * sizeof *after);
    for (size_t i = 0; i < r.model->buffers; i++) {
        assert_true(leaf[gyre_leaf_moments(r.model) + i] == 0);
    }
    free(after);
    free(leaf);
    r.backend->ops->release(r.backend, memory);
    gyre_optimizer_close(optimizer);
    gyre_net_close(net);
    rig_close(&r);
}

static void build_norms(builder *b, int variant) {
    (void)variant;
    int x = BUILDER_IMAGES;
    builder_style_torch(b);
    for (int i = 0; i < 3; i++) { /* the middle one is frozen */
        char name[16];
        snprintf(name, sizeof name, "bn%d", i);
        x = builder_node_of(b, "batch_norm", name, x,
                            BUILDER_OPTIONS({"frozen", i == 1}, {"relu", i == 1}));
    }
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", 10}));
}

/* Its statistics stay, those before and behind it follow the batch; its shift is trained. */
static void one_node_is_frozen(void **state) {
    (void)state;
    rig_options o = sharded("norms");
    o.build = build_norms;
    rig r = rig_open(o);
    const gyre_model *m = r.model;
    gyre_optimizer_settings settings = {.momentum = 0.9};
    gyre_optimizer *optimizer;
    OK(gyre_optimizer_open(&settings, r.weights, 2, &optimizer));
    rig_step(&r, optimizer, 0, 0.01, 0.9);
    float *after = malloc(m->buffers * sizeof *after), *leaf = rig_leaf(&r);
    float *weights = malloc(m->parameters * sizeof *weights);
    OK(r.backend->ops->download(r.backend->main, after, r.weights->buffers, m->buffers));
    OK(r.backend->ops->download(r.backend->main, weights, r.weights->parameters, m->parameters));
    for (int i = 0; i < m->statistic_count; i++) {
        const gyre_statistic *s = &m->statistics[i];
        bool stays = s->node == 1;
        assert_int_equal(s->frozen, stays);
        for (size_t k = s->offset; k < s->offset + s->count; k++) {
            assert_int_equal(after[k] == r.buffers[k], stays);
            assert_int_equal(leaf[gyre_leaf_moments(m) + k] == 0, stays);
        }
    }
    const gyre_param *shift = &m->params[m->nodes[1].params[1]];
    assert_true(weights[shift->offset] != r.parameters[shift->offset]);
    free(after);
    free(leaf);
    free(weights);
    gyre_optimizer_close(optimizer);
    rig_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradient_of_all_frozen),
        cmocka_unit_test(gradient_of_one_frozen),
        cmocka_unit_test(frozen_batch_norm_is_a_constant),
        cmocka_unit_test(one_node_is_frozen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
