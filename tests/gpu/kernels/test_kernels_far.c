/* Element by element: operations on tensors of more than 2^32 elements (far_rig.h). */
#include "far_rig.h"

static void maps_reach_far(void **state) {
    gyre_backend *b = *state;
    bool bf16 = b->act_size == 2;
    size_t size = b->act_size, v = bf16 ? 8 : 4;
    uint64_t n = FAR + 5003, at = n - 2; /* in the tail, which is no whole vector */
    space x = space_open(n * size), y = space_open(n * size), dx = space_open(n * size);
    put(x, size, at, 2.5f);
    put(y, size, at, 3);
    only_block_of(at / v);
    GPU(accumulate, n, act(x), act(y));
    expect("accumulate", get(y, size, at), 5.5, 0);
    GPU(relu_dx, n, act(x), act(y), act(dx));
    expect("relu_dx", get(dx, size, at), 5.5, 0);
    GPU(relu, n, act(x), act(y));
    expect("relu", get(y, size, at), 2.5, 0);
    gyre_activation_shape s = {n, GYRE_ACTIVATION_LEAKY_RELU, 0.5f};
    put(x, size, at, -2.5f);
    GPU(activation, &s, act(x), act(y));
    expect("activation", get(y, size, at), -1.25, 0);
    GPU(activation_dx, &s, act(x), act(y), act(dx));
    expect("activation_dx", get(dx, size, at), -0.625, 0);
    all_blocks();
    space_close(x);
    space_close(y);
    space_close(dx);
}

/* x is f32 whatever y is. */
static void biases_reach_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    uint64_t columns = 12, rows = FAR / columns + 3, n = rows * columns, at = n - 2;
    float bias[12] = {[10] = 0.5f};
    space x = space_open(n * 4), y = space_open(n * size);
    put(x, 4, at, 2.5f);
    only_block_of(at / 4);
    CUDA_OK(gpu_bias_launch(NULL, size == 2, rows, columns, true, floats(x), bias, y.at));
    all_blocks();
    expect("bias", get(y, size, at), 3, 0);
    space_close(x);
    space_close(y);
}

static void vectors_reach_far(void **state) {
    gyre_backend *b = *state;
    uint64_t n = FAR + 5002, at = n - 1;
    space x = space_open(n * 4), y = space_open(n * 4);
    only_block_of(at / 4);
    GPU(fill, n, 1.5f, f32(floats(x)));
    expect("fill", get(x, 4, at), 1.5, 0);
    GPU(add, n, f32(floats(x)), f32(floats(x)), f32(floats(y)));
    expect("add", get(y, 4, at), 3, 0);
    all_blocks();
    space_close(x);
    space_close(y);
}

/* Working copies of weights: bf16 of f32, and back. */
static void conversions_reach_far(void **state) {
    (void)state;
    uint64_t n = FAR + 5002, at = n - 1;
    space wide = space_open(n * 4), half = space_open(n * 2), back = space_open(n * 4);
    put(wide, 4, at, 1.5f);
    only_block_of(at / 4);
    CUDA_OK(gpu_round_launch(NULL, n, floats(wide), half.at));
    expect("round", get(half, 2, at), 1.5, 0);
    CUDA_OK(gpu_widen_launch(NULL, n, half.at, floats(back)));
    expect("widen", get(back, 4, at), 1.5, 0);
    all_blocks();
    space_close(wide);
    space_close(half);
    space_close(back);
}

/* The last element of long vectors, and short vectors that lie far apart. */
static void try_tree(int ranks, uint64_t n, uint64_t stride, uint64_t item) {
    uint64_t at = n - 1;
    space x = space_open((uint64_t)ranks * stride * 4), y = space_open(n * 4);
    for (int r = 0; r < ranks; r++) put(x, 4, (uint64_t)r * stride + at, 1 + (float)r);
    only_block_of(item);
    CUDA_OK(gpu_tree_launch(NULL, n, ranks, stride, floats(x), floats(y)));
    all_blocks();
    expect("tree", get(y, 4, at), ranks * (ranks + 1) / 2, 0);
    space_close(x);
    space_close(y);
}

