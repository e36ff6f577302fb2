/* Group norm, and the totals that it shares with layer norm, on tensors of more than 2^32 elements
 * (far_rig.h). */
#include "far_rig.h"

/* Groups of 8 channels. Each sample's pixels are cut into 32 parts for sums, and for loops that
 * write into 256 of f32, 128 of bf16. Where the last block of such a grid runs, grids with fewer
 * blocks run none; block 0 of the grids by group has the last sample's groups too. */
enum { C = 64, GROUPS = 8, SUMS = 32, PIXELS = 128 * 128, COUNT = PIXELS * C / GROUPS };
static const gyre_group_norm_shape shape = {(1 << 12) + 1, 128, 128, C, GROUPS, 0, false};

typedef struct {
    uint64_t n, at, parts, first, second; /* elements, the one that is not 0; its sums in work */
    uint64_t group, groups;               /* its group of all */
    uint64_t last_map;                    /* block */
    float gamma[C], beta[C], dgamma[C], dbeta[C];
    space x, y, saved, work;
} far;

static far far_open(size_t size) {
    far f = {.n = (uint64_t)shape.n * PIXELS * C, .groups = (uint64_t)shape.n * GROUPS};
    assert_true(f.n > FAR);
    f.at = f.n - 3;
    f.parts = (uint64_t)shape.n * SUMS;
    f.first = f.parts * C - 3;
    f.second = 2 * f.parts * C - 3;
    f.group = f.groups - 1;
    f.last_map = (uint64_t)shape.n * (size == 4 ? 256 : 128) - 1;
    for (int j = 0; j < C; j++) f.gamma[j] = 2, f.beta[j] = 1;
    f.x = space_open(f.n * size);
    f.y = space_open(f.n * size);
    f.saved = space_open(2 * f.groups * 4);
    f.work = space_open((2 * f.parts * C + 2 * f.groups) * 4);
    put(f.x, size, f.at, 6);
    emulated_work(f.work.at);
    return f;
}

static void far_close(far *f) {
    all_blocks();
    emulated_work(NULL);
    space all[] = {f->x, f->y, f->saved, f->work};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) space_close(all[i]);
}

static void forward(gyre_backend *b, far *f, uint64_t block) {
    emulator_blocks(block, block);
    GPU(group_norm, &shape, act(f->x), f32(f->gamma), f32(f->beta), f32(floats(f->saved)),
        act(f->y));
}

/* The last group's first element is 2; sums of COUNT and 5 COUNT make a mean of 3 and, about any
 * mean, a variance of 5 - 1. */
static void group_norm_reaches_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    far f = far_open(size);
    forward(b, &f, f.parts - 1);
    expect("sum", get(f.work, 4, f.first), 6, 0);
    expect("squares", get(f.work, 4, f.second), 36, 0);
    put(f.x, size, f.n - (uint64_t)PIXELS * C + C - C / GROUPS, 2);
    put(f.work, 4, f.first, COUNT);
    put(f.work, 4, f.second, 5 * COUNT);
    forward(b, &f, 0);
    expect("mean", get(f.saved, 4, f.group), 3, 0);
    expect("inverse", get(f.saved, 4, f.groups + f.group), 0.5, 0);
    forward(b, &f, f.last_map);
    expect("group_norm", get(f.y, size, f.at), (6 - 3) * 0.5 * 2 + 1, 0);
    far_close(&f);
}

static void backward(gyre_backend *b, far *f, space dy, uint64_t block) {
    emulator_blocks(block, block);
    GPU(group_norm_dx, &shape, act(f->x), act(dy), f32(f->gamma), f32(f->beta),
        f32(floats(f->saved)), act(f->y), f32(f->dgamma), f32(f->dbeta));
}

/* dy is 3 where x is 6; the mean there is 2, the inverse deviation 0.5. Sums of COUNT and 4 COUNT
 * make means of 2 and 4. */
static void group_norm_gradients_reach_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    far f = far_open(size);
    space dy = space_open(f.n * size);
    uint64_t slopes = 2 * f.parts * C;
    put(dy, size, f.at, 3);
    put(f.saved, 4, f.group, 2);
    put(f.saved, 4, f.groups + f.group, 0.5f);
    backward(b, &f, dy, f.parts - 1);
    expect("sum of dy", get(f.work, 4, f.first), 3, 0);
    expect("of its products", get(f.work, 4, f.second), 3 * (6 - 2), 0);
    put(f.work, 4, f.first, COUNT);
    put(f.work, 4, f.second, 4 * COUNT);
    backward(b, &f, dy, 0);
    expect("products with x'", get(f.work, 4, f.second), 2 * COUNT, 0);
    expect("m", get(f.work, 4, slopes + f.group), -0.25 * 4, 0);
    expect("b", get(f.work, 4, slopes + f.groups + f.group), -0.5 * 2, 0);
    backward(b, &f, dy, f.last_map);
    expect("group_norm_dx", get(f.y, size, f.at), 2 * 0.5 * 3 + (-1 * (6 - 2) - 1), 0);
    space_close(dy);
    far_close(&f);
}

static void totals_reach_far(void **state) {
    (void)state;
    const unsigned room = (1u << 26) + 1;
    uint64_t n = (uint64_t)room * C;
    space work = space_open(2 * n * 4);
    float first[C], second[C];
    put(work, 4, C - 3, 5);
    put(work, 4, n + C - 3, 7);
    CUDA_OK(gpu_column_pairs_launch(NULL, room, 1, C, floats(work), first, second));
    expect("first", (double)first[C - 3], 5, 0);
    expect("second", (double)second[C - 3], 7, 0);
    space_close(work);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(group_norm_reaches_far),
                                       cmocka_unit_test(group_norm_gradients_reach_far),
                                       cmocka_unit_test(totals_reach_far)};
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
