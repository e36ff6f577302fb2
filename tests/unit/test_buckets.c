/* Buckets cover a leaf exactly once, are said to be complete neither too early nor later than need
 * be, and hold their final sums when their reduction begins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/model/buckets.h"
#include "../../src/model/leaf.h"
#include "rig.h"

enum { KIB = 1024, PIECES = 1024 };

/* ---- the plan alone */

static gyre_model *open_model(const char *name_, char **freeze, int freeze_count) {
    char name[64];
    snprintf(name, sizeof name, "%s", name_);
    gyre_model_settings settings = {.name = name, .freeze = freeze, .freeze_count = freeze_count};
    gyre_model *m = NULL;
    OK(gyre_model_open(&settings, 32, 32, 3, 10, &m));
    return m;
}

/* For each 16 floats of the leaf the node that completes them, from the model alone. */
static int *lines_of(const gyre_model *m) {
    size_t n = gyre_leaf_size(m) / 16;
    int *lines = malloc(n * sizeof *lines);
    for (size_t i = 0; i < n; i++) lines[i] = m->node_count;
    for (int i = 0; i < m->node_count; i++) {
        const int *params = m->nodes[i].params;
        for (int k = 0; k < GYRE_NODE_PARAMS; k++) {
            if (params[k] < 0) continue;
            const gyre_param *p = &m->params[params[k]];
            for (size_t at = p->offset / 16; at < (p->offset + p->count + 15) / 16; at++) {
                if (lines[at] == m->node_count) lines[at] = i; /* backward comes to it last */
            }
        }
    }
    return lines;
}

static int compare_offsets(const void *a, const void *b) {
    size_t x = ((const leaf_bucket *)a)->offset, y = ((const leaf_bucket *)b)->offset;
    return (x > y) - (x < y);
}

static int check_plan(const gyre_model *m, size_t first, size_t bytes) {
    leaf_bucket *b = NULL;
    int count = 0, *lines = lines_of(m);
    OK(buckets_plan(m, first, bytes, &b, &count));
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        int least = m->node_count;
        assert_true(b[i].count > 0 && b[i].offset % 16 == 0 && b[i].count % 16 == 0);
        assert_true(i == 0 || b[i].node <= b[i - 1].node);
        for (size_t at = b[i].offset / 16; at < (b[i].offset + b[i].count) / 16; at++) {
            if (lines[at] < least) least = lines[at];
        }
        assert_int_equal(b[i].node, least);
    }
    qsort(b, (size_t)count, sizeof *b, compare_offsets);
    size_t end = 0;
    for (int i = 0; i < count; i++) {
        assert_int_equal(b[i].offset, end);
        end += b[i].count;
    }
    assert_int_equal(end, gyre_leaf_size(m));
    free(b);
    free(lines);
    return count;
}

static void every_plan_covers_its_leaf(void **state) {
    (void)state;
    const size_t sizes[] = {64, 1000, 16 * KIB, 100 * KIB, BUCKET_FIRST, BUCKET_BYTES};
    for (int i = 0; gyre_model_name(i) != NULL; i++) {
        gyre_model *m = open_model(gyre_model_name(i), NULL, 0);
        for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
            check_plan(m, sizes[k], sizes[k]);
            check_plan(m, sizes[k], 3 * sizes[k]);
        }
        gyre_model_close(m);
    }
    char *middle[] = {(char[]){"layer2"}};
    gyre_model *m = open_model("resnet56", middle, 1);
    check_plan(m, 64, 64);
    check_plan(m, BUCKET_FIRST, BUCKET_BYTES);
    gyre_model_close(m);
}

/* By hand: conv1 (2400 weights), conv2 (25600), conv3 (51200), ip1 (65536), ip2 (640); their biases
 * of 32, 32, 64, 64 and 10 are a group of their own, behind. */
