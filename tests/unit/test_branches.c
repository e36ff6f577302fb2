/* Shards on branches: the same tree of additions as on lanes, and the order that a device which
 * works side by side needs, told from the calls alone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"

/* What a queue has seen of another: how many of its operations. A mark keeps what its queue had
 * seen, itself included; who follows it has seen that as well. */
enum { QUEUES = 9, MAIN = QUEUES - 1, MARKS = 256, GRADIENTS = 512 };

static struct {
    gyre_backend_ops ops;
    const gyre_backend_ops *real;
    int branches;
    int seen[QUEUES][QUEUES];
    int marks[MARKS][QUEUES];
    bool marked[MARKS];
    /* who touched the gradient at this address last */
    struct {
        uintptr_t gradient;
        int queue, at;
    } writes[GRADIENTS];
    int write_count, reductions;
} order;

static int place_of(const gyre_queue *q) {
    return q->lane < 0 ? MAIN : q->lane;
}

static gyre_status open_branches(gyre_backend *b, int wanted, size_t bytes, int *count) {
    (void)b;
    assert_true(bytes > 0);
    *count = wanted < order.branches ? wanted : order.branches;
    return GYRE_OK;
}

static gyre_status mark(gyre_queue *q, int number) {
    int p = place_of(q);
    assert_in_range(number, 0, MARKS - 1);
    order.seen[p][p]++;
    memcpy(order.marks[number], order.seen[p], sizeof order.marks[number]);
    order.marked[number] = true;
    return GYRE_OK;
}

static gyre_status follow(gyre_queue *after, int number) {
    int p = place_of(after);
    assert_true(order.marked[number]);
    for (int k = 0; k < QUEUES; k++) {
        if (order.marks[number][k] > order.seen[p][k]) order.seen[p][k] = order.marks[number][k];
    }
    return GYRE_OK;
}

/* Whoever touched it last must have been seen. */
static void touch(const gyre_queue *q, int i) {
    int p = place_of(q), before = order.writes[i].queue;
    order.seen[p][p]++;
    if (order.branches > 1) assert_true(order.seen[p][before] >= order.writes[i].at);
    order.writes[i].queue = p;
    order.writes[i].at = order.seen[p][p];
}

static void touch_all(const gyre_queue *q, gyre_f32 x, size_t n) {
    uintptr_t begin = (uintptr_t)x, end = begin + n * sizeof(float);
    for (int i = 0; i < order.write_count; i++) {
        if (order.writes[i].gradient >= begin && order.writes[i].gradient < end) touch(q, i);
    }
}

static gyre_status conv_dw(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                           gyre_f32 dw, gyre_f32 db) {
    int i = 0;
    while (i < order.write_count && order.writes[i].gradient != (uintptr_t)dw) i++;
    assert_in_range(i, 0, GRADIENTS - 1);
    order.writes[i].gradient = (uintptr_t)dw;
    if (i == order.write_count) order.write_count++;
    touch(q, i);
    return order.real->conv_dw(q, s, x, dy, dw, db);
}

static gyre_status add(gyre_queue *q, size_t n, gyre_f32 a, gyre_f32 b, gyre_f32 y) {
    touch_all(q, a, n);
    touch_all(q, b, n);
    return order.real->add(q, n, a, b, y);
}

static gyre_status reduce_begin(gyre_backend *b, gyre_f32 x, size_t n) {
    order.reductions++;
    touch_all(b->main, x, n);
    return order.real->reduce_begin(b, x, n);
}

/* Nothing runs on lanes that could as well be on branches. */
static gyre_status parallel(gyre_backend *b, int n, gyre_task task, void *context) {
    assert_true(order.branches == 1);
    return order.real->parallel(b, n, task, context);
}

static const gyre_backend_ops *wrap(const gyre_backend_ops *real) {
    order.ops = *real;
    order.real = real;
    order.ops.open_branches = open_branches;
    order.ops.mark = mark;
    order.ops.follow = follow;
    order.ops.conv_dw = conv_dw;
    order.ops.add = add;
    order.ops.reduce_begin = reduce_begin;
    order.ops.parallel = parallel;
    return &order.ops;
}

/* The leaf of so many shards on so many branches, twice: leaves are used again. */
static float *leaf_of(int shards, int branches, size_t *bytes) {
    rig_options o = {.name = "resnet20",
                     .size = 8,
                     .channels = 3,
                     .classes = 10,
                     .n = 2,
                     .shards = shards,
                     .lanes = branches,
                     .wrap = wrap};
    memset(&order, 0, sizeof order);
    order.branches = branches;
    rig r = rig_open(o);
    assert_int_equal(gyre_net_branches(r.net), shards < branches ? shards : branches);
    free(rig_leaf(&r));
    float *leaf = rig_leaf(&r);
    *bytes = gyre_leaf_size(r.model) * sizeof *leaf;
    rig_close(&r);
    return leaf;
}

static void branches_change_no_bit(void **state) {
    const int shards[] = {2, 3, 4, 5, 6, 8};
    (void)state;
    for (size_t i = 0; i < sizeof shards / sizeof *shards; i++) {
        size_t bytes = 0;
        float *expected = leaf_of(shards[i], 1, &bytes);
        for (int branches = 2; branches <= 8; branches *= 2) {
            float *leaf = leaf_of(shards[i], branches, &bytes);
            assert_memory_equal(leaf, expected, bytes);
            assert_true(order.reductions >= 4); /* of two runs: each of several buckets */
            free(leaf);
        }
        free(expected);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(branches_change_no_bit)};
    return RUN_IN_BOTH(tests, NULL, NULL);
}
