/* Nets as a whole: they learn, lanes do not change a bit, shards are added as the fixed tree, and
 * what is frozen stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"
#include <math.h>
#include <unistd.h>

/* Adam, since one rate then serves nets of very different scales. */
static void overfits(const char *name, int size, int channels, double lr, int steps) {
    rig r = rig_open((rig_options){.name = name,
                                   .size = size,
                                   .channels = channels,
                                   .classes = 10,
                                   .n = 8,
                                   .shards = 2,
                                   .lanes = 2});
    gyre_optimizer_settings settings = {
        .name = GYRE_OPTIMIZER_ADAM, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
    gyre_optimizer *optimizer;
    OK(gyre_optimizer_open(&settings, r.weights, 2, &optimizer));
    double first = rig_step(&r, optimizer, 0, lr, 0.9), loss = first;
    int t = 1;
    for (; t < steps && !(loss < 0.01); t++) loss = rig_step(&r, optimizer, t, lr, 0.9);
    printf("%-14s loss %.4f -> %.5f in %d steps\n", name, first, loss, t);
    assert_true(first > 1.5); /* near ln 10 at least, before it has seen the batch */
    assert_true(loss < 0.01);
    gyre_optimizer_close(optimizer);
    rig_close(&r);
}

static void every_model_overfits_a_batch(void **state) {
    (void)state;
    overfits("mlp", 8, 1, 0.01, 200);
    overfits("lenet", 16, 1, 0.002, 200);
    overfits("cifar10_quick", 16, 3, 0.003, 400);
    overfits("cifar10_full", 16, 3, 0.003, 400);
    overfits("small_cnn", 12, 1, 0.01, 200);
    overfits("resnet20", 8, 3, 0.01, 200);
    overfits("resnet32", 8, 3, 0.01, 200);
    overfits("resnet44", 8, 3, 0.01, 200);
    overfits("resnet56", 8, 3, 0.01, 200);
    overfits("resnet110", 8, 3, 0.01, 200);
}

static rig_options options(const char *name, int shards, int lanes) {
    return (rig_options){.name = name,
                         .size = 8,
                         .channels = 3,
                         .classes = 10,
                         .n = 4,
                         .shards = shards,
                         .lanes = lanes};
}

static size_t leaf_bytes(const rig *r) {
    return gyre_leaf_size(r->model) * sizeof(float);
}

static void check_lanes(rig_options o) {
    rig one = rig_open(o);
    float *expected = rig_leaf(&one);
    for (int lanes = 2; lanes <= 3; lanes++) {
        o.lanes = lanes;
        rig many = rig_open(o);
        float *leaf = rig_leaf(&many);
        assert_memory_equal(leaf, expected, leaf_bytes(&one));
        free(leaf);
        rig_close(&many);
    }
    free(expected);
    rig_close(&one);
}

static void lanes_change_no_bit(void **state) {
    (void)state;
    const char *const models[] = {"mlp", "cifar10_quick", "cifar10_full", "small_cnn", "resnet20"};
    for (size_t i = 0; i < sizeof models / sizeof models[0]; i++) {
        rig_options o = options(models[i], 8, 1);
        if (strncmp(models[i], "cifar10_", 8) == 0) o.size = 16;
        check_lanes(o);
    }
    rig_options o = options("layer_norm", 8, 1);
    o.build = rig_layer_norm;
    check_lanes(o);
    o.build = rig_group_norm;
    check_lanes(o);
    o.build = rig_attention;
    check_lanes(o);
}

/* Sum of leaves first..first+count-1 as the fixed tree adds them; count a power of two, of which
 * those from `end` on are missing. */
static void add_tree(float *const *leaves, int first, int count, int end, size_t n, float *sum) {
    if (count == 1) {
        memcpy(sum, leaves[first], n * sizeof *sum);
        return;
    }
    add_tree(leaves, first, count / 2, end, n, sum);
    if (first + count / 2 >= end) return;
    float *right = malloc(n * sizeof *right);
    add_tree(leaves, first + count / 2, count / 2, end, n, right);
    for (size_t i = 0; i < n; i++) sum[i] += right[i];
    free(right);
}

static void shards_are_added_as_a_tree(const char *model, int shards, int padded) {
    rig r = rig_open(options(model, shards, 3));
    size_t n = gyre_leaf_size(r.model), image = (size_t)(8 * 8 * 3);
    float *leaves[16], *expected = malloc(n * sizeof *expected);
    gyre_raw memory;
    OK(r.backend->ops->alloc(r.backend, n * sizeof(float), &memory));
    gyre_f32 device = (gyre_f32)(void *)memory;
    for (int i = 0; i < shards; i++) {
        gyre_batch shard = {.count = 4,
                            .images = r.images + (size_t)i * 4 * image,
                            .targets = r.labels + (ptrdiff_t)i * 4,
                            .target_values = 1};
        leaves[i] = malloc(n * sizeof(float));
        OK(gyre_net_train(r.net, r.backend->main, &shard, 1.0f / (float)(4 * shards), device,
                          NULL));
        OK(r.backend->ops->download(r.backend->main, leaves[i], device, n));
    }
    add_tree(leaves, 0, padded, shards, n, expected);
    for (int i = 0; i < 20; i++) { /* often, since lanes meet differently each time */
        float *leaf = rig_leaf(&r);
        assert_memory_equal(leaf, expected, leaf_bytes(&r));
        free(leaf);
    }
    for (int i = 0; i < shards; i++) free(leaves[i]);
    free(expected);
    r.backend->ops->release(r.backend, memory);
    rig_close(&r);
}

static void the_sum_is_the_fixed_tree(void **state) {
    (void)state;
    shards_are_added_as_a_tree("small_cnn", 8, 8);
    shards_are_added_as_a_tree("mlp", 1, 1);
    shards_are_added_as_a_tree("mlp", 16, 16);
    shards_are_added_as_a_tree("mlp", 13, 16);
}

/* A backend table that counts, and fails when told to. */
typedef struct {
    gyre_backend_ops ops;
    const gyre_backend_ops *real;
    int conv_dw, conv_dx, losses, fail_at;
} counting;

static counting counted; /* the table's functions get no context of their own */

static gyre_status count_conv_dw(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                                 gyre_f32 dw, gyre_f32 db) {
    __atomic_fetch_add(&counted.conv_dw, 1, __ATOMIC_RELAXED);
    return counted.real->conv_dw(q, s, x, dy, dw, db);
}

static gyre_status count_conv_dx(gyre_queue *q, const gyre_conv_shape *s, gyre_act dy,
                                 gyre_raw packed, gyre_act dx) {
    __atomic_fetch_add(&counted.conv_dx, 1, __ATOMIC_RELAXED);
    return counted.real->conv_dx(q, s, dy, packed, dx);
}

static gyre_status count_loss(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                              gyre_i32 labels, gyre_f32 weights, gyre_act dx, gyre_f32 stats) {
    if (__atomic_add_fetch(&counted.losses, 1, __ATOMIC_RELAXED) == counted.fail_at) {
        return gyre_fail(GYRE_EDEVICE, "told to fail");
    }
    return counted.real->softmax_loss(q, s, logits, labels, weights, dx, stats);
}

static void count_calls(rig *r, int fail_at) {
    counted = (counting){.ops = *r->backend->ops, .real = r->backend->ops, .fail_at = fail_at};
    counted.ops.conv_dw = count_conv_dw;
    counted.ops.conv_dx = count_conv_dx;
    counted.ops.softmax_loss = count_loss;
    r->backend->ops = &counted.ops;
}

static void a_failing_shard_stops_all(void **state) {
    (void)state;
    for (int at = 1; at <= 16; at++) {
        rig r = rig_open(options("mlp", 16, 3));
        gyre_f32 root;
        count_calls(&r, at);
        assert_int_equal(gyre_shards_run(r.shards, &r.batch, 1, &root), GYRE_EDEVICE);
        assert_string_equal(gyre_error_text(), "told to fail");
        OK(gyre_shards_run(r.shards, &r.batch, 1, &root)); /* and leaves nothing behind */
        OK(r.backend->ops->reduce_end(r.backend));
        rig_close(&r);
    }
}

/* A lane that has begun the first shard, and then is not scheduled for a while. */
typedef struct {
    gyre_task task;
    void *context;
} late;

static gyre_status late_task(void *context, gyre_queue *q, int index) {
    const late *l = context;
    if (index == 0) usleep(50000);
    return l->task(l->context, q, index);
}

static gyre_status late_parallel(gyre_backend *b, int n, gyre_task task, void *context) {
    late l = {task, context};
    return counted.real->parallel(b, n, late_task, &l);
}

/* The others must not take all leaves meanwhile: it would wait for ever. */
static void a_late_lane_gets_its_leaf(void **state) {
    (void)state;
    rig r = rig_open(options("mlp", 32, 3));
    float *expected = rig_leaf(&r);
    count_calls(&r, 0);
    counted.ops.parallel = late_parallel;
    float *leaf = rig_leaf(&r);
    assert_memory_equal(leaf, expected, leaf_bytes(&r));
    free(leaf);
    free(expected);
    rig_close(&r);
}

static bool frozen_at(const gyre_model *m, size_t i) {
    for (int g = 0; g < m->group_count; g++) {
        const gyre_param_group *group = &m->groups[g];
        if (i >= group->offset && i < group->offset + group->count) return group->frozen;
    }
    return false;
}

/* Trains some steps with `patterns` frozen: those keep every bit, the others change; and no
 * gradient is computed that no node needs. */
static void freezing(char **patterns, int count, int conv_dw, int conv_dx) {
    rig_options o = options("small_cnn", 2, 2);
    rig all = rig_open(o);
    o.freeze = patterns;
    o.freeze_count = count;
    rig r = rig_open(o);
    gyre_optimizer_settings settings = {.momentum = 0.9, .weight_decay = 0.1};
    gyre_optimizer *optimizer;
    OK(gyre_optimizer_open(&settings, r.weights, 2, &optimizer));
    float *expected = rig_leaf(&all);
    count_calls(&r, 0);
    float *leaf = rig_leaf(&r);
    assert_int_equal(counted.conv_dw, 2 * conv_dw);
    assert_int_equal(counted.conv_dx, 2 * conv_dx);
    for (int i = 0; i < r.model->param_count; i++) {
        const gyre_param *p = &r.model->params[i], *q = &all.model->params[i];
        for (size_t k = 0; k < p->count; k++) {
            float wanted = p->frozen ? 0 : expected[q->offset + k];
            assert_true(leaf[p->offset + k] == wanted);
        }
    }
    for (int t = 0; t < 3; t++) rig_step(&r, optimizer, t, 0.1, 0.9);
    float *after = malloc(r.model->parameters * sizeof *after);
    OK(r.backend->ops->download(r.backend->main, after, r.weights->parameters,
                                r.model->parameters));
    int changed = 0;
    for (size_t i = 0; i < r.model->parameters; i++) {
        if (frozen_at(r.model, i)) assert_memory_equal(&after[i], &r.parameters[i], sizeof *after);
        changed += after[i] != r.parameters[i];
    }
    assert_true(changed > 0);
    free(after);
    free(leaf);
    free(expected);
    gyre_optimizer_close(optimizer);
    rig_close(&all);
    rig_close(&r);
}

static void what_is_frozen_stays(void **state) {
    (void)state;
    char *stem[] = {(char[]){"conv1"}, (char[]){"bn1"}};
    char *body[] = {(char[]){"conv1"}, (char[]){"bn1"},   (char[]){"conv2"},
                    (char[]){"bn2"},   (char[]){"conv3"}, (char[]){"bn3"}};
    char *middle[] = {(char[]){"conv2.weight"}}, *half[] = {(char[]){"bn3.bias"}};
    freezing(NULL, 0, 3, 2); /* conv1's data gradient is that of the images */
    freezing(stem, 2, 2, 1);
    freezing(body, 6, 0, 0);
    freezing(middle, 1, 2, 2);
    freezing(half, 1, 3, 2);
}

/* 0.9 running + 0.1 (mean over shards), the leaf holding the sum over shards. */
static void running_statistics_follow_the_shards(void **state) {
    (void)state;
    rig r = rig_open(options("small_cnn", 4, 2));
    gyre_optimizer_settings settings = {.momentum = 0.9};
    gyre_optimizer *optimizer;
    gyre_statistic *s = r.model->statistics;
    for (int i = 2; i < 4; i++) s[i].momentum = 0.25f; /* of the second norm */
    OK(gyre_optimizer_open(&settings, r.weights, 4, &optimizer));
    float *leaf = rig_leaf(&r), *after = malloc(r.model->buffers * sizeof *after);
    rig_step(&r, optimizer, 0, 0.1, 0.9);
    OK(r.backend->ops->download(r.backend->main, after, r.weights->buffers, r.model->buffers));
    for (size_t i = 0; i < r.model->buffers; i++) {
        double sum = (double)leaf[gyre_leaf_moments(r.model) + i];
        while (i >= s->offset + s->count) s++;
        double m = (double)s->momentum, expected = (1 - m) * (double)r.buffers[i] + m * sum / 4;
        assert_true(fabs((double)after[i] - expected) < 1e-6 * fmax(1, fabs(expected)));
    }
    free(leaf);
    free(after);
    gyre_optimizer_close(optimizer);
    rig_close(&r);
}

/* Batches may be smaller than the net; the sums are those of the samples one by one. */
static void evaluation_counts_every_sample(void **state) {
    (void)state;
    rig r = rig_open(options("resnet20", 4, 1));
    gyre_net *net;
    gyre_raw memory;
    float all[2], one[2], logits[70], row[10];
    double sum = 0, right = 0;
    OK(gyre_net_open(r.weights, 9, 0, &net));
    OK(r.backend->ops->alloc(r.backend, sizeof all, &memory));
    gyre_f32 stats = (gyre_f32)(void *)memory;
    gyre_batch batch = r.batch;
    batch.count = 7;
    OK(gyre_net_evaluate(net, r.backend->main, &batch, stats));
    OK(r.backend->ops->download(r.backend->main, all, stats, 2));
    OK(gyre_net_logits(net, r.backend->main, logits));
    for (int i = 0; i < 7; i++) {
        gyre_batch sample = {.count = 1,
                             .images = r.images + (ptrdiff_t)i * 192,
                             .targets = r.labels + i,
                             .target_values = 1};
        OK(gyre_net_evaluate(net, r.backend->main, &sample, stats));
        OK(r.backend->ops->download(r.backend->main, one, stats, 2));
        OK(gyre_net_logits(net, r.backend->main, row));
        for (int k = 0; k < 10; k++) {
            assert_true(fabs((double)(row[k] - logits[i * 10 + k])) < 1e-4);
        }
        sum += (double)one[0];
        right += (double)one[1];
    }
    assert_true(fabs(sum - (double)all[0]) < 1e-5 * sum);
    assert_true(right == (double)all[1]);
    batch.count = 10;
    assert_int_equal(gyre_net_evaluate(net, r.backend->main, &batch, stats), GYRE_EDEVICE);
    r.backend->ops->release(r.backend, memory);
    gyre_net_close(net);
    rig_close(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_model_overfits_a_batch),
        cmocka_unit_test(lanes_change_no_bit),
        cmocka_unit_test(the_sum_is_the_fixed_tree),
        cmocka_unit_test(a_failing_shard_stops_all),
        cmocka_unit_test(a_late_lane_gets_its_leaf),
        cmocka_unit_test(what_is_frozen_stays),
        cmocka_unit_test(running_statistics_follow_the_shards),
        cmocka_unit_test(evaluation_counts_every_sample),
    };
    return RUN_IN_BOTH(tests, NULL, NULL);
}