static void trees_reach_far(void **state) {
    (void)state;
    uint64_t n = FAR + 5002;
    try_tree(2, n, n + 2, (n - 1) / 4);
    try_tree(16, n, n + 2, n - 1); /* by eights, one element at a time */
    try_tree(4, 7, FAR / 2 + 16, 6 / 4);
    try_tree(16, 7, FAR / 8 + 16, 6);
}

static void updates_reach_far(void **state) {
    gyre_backend *b = *state;
    float scalars[GYRE_SCALAR_COUNT] = {
        [GYRE_SCALAR_LR] = 0.5f, [GYRE_SCALAR_FINITE] = 1, [GYRE_SCALAR_SHRINK] = 1,
        [GYRE_SCALAR_BIAS1] = 1, [GYRE_SCALAR_BIAS2] = 1,  [GYRE_SCALAR_SHARE] = 0.25f};
    gyre_update_shape sgd = {.rule = GYRE_RULE_SGD, .lr_mult = 1};
    gyre_update_shape adam = {.rule = GYRE_RULE_ADAM, .lr_mult = 1, .square_decay = 0.75f};
    uint64_t n = FAR + 5002, at = n - 1;
    space g = space_open(n * 4), w = space_open(n * 4);
    space s1 = space_open(n * 4), s2 = space_open(n * 4);
    put(g, 4, at, 3);
    only_block_of(at / 4);
    GPU(update, &sgd, n, f32(floats(g)), f32(floats(s1)), NULL, f32(floats(w)), f32(scalars));
    expect("velocity", get(s1, 4, at), 3, 0);
    expect("w by SGD", get(w, 4, at), -1.5, 0);
    GPU(update_average, n, f32(floats(w)), f32(scalars), f32(floats(s2)));
    expect("average", get(s2, 4, at), -0.375, 0);
    put(s2, 4, at, 0);
    put(g, 4, at, 4);
    GPU(update, &adam, n, f32(floats(g)), f32(floats(s1)), f32(floats(s2)), f32(floats(w)),
        f32(scalars));
    all_blocks();
    expect("mean", get(s1, 4, at), 4, 0); /* momentum is 0 */
    expect("square", get(s2, 4, at), 0.25 * 16, 0);
    expect("w by Adam", get(w, 4, at), -1.5 - 0.5 * 4 / 2, 0);
    space all[] = {g, w, s1, s2};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) space_close(all[i]);
}

/* The first block has the 2^32nd number, and those behind the last four. */
static void verdicts_reach_far(void **state) {
    gyre_backend *b = *state;
    float scalars[GYRE_SCALAR_COUNT] = {[GYRE_SCALAR_FINITE] = 1}, stats[2] = {1, 2};
    uint64_t n = FAR + 5002;
    space g = space_open(n * 4), work = space_open(1 << 20);
    put(g, 4, FAR + 1, 3);
    put(g, 4, n - 1, 4);
    emulator_blocks(0, 0); /* of both kernels: the other blocks' parts of the work are zeros */
    emulated_work(work.at);
    GPU(check_step, n, f32(floats(g)), f32(stats), 0, f32(scalars));
    emulated_work(NULL);
    all_blocks();
    expect("norm", (double)scalars[GYRE_SCALAR_NORM], 5, 0);
    space_close(work);
    space_close(g);
}

int main(void) {
    const struct CMUnitTest of_f32[] = {
        cmocka_unit_test(vectors_reach_far),  cmocka_unit_test(conversions_reach_far),
        cmocka_unit_test(trees_reach_far),    cmocka_unit_test(updates_reach_far),
        cmocka_unit_test(verdicts_reach_far),
    };
    const struct CMUnitTest of_activations[] = {
        cmocka_unit_test(maps_reach_far),
        cmocka_unit_test(biases_reach_far),
    };
    return cmocka_run_group_tests(of_f32, set_up_backend, tear_down_backend) +
           RUN_IN_BOTH(of_activations, set_up_backend, tear_down_backend);
}