static void the_plan_of_cifar10_quick(void **state) {
    (void)state;
    gyre_model *m = open_model("cifar10_quick", NULL, 0);
    leaf_bucket *b = NULL;
    int count = 0;
    OK(buckets_plan(m, BUCKET_FIRST, BUCKET_BYTES, &b, &count));
    assert_int_equal(count, 1); /* 583 KB in all */
    assert_int_equal(b[0].node, 0);
    free(b);
    OK(buckets_plan(m, 100 * KIB, 320 * KIB, &b, &count));
    const size_t conv3 = 2400 + 25600, ip1 = conv3 + 51200, biases = ip1 + 65536 + 640;
    assert_int_equal(m->groups[1].offset, biases);
    assert_int_equal(count, 3);
    /* ip2 alone has not yet 100 KiB; ip1 and ip2 have */
    assert_int_equal(b[0].offset, ip1);
    assert_int_equal(b[0].count, 65536 + 640);
    assert_string_equal(m->nodes[b[0].node].name, "ip1");
    /* then up to 320 KiB, which all that is left does not reach */
    assert_int_equal(b[2].offset, 0);
    assert_int_equal(b[2].count, ip1);
    assert_int_equal(b[2].node, 0);
    /* biases and stats; as late as that, but cut before it */
    assert_int_equal(b[1].offset, biases);
    assert_int_equal(b[1].count, gyre_leaf_size(m) - biases);
    assert_int_equal(b[1].node, 0);
    free(b);
    gyre_model_close(m);
}

/* ---- while backward runs */

typedef struct {
    rig *r;
    gyre_f32 leaf;
    int next;          /* the layer that must be passed next */
    float **snapshots; /* the leaf when layer i was passed */
} listening;

static gyre_status listen(void *context, gyre_queue *q, int layer) {
    listening *l = context;
    size_t n = gyre_leaf_size(l->r->model);
    assert_int_equal(layer, l->next--);
    l->snapshots[layer] = malloc(n * sizeof(float));
    return q->backend->ops->download(q, l->snapshots[layer], l->leaf, n);
}

static void check_passing(rig_options o) {
    rig r = rig_open(o);
    const gyre_model *m = r.model;
    int layers = m->node_count, count = 0;
    size_t n = gyre_leaf_size(m);
    gyre_raw memory;
    leaf_piece *pieces = NULL;
    OK(r.backend->ops->alloc(r.backend, n * sizeof(float), &memory));
    listening l = {&r, (gyre_f32)(void *)memory, layers, NULL};
    l.snapshots = calloc((size_t)layers + 1, sizeof *l.snapshots);
    const gyre_net_listener listener = {listen, &l};
    OK(gyre_net_train(r.net, r.backend->main, &r.batch, 1, l.leaf, &listener));
    assert_int_equal(l.next, -1);
    OK(leaf_pieces(m, &pieces, &count));
    for (int i = 0; i < count; i++) {
        const leaf_piece *p = &pieces[i];
        size_t end = i + 1 < count ? pieces[i + 1].offset : n; /* with the gap behind it */
        for (int k = 0; k <= p->node; k++) {
            assert_memory_equal(l.snapshots[k] + p->offset, l.snapshots[0] + p->offset,
                                (end - p->offset) * sizeof(float));
        }
    }
    for (size_t i = 0; i < n; i++) assert_false(l.snapshots[0][i] != l.snapshots[0][i]);
    for (int i = 0; i <= layers; i++) free(l.snapshots[i]);
    free(l.snapshots);
    free(pieces);
    r.backend->ops->release(r.backend, memory);
    rig_close(&r);
}

static void what_was_passed_is_complete(void **state) {
    (void)state;
    char *stem[] = {(char[]){"conv1"}, (char[]){"bn1"}}, *bias[] = {(char[]){"bn3.bias"}};
    rig_options o = {.size = 8, .channels = 3, .classes = 10, .n = 4, .shards = 1, .lanes = 1};
    const char *const models[] = {"mlp", "small_cnn", "resnet20"};
    for (int i = 0; i < 3; i++) {
        o.name = models[i];
        check_passing(o);
    }
    o.norm_frozen = true;
    check_passing(o);
    o.norm_frozen = false;
    o.name = "small_cnn";
    o.freeze = stem;
    o.freeze_count = 2;
    check_passing(o);
    o.freeze = bias;
    o.freeze_count = 1;
    check_passing(o);
}

