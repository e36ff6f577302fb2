/* Whole nets in bf16 beside the same nets in f32, whose gradients are held against finite
 * differences elsewhere (as every operation in bf16 is against a reference). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"
#include <math.h>

typedef struct {
    rig wide, narrow; /* f32 and bf16 */
} pair;

static pair pair_open(rig_options o) {
    pair p;
    precision = GYRE_PRECISION_F32;
    p.wide = rig_open(o);
    precision = GYRE_PRECISION_BF16;
    p.narrow = rig_open(o);
    return p;
}

static void pair_close(pair *p) {
    rig_close(&p->wide);
    rig_close(&p->narrow);
}

static rig_options options(const char *name, int size, int channels, int shards) {
    return (rig_options){.name = name,
                         .size = size,
                         .channels = channels,
                         .classes = 10,
                         .n = 32,
                         .shards = shards,
                         .lanes = shards};
}

/* Caffe's own start is so small that gradients of the first layers are next to nothing. */
static void spread_out(rig *r) {
    if (strncmp(r->o.name, "cifar10_", 8) != 0) return;
    for (size_t i = 0; i < r->model->parameters; i++) {
        r->parameters[i] *= i < 2400 ? 500.0f : 3.0f;
    }
    rig_upload(r);
}

static double distance(const float *a, const float *b, const gyre_param *p) {
    double sum = 0;
    for (size_t i = p->offset; i < p->offset + p->count; i++) {
        double d = (double)a[i] - (b == NULL ? 0 : (double)b[i]);
        sum += d * d;
    }
    return sqrt(sum);
}

/* Rounding moves an activation by up to 2^-8 of it, so a ReLU passes or stops about 2^-8 of the
 * units that it would not in f32. Each such unit counts wholly in a gradient, whose norm then is
 * off by the root, 2^-4, and by that times the root of their number behind several ReLUs. Found: up
 * to half as much again for the short vectors of a batch norm; a term left out or put in a wrong
 * place would be some hundred per cent. */
static void the_gradient_follows(const char *name, int size, int channels) {
    pair p = pair_open(options(name, size, channels, 1));
    const gyre_model *m = p.wide.model;
    spread_out(&p.wide);
    spread_out(&p.narrow);
    float *want = rig_leaf(&p.wide), *have = rig_leaf(&p.narrow);
    int relus = 0;
    for (int i = 0; i < m->node_count; i++) {
        relus += node_option_value(&m->nodes[i], "relu") == 1;
    }
    for (int i = 0; i < m->param_count; i++) {
        double error = distance(have, want, &m->params[i]),
               norm = distance(want, NULL, &m->params[i]);
        if (!(error <= 2 * 0x1p-4 * sqrt(relus + 1) * norm)) {
            fail_msg("%s %s: the gradient of norm %g is off by %g", name, m->params[i].name, norm,
                     error);
        }
    }
    double loss = (double)want[gyre_leaf_stats(m)], other = (double)have[gyre_leaf_stats(m)];
    assert_true(fabs(other - loss) <= 0x1p-8 * loss);
    free(want);
    free(have);
    pair_close(&p);
}

static void gradients_follow_those_of_f32(void **state) {
    (void)state;
    the_gradient_follows("mlp", 8, 1);
    the_gradient_follows("lenet", 17, 1);
    the_gradient_follows("cifar10_quick", 16, 3);
    the_gradient_follows("cifar10_full", 16, 3);
    the_gradient_follows("small_cnn", 12, 1);
    the_gradient_follows("resnet20", 16, 3);
    the_gradient_follows("resnet18", 32, 3);
}

/* What rounding adds to each step's gradient has no direction of its own, so that the losses stay
 * together: found 2^-10 of the first one, of which eight times as much are allowed. */
static void the_loss_follows(const char *name, int size, int channels, double lr) {
    pair p = pair_open(options(name, size, channels, 2));
    gyre_optimizer_settings settings = {.momentum = 0.9};
    gyre_optimizer *wide, *narrow;
    double first = 0, loss = 0;
    OK(gyre_optimizer_open(&settings, p.wide.weights, 2, &wide));
    OK(gyre_optimizer_open(&settings, p.narrow.weights, 2, &narrow));
    for (int t = 0; t < 50; t++) {
        loss = rig_step(&p.wide, wide, t, lr, 0.9);
        double other = rig_step(&p.narrow, narrow, t, lr, 0.9);
        if (t == 0) first = loss;
        if (!(fabs(other - loss) <= 0x1p-7 * first)) {
            fail_msg("%s, step %d: loss %g, in f32 %g", name, t, other, loss);
        }
    }
    assert_true(loss < 0.9 * first);
    gyre_optimizer_close(wide);
    gyre_optimizer_close(narrow);
    pair_close(&p);
}

static void losses_follow_those_of_f32(void **state) {
    (void)state;
    the_loss_follows("mlp", 8, 1, 0.005);
    the_loss_follows("lenet", 17, 1, 0.001);
    the_loss_follows("small_cnn", 12, 1, 0.01);
    the_loss_follows("resnet20", 16, 3, 0.01);
}

/* An odd number of logits fills its last word by half. They must be those that the loss is of. */
static void logits_come_whole(void **state) {
    (void)state;
    rig_options o = options("small_cnn", 12, 1, 1);
    o.classes = 7;
    pair p = pair_open(o);
    for (int count = 1; count <= 4; count++) {
        float logits[2][4 * 7];
        rig *rigs[] = {&p.wide, &p.narrow};
        for (int i = 0; i < 2; i++) {
            rig *r = rigs[i];
            gyre_net *net;
            gyre_raw stats;
            gyre_batch batch = r->batch;
            batch.count = count;
            OK(gyre_net_open(r->weights, 4, 0, &net));
            OK(r->backend->ops->alloc(r->backend, 2 * sizeof(float), &stats));
            OK(gyre_net_evaluate(net, r->backend->main, &batch, (gyre_f32)(void *)stats));
            OK(gyre_net_logits(net, r->backend->main, logits[i]));
            r->backend->ops->release(r->backend, stats);
            gyre_net_close(net);
        }
        for (int i = 0; i < count * 7; i++) { /* a handful of roundings, of numbers about 1 */
            assert_true(fabs((double)logits[0][i] - (double)logits[1][i]) <= 0x1p-5);
        }
    }
    pair_close(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gradients_follow_those_of_f32),
        cmocka_unit_test(losses_follow_those_of_f32),
        cmocka_unit_test(logits_come_whole),
    };
    if (!switch_to_bf16()) return 77;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
