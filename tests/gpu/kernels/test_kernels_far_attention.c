/* Attention on tensors of more than 2^32 elements (far_rig.h): the last sample's last head; gated
 * GELU and learned positions. */
#include "far_rig.h"

/* A block for each head of each sample, since its tokens and channels fit into one tile. Rows of
 * forward's `saved` are taken by warps, 8 to a block. */
enum { TOKENS = 64, C = 64, HEADS = 4, D = C / HEADS, N = (1 << 20) + 1, ROWS = HEADS * TOKENS };
static const gyre_attention_shape shape = {N, TOKENS, TOKENS, HEADS, C, 0.5f, false};

typedef struct {
    uint64_t n, at, row; /* elements; the last query's last channel; its row of all */
    space q, k, v, saved, y, work;
} far;

static far far_open(size_t size) {
    far f = {.n = (uint64_t)N * TOKENS * C, .row = (uint64_t)N * ROWS - 1};
    assert_true(f.n > FAR);
    f.at = f.n - 1;
    space *of_tokens[] = {&f.q, &f.k, &f.v, &f.y};
    for (size_t i = 0; i < 4; i++) *of_tokens[i] = space_open(f.n * size);
    f.saved = space_open((f.row + 1) * 4);
    f.work = space_open((f.row + 1) * 4);
    emulated_work(f.work.at);
    put(f.v, size, f.at, 64);
    return f;
}

static void far_close(far *f) {
    all_blocks();
    emulated_work(NULL);
    space all[] = {f->q, f->k, f->v, f->y, f->saved, f->work};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) space_close(all[i]);
}

/* Scores are 0, so that each key has 1 / 64 of the whole: of a value of 64 that is 1. */
static void attention_reaches_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    far f = far_open(size);
    emulator_blocks((uint64_t)N * HEADS - 1, (uint64_t)N * HEADS - 1);
    GPU(attention, &shape, act(f.q), act(f.k), act(f.v), f32(floats(f.saved)), act(f.y));
    expect("y", get(f.y, size, f.at), 1, 0);
    expect("logarithm", get(f.saved, 4, f.row), log(64), 1e-6);
    far_close(&f);
}

/* Of the last row alone, whose probability of the last key is 1: dy 3 and y 2 there, and the row's
 * slope of that key is (3 64 - 3 2) / 2; other rows have a probability of 0. */
static void attention_gradients_reach_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    far f = far_open(size);
    space dy = space_open(f.n * size), d = space_open(f.n * size);
    put(dy, size, f.at, 3);
    put(f.y, size, f.at, 2);
    for (uint64_t i = 0; i < TOKENS; i++) put(f.saved, 4, f.row - i, i == 0 ? 0 : 200);
    emulator_blocks((f.row + 1) / 8 - 1, (f.row + 1) / 8 - 1);
    GPU(attention_dx, &shape, act(f.q), act(f.k), act(f.v), f32(floats(f.saved)), act(f.y), act(dy),
        act(d), NULL, NULL);
    expect("sum of y dy", get(f.work, 4, f.row), 6, 0);
    put(f.k, size, f.at - C, 1);
    put(f.q, size, f.at, 0);
    emulator_blocks((uint64_t)N * HEADS - 1, (uint64_t)N * HEADS - 1);
    GPU(attention_dx, &shape, act(f.q), act(f.k), act(f.v), f32(floats(f.saved)), act(f.y), act(dy),
        act(d), NULL, NULL);
    expect("dq", get(d, size, f.at), -6 * 0.5, 0);
    put(f.k, size, f.at - C, 0);
    put(f.q, size, f.at - 1, 1);
    GPU(attention_dx, &shape, act(f.q), act(f.k), act(f.v), f32(floats(f.saved)), act(f.y), act(dy),
        NULL, act(d), NULL);
    expect("dk", get(d, size, f.at - 1), (3 * 64 - 6) * 0.5, 0);
    GPU(attention_dx, &shape, act(f.q), act(f.k), act(f.v), f32(floats(f.saved)), act(f.y), act(dy),
        NULL, NULL, act(d));
    expect("dv", get(d, size, f.at), 3, 0);
    space_close(dy);
    space_close(d);
    far_close(&f);
}

/* GELU of 16 is 16 in both types, and its slope 1. */
static void geglu_reaches_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    const gyre_geglu_shape s = {N, TOKENS, 1, C};
    uint64_t n = (uint64_t)N * TOKENS * C, width = 16 / size;
    space x = space_open(2 * n * size), y = space_open(n * size), dx = space_open(2 * n * size);
    put(x, size, 2 * n - 1 - C, 3);
    put(x, size, 2 * n - 1, 16);
    only_block_of(n / width - 1);
    GPU(geglu, &s, act(x), act(y));
    expect("geglu", get(y, size, n - 1), 48, 0);
    put(y, size, n - 1, 2);
    GPU(geglu_dx, &s, act(x), act(y), act(dx));
    expect("of the first half", get(dx, size, 2 * n - 1 - C), 32, 0);
    expect("of the second half", get(dx, size, 2 * n - 1), 6, 0);
    space_close(x);
    space_close(y);
    space_close(dx);
    all_blocks();
}

static void positions_reach_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    const gyre_positions_shape s = {1, N, TOKENS, C};
    uint64_t n = (uint64_t)N * TOKENS * C, width = 16 / size;
    space x = space_open(n * size), w = space_open(n * 4), y = space_open(n * size);
    put(x, size, n - 1, 3);
    put(w, 4, n - 1, 2);
    only_block_of(n / width - 1);
    GPU(positions, &s, act(x), f32(floats(w)), act(y));
    expect("positions", get(y, size, n - 1), 5, 0);
    GPU(positions_dw, &s, act(x), f32(floats(w)));
    expect("positions_dw", get(w, 4, n - 1), 3, 0);
    space_close(x);
    space_close(w);
    space_close(y);
    all_blocks();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(geglu_reaches_far), cmocka_unit_test(positions_reach_far),
        cmocka_unit_test(attention_reaches_far), cmocka_unit_test(attention_gradients_reach_far)};
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