/* The weights of `a` are used again by `b`, behind it: they are complete when `a` is. */
static void build_shared(builder *b, int variant) {
    (void)variant;
    int x = builder_node_of(b, "linear", "a", BUILDER_IMAGES, BUILDER_OPTIONS({"out", 64}));
    builder_share(b, 0, 0);
    x = builder_node_of(b, "linear", "b", x, BUILDER_OPTIONS({"out", 64}));
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", 10}));
}

static void shared_parameters_close_at_their_first_use(void **state) {
    (void)state;
    rig_options o = {.name = "shared", .build = build_shared, .size = 8, .channels = 1};
    o.classes = 10;
    o.n = 4;
    o.shards = o.lanes = 1;
    rig r = rig_open(o);
    leaf_bucket *b = NULL;
    int count = 0;
    assert_string_equal(r.model->params[r.model->nodes[1].params[0]].name, "a.weight");
    assert_string_equal(r.model->params[r.model->nodes[1].params[1]].name, "b.bias");
    check_plan(r.model, 64, 64);
    OK(buckets_plan(r.model, 64, 64, &b, &count));
    for (int i = 0; i < count; i++) {
        if (b[i].offset == 0) assert_int_equal(b[i].node, 0);
    }
    free(b);
    rig_close(&r);
    check_passing(o);
}

/* A table that keeps what is given to reduce_begin, as a device may read it at once. */
static struct {
    gyre_backend_ops ops;
    const gyre_backend_ops *real;
    gyre_f32 begun[PIECES];
    size_t lengths[PIECES];
    float *content[PIECES];
    int count;
} kept;

static gyre_status keep_begun(gyre_backend *b, gyre_f32 x, size_t n) {
    assert_true(kept.count < PIECES);
    kept.begun[kept.count] = x;
    kept.lengths[kept.count] = n;
    kept.content[kept.count] = malloc(n * sizeof(float));
    OK(b->ops->download(b->main, kept.content[kept.count++], x, n));
    return kept.real->reduce_begin(b, x, n);
}

/* The same bits whether buckets go up the tree one by one or the leaf does as a whole. */
static void buckets_are_begun_complete(void **state) {
    (void)state;
    const int shards[] = {1, 2, 5, 8};
    for (int i = 0; i < 4; i++) {
        rig_options o = {.name = "resnet56",
                         .size = 8,
                         .channels = 3,
                         .classes = 10,
                         .n = 2,
                         .shards = shards[i],
                         .lanes = 1};
        rig one = rig_open(o);
        o.lanes = 2;
        rig two = rig_open(o);
        kept.real = one.backend->ops;
        kept.ops = *kept.real;
        kept.ops.reduce_begin = keep_begun;
        kept.count = 0;
        one.backend->ops = &kept.ops;
        float *leaf = rig_leaf(&one), *expected = rig_leaf(&two);
        size_t total = 0, n = gyre_leaf_size(one.model);
        assert_memory_equal(leaf, expected, n * sizeof *leaf);
        assert_true(kept.count > 1);
        for (int k = 0; k < kept.count; k++) {
            float *now = malloc(kept.lengths[k] * sizeof *now);
            OK(kept.real->download(one.backend->main, now, kept.begun[k], kept.lengths[k]));
            assert_memory_equal(now, kept.content[k], kept.lengths[k] * sizeof *now);
            total += kept.lengths[k];
            free(now);
            free(kept.content[k]);
        }
        assert_int_equal(total, n);
        free(leaf);
        free(expected);
        rig_close(&one);
        rig_close(&two);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_plan_covers_its_leaf),
        cmocka_unit_test(the_plan_of_cifar10_quick),
        cmocka_unit_test(what_was_passed_is_complete),
        cmocka_unit_test(shared_parameters_close_at_their_first_use),
        cmocka_unit_test(buckets_are_begun_complete),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
