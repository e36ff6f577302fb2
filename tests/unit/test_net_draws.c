/* Networks that draw: what is drawn changes with the step and the samples' places, and with nothing
 * else; evaluation does not draw. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"

static double drop_rate;
static void build_dropout(builder *b, int variant) {
    (void)variant;
    builder_style_he(b);
    int x = builder_node_of(b, "conv", "conv", BUILDER_IMAGES,
                            BUILDER_OPTIONS({"channels", 6}, {"size", 3}));
    x = builder_node_of(b, "spatial_dropout", "maps", x, BUILDER_OPTIONS({"p", drop_rate}));
    x = builder_node_of(b, "stochastic_depth", "depth", x, BUILDER_OPTIONS({"p", drop_rate}));
    x = builder_node_of(b, "dropout", "drop", x, BUILDER_OPTIONS({"p", drop_rate}));
    builder_style_torch(b);
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", 10}));
}

static rig opened(double p, int lanes) {
    drop_rate = p;
    return rig_open((rig_options){.name = "dropout",
                                  .build = build_dropout,
                                  .size = 8,
                                  .channels = 3,
                                  .classes = 10,
                                  .n = 4,
                                  .shards = 4,
                                  .lanes = lanes});
}

static size_t leaf_bytes(const rig *r) {
    return gyre_leaf_size(r->model) * sizeof(float);
}

/* The gradient of a step whose first sample has the place `first`. */
static float *leaf_of(rig *r, uint64_t seed, int64_t step, int64_t first) {
    OK(gyre_net_begin_step(r->net, seed, step, first, 64));
    return rig_leaf(r);
}

static void check_other(rig *r, const float *expected, float *leaf, bool alike) {
    assert_int_equal(memcmp(leaf, expected, leaf_bytes(r)) == 0, alike);
    free(leaf);
}

static void draws_are_of_seed_step_and_place(void **state) {
    (void)state;
    rig r = opened(0.4, 1), lanes = opened(0.4, 3);
    float *expected = leaf_of(&r, 5, 7, 16);
    check_other(&r, expected, leaf_of(&r, 5, 7, 16), true);
    check_other(&r, expected, leaf_of(&lanes, 5, 7, 16), true);
    check_other(&r, expected, leaf_of(&r, 6, 7, 16), false);
    check_other(&r, expected, leaf_of(&r, 5, 8, 16), false);
    check_other(&r, expected, leaf_of(&r, 5, 7, 0), false);
    free(expected);
    rig_close(&r);
    rig_close(&lanes);
}

/* Logits of the rig's first samples in evaluation; freed by the caller. */
static float *logits_of(rig *r) {
    gyre_net *net = NULL;
    gyre_raw stats;
    gyre_batch batch = r->batch;
    float *logits = malloc(4 * 10 * sizeof *logits);
    batch.count = 4;
    OK(gyre_net_open(r->weights, 4, 0, &net));
    OK(r->backend->ops->alloc(r->backend, 64, &stats));
    OK(gyre_net_evaluate(net, r->backend->main, &batch, (gyre_f32)(void *)stats));
    OK(gyre_net_logits(net, r->backend->main, logits));
    r->backend->ops->release(r->backend, stats);
    gyre_net_close(net);
    return logits;
}

static void evaluation_does_not_draw(void **state) {
    (void)state;
    rig r = opened(0.4, 1), none = opened(0, 1);
    float *logits = logits_of(&r), *expected = logits_of(&none);
    assert_memory_equal(logits, expected, 4 * 10 * sizeof *logits);
    free(logits), free(expected);
    rig_close(&r);
    rig_close(&none);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(draws_are_of_seed_step_and_place),
                                       cmocka_unit_test(evaluation_does_not_draw)};
    return RUN_IN_BOTH(tests, NULL, NULL);
}
