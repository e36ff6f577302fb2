/* Tensors of more than 2^32 elements, in address space without memory behind it: one block of each
 * kernel is run, one that works beyond the 2^32nd element, and what it wrote there is compared.
 * A 32-bit index, signed or not, would go elsewhere; what lay there before is always another value
 * than the one that is expected.
 *
 * Every operation with kernels of its own is here but update_statistics, whose vectors have two
 * numbers for each channel, and every launch of kernels.h. Vectors by channel, column, sample or
 * part are short beside these too: kernels only read or write them on the way. */
#include "kernels_rig.h"

#include <sys/mman.h>

#define FAR ((uint64_t)1 << 32)
#define CUDA_OK(call) assert_int_equal((call), cudaSuccess)
#define GPU(slot, ...) OK(gpu_##slot(b->main, __VA_ARGS__))

/* Zeros, until written. */
typedef struct {
    char *at;
    size_t bytes;
} space;

static space space_open(size_t bytes) {
    void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED) fail_msg("no address space for %zu bytes", bytes);
    return (space){at, bytes};
}
static void space_close(space s) {
    munmap(s.at, s.bytes);
}

static void put(space s, size_t size, uint64_t i, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    bits = size == 2 ? bits >> 16 : bits;
    memcpy(s.at + i * size, &bits, size);
}
static double get(space s, size_t size, uint64_t i) {
    return (double)element_of(s.at, size, i);
}
static float *floats(space s) {
    return (float *)(void *)s.at;
}
/* As arguments of operations. */
static gyre_act act(space s) {
    return (gyre_act)(void *)s.at;
}
static gyre_f32 f32(float *x) {
    return (gyre_f32)(void *)x;
}

static void expect(const char *what, double got, double want, double relative) {
    if (!(fabs(got - want) <= relative * fabs(want)))
        fail_msg("%s: got %.9g, want %.9g", what, got, want);
}

/* The block of a grid-stride loop over `items` items that handles item i; the grid is full. */
static void only_block_of(uint64_t i) {
    uint64_t block = i / 256 % 4096;
    emulator_blocks(block, block);
}
static void all_blocks(void) {
    emulator_blocks(0, UINT64_MAX);
}

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
    float scalars[GYRE_SCALAR_COUNT] = {[GYRE_SCALAR_LR] = 0.5f,
                                        [GYRE_SCALAR_FINITE] = 1,
                                        [GYRE_SCALAR_SHRINK] = 1,
                                        [GYRE_SCALAR_BIAS1] = 1,
                                        [GYRE_SCALAR_BIAS2] = 1};
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

/* 64 channels, and pixels cut into parts: 256 for sums, 2048 for loops that write. A launch with
 * one of them alone runs only that kernel's block, the last one. */
enum { C = 64, SUMS = GPU_COLUMN_PARTS - 1, MAPS = 2047 };
static const gyre_norm_shape norm = {(1 << 12) + 1, 128, 128, C, 0, true, true, false};

/* A norm's small vectors: by channel, but for sums by parts and the factors behind them (work). */
typedef struct {
    float gamma[C], beta[C], saved[2 * C], moments[2 * C], running[2 * C], dgamma[C], dbeta[C];
    float work[(2 * GPU_COLUMN_PARTS + 3) * C];
} norm_vectors;

/* Mean 2 and deviation 2; saved has its inverse as 0.25, to tell them apart. */
static void norm_vectors_fill(norm_vectors *v) {
    memset(v, 0, sizeof *v);
    for (int j = 0; j < C; j++) {
        v->gamma[j] = 2;
        v->beta[j] = 1;
        v->saved[j] = v->running[j] = 2;
        v->saved[C + j] = 0.25f;
        v->running[C + j] = 4;
    }
}

/* The same pixels are x and the residual. */
static void norm_reaches_far(void **state) {
    gyre_backend *b = *state;
    bool bf16 = b->act_size == 2;
    static norm_vectors v;
    size_t size = b->act_size;
    uint64_t rows = (uint64_t)norm.n * 128 * 128, n = rows * C, at = n - 3, column = C - 3;
    assert_true(n > FAR);
    assert_int_equal(sizeof v.work, gpu_columns_work(C));
    space x = space_open(n * size), y = space_open(n * size);
    norm_vectors_fill(&v);
    put(x, size, at, 6);
    emulator_blocks(MAPS, MAPS);
    emulated_work(v.work);
    GPU(norm_eval, &norm, act(x), act(x), f32(v.gamma), f32(v.beta), f32(v.running), NULL, act(y));
    expect("norm_eval", get(y, size, at), (6 - 2) / 2.0 * 2 + 1 + 6, 0);
    GPU(norm_train, &norm, act(x), act(x), f32(v.gamma), f32(v.beta), f32(v.saved), f32(v.moments),
        act(y));
    expect("norm_train", get(y, size, at), (6 - 2) * 0.25 * 2 + 1 + 6, 0);
    emulator_blocks(SUMS, SUMS);
    CUDA_OK(gpu_column_sum_launch(NULL, bf16, rows, C, x.at, v.work, v.dbeta));
    expect("column_sum", (double)v.work[SUMS * C + column], 6, 0);
    v.work[SUMS * C + column] = 0;
    GPU(norm_train, &norm, act(x), act(x), f32(v.gamma), f32(v.beta), f32(v.saved), f32(v.moments),
        act(y));
    all_blocks();
    emulated_work(NULL);
    expect("sum", (double)v.work[SUMS * C + column], 6, 0);
    expect("squares", (double)v.work[(GPU_COLUMN_PARTS + SUMS) * C + column], 36, 0);
    space_close(x);
    space_close(y);
}

static void norm_gradients_reach_far(void **state) {
    gyre_backend *b = *state;
    static norm_vectors v;
    size_t size = b->act_size;
    uint64_t n = (uint64_t)norm.n * 128 * 128 * C, at = n - 3, column = C - 3;
    space x = space_open(n * size), y = space_open(n * size), dy = space_open(n * size);
    space dx = space_open(n * size), residual = space_open(n * size);
    float *factors = v.work + (size_t)2 * GPU_COLUMN_PARTS * C;
    norm_vectors_fill(&v);
    put(x, size, at, 6);
    put(y, size, at, 1);
    put(dy, size, at, 3);
    emulator_blocks(SUMS, SUMS);
    emulated_work(v.work);
    GPU(norm_dx, &norm, act(x), act(y), act(dy), f32(v.gamma), f32(v.saved), act(dx), act(residual),
        f32(v.dgamma), f32(v.dbeta));
    expect("sum of dy", (double)v.work[SUMS * C + column], 3, 0);
    expect("dy (x - mean)", (double)v.work[(GPU_COLUMN_PARTS + SUMS) * C + column], 3 * (6 - 2), 0);
    for (uint64_t k = 0; k < 3; k++) factors[k * C + column] = (float)k + 5;
    emulator_blocks(MAPS, MAPS);
    GPU(norm_dx, &norm, act(x), act(y), act(dy), f32(v.gamma), f32(v.saved), act(dx), act(residual),
        f32(v.dgamma), f32(v.dbeta));
    all_blocks();
    emulated_work(NULL);
    expect("norm_dx", get(dx, size, at), 5 * 3 + (6 * (6 - 2) + 7), 0);
    expect("dresidual", get(residual, size, at), 3, 0);
    space all[] = {x, y, dy, dx, residual};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) space_close(all[i]);
}

/* The last pixel: 6 in one channel and 0 in the others. */
static void layer_norm_reaches_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    gyre_layer_norm_shape s = {norm.n, norm.h, norm.w, C, 0.0625f};
    uint64_t rows = (uint64_t)s.n * 128 * 128, n = rows * C, row = rows - 1, at = n - 3;
    uint64_t lanes = C * size / 16; /* of a row: a vector each */
    static norm_vectors v;
    norm_vectors_fill(&v);
    space x = space_open(n * size), y = space_open(n * size), saved = space_open(2 * rows * 4);
    put(x, size, at, 6);
    only_block_of(row * lanes);
    GPU(layer_norm, &s, act(x), f32(v.gamma), f32(v.beta), f32(floats(saved)), act(y));
    all_blocks();
    double mean = 6.0 / C, inverse = 1 / sqrt(36.0 / C - mean * mean + 0.0625);
    expect("layer_norm", get(y, size, at), (6 - mean) * inverse * 2 + 1,
           size == 2 ? 0x1p-8 : 0x1p-22);
    expect("mean", get(saved, 4, row), mean, 0);
    expect("inverse", get(saved, 4, rows + row), inverse, 0x1p-22);
    space_close(x);
    space_close(y);
    space_close(saved);
}

/* dy is 3 there and 0 in the other channels; the saved mean is 2, its inverse deviation 0.5. */
static void layer_norm_gradients_reach_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    gyre_layer_norm_shape s = {norm.n, norm.h, norm.w, C, 0};
    uint64_t rows = (uint64_t)s.n * 128 * 128, n = rows * C, row = rows - 1, at = n - 3;
    uint64_t lanes = C * size / 16, column = C - 3;
    static norm_vectors v;
    norm_vectors_fill(&v);
    space x = space_open(n * size), dy = space_open(n * size), dx = space_open(n * size);
    space saved = space_open(2 * rows * 4);
    put(x, size, at, 6);
    put(dy, size, at, 3);
    put(saved, 4, row, 2);
    put(saved, 4, rows + row, 0.5f);
    emulator_blocks(SUMS, SUMS);
    emulated_work(v.work);
    GPU(layer_norm_dx, &s, act(x), act(dy), f32(v.gamma), f32(floats(saved)), act(dx),
        f32(v.dgamma), f32(v.dbeta));
    expect("sum of dy", (double)v.work[SUMS * C + column], 3, 0);
    expect("of its products", (double)v.work[(GPU_COLUMN_PARTS + SUMS) * C + column], 3 * 2, 0);
    only_block_of(row * lanes);
    GPU(layer_norm_dx, &s, act(x), act(dy), f32(v.gamma), f32(floats(saved)), act(dx),
        f32(v.dgamma), f32(v.dbeta));
    all_blocks();
    emulated_work(NULL);
    expect("layer_norm_dx", get(dx, size, at), (6 - (6.0 / C + 2 * 12.0 / C)) * 0.5, 0);
    space all[] = {x, dy, dx, saved};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) space_close(all[i]);
}

static void pooling_reaches_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    gyre_pool_shape s = {(1 << 12) + 80, 128, 128, C, 2, 1, 0, true, false};
    uint64_t in = (uint64_t)s.n * 128 * 128 * C, out = (uint64_t)s.n * 127 * 127 * C;
    assert_true(out > FAR);
    space x = space_open(in * size), y = space_open(out * size), saved = space_open(out * 2);
    space dx = space_open(in * size);
    put(x, size, in - 1, 5); /* the last cell of the last window */
    emulator_blocks(MAPS, MAPS);
    GPU(pool, &s, act(x), (gyre_raw)(void *)saved.at, act(y));
    expect("pool", get(y, size, out - 1), 5, 0);
    assert_int_equal(((uint16_t *)(void *)saved.at)[out - 1], 3);
    GPU(pool_dx, &s, act(y), (gyre_raw)(void *)saved.at, act(dx));
    all_blocks();
    expect("pool_dx", get(dx, size, in - 1), 5, 0);
    space all[] = {x, y, saved, dx};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) space_close(all[i]);
}

static void lrn_reaches_far(void **state) {
    gyre_backend *b = *state;
    bool bf16 = b->act_size == 2;
    size_t size = b->act_size;
    gyre_lrn_shape s = {(1 << 12) + 1, 128, 128, C, 3, 9, 0.75f, false};
    uint64_t n = (uint64_t)s.n * 128 * 128 * C, at = n - 1;
    space x = space_open(n * size), y = space_open(n * size), work = space_open(n * 4);
    space dx = space_open(n * size);
    put(x, size, at, 1.9375f); /* s = 1 + x^2 */
    emulator_blocks(MAPS, MAPS);
    GPU(lrn, &s, act(x), act(y));
    double one = 1 + 1.9375 * 1.9375;
    expect("lrn", get(y, size, at), 1.9375 * pow(one, -0.75), bf16 ? 0x1p-8 : 0x1p-22);
    put(y, size, at, 1);
    emulated_work(work.at);
    GPU(lrn_dx, &s, act(x), act(y), act(dx));
    emulated_work(NULL);
    expect("lrn_dx", get(dx, size, at), pow(one, -0.75) - 1.5 * 1.9375 * 1.9375 * pow(one, -1.75),
           bf16 ? 0x1p-8 : 0x1p-20);
    expect("share", get(work, 4, at), 1.9375 * pow(one, -1.75), 0x1p-20);
    all_blocks();
    space_close(x);
    space_close(y);
    space_close(dx);
    space_close(work);
}

static void shortcuts_reach_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    gyre_shortcut_shape s = {(1 << 12) + 1, 128, 128, C, C, 1};
    uint64_t n = (uint64_t)s.n * 128 * 128 * C, at = n - 1;
    space x = space_open(n * size), y = space_open(n * size);
    put(x, size, at, 7);
    only_block_of(at / (16 / size)); /* a unit is 16 bytes */
    GPU(shortcut, &s, act(x), act(y));
    expect("shortcut", get(y, size, at), 7, 0);
    put(x, size, at, 0);
    GPU(shortcut_dx, &s, act(y), act(x));
    expect("shortcut_dx", get(x, size, at), 7, 0);
    all_blocks();
    space_close(x);
    space_close(y);
}

/* The whole dataset lies on the device: rows far behind, and a batch that is far itself. */
static void input_reaches_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    gyre_image_shape s = {(1 << 12) + 1, 512, 512, 4};
    uint64_t image = 512 * 512 * 4, n = (uint64_t)s.n * image, at = n - 1;
    space images = space_open(n), mean = space_open(image * 4), x = space_open(n * size);
    space rows = space_open((uint64_t)s.n * 8), labels = space_open((uint64_t)s.n * 4);
    float scale[4] = {2, 2, 2, 2};
    ((int64_t *)(void *)rows.at)[s.n - 1] = s.n - 1;
    images.at[at] = 100;
    put(mean, 4, image - 1, 1);
    gpu_input_slot slot = {(uint8_t *)images.at, (int64_t *)(void *)rows.at,
                           (int32_t *)(void *)labels.at, NULL};
    only_block_of(at / (16 / size));
    CUDA_OK(gpu_input_launch(NULL, size == 2, &s, &slot, 0, floats(mean), scale, x.at,
                             (int32_t *)(void *)labels.at));
    all_blocks();
    expect("input", get(x, size, at), (100 - 1) * 2, 0);
    space all[] = {images, mean, x, rows, labels};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) space_close(all[i]);
}

static void losses_reach_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    gyre_loss_shape s = {(1 << 22) + 1, 1024, 0, 1};
    uint64_t n = (uint64_t)s.n * 1024, row = (uint64_t)s.n - 1, at = row * 1024;
    space z = space_open(n * size), dx = space_open(n * size);
    space work = space_open((uint64_t)s.n * 8), labels = space_open((uint64_t)s.n * 4);
    float stats[2];
    ((int32_t *)(void *)labels.at)[row] = 1023;
    emulator_blocks(row / 4, row / 4);
    emulated_work(work.at);
    GPU(softmax_loss, &s, act(z), (gyre_i32)(void *)labels.at, act(dx), f32(stats));
    emulated_work(NULL);
    expect("loss", get(work, 4, row), log(1024), 0x1p-22);
    expect("dx", get(dx, size, at), 1.0 / 1024, size == 2 ? 0x1p-8 : 0x1p-22);
    expect("dx of the label", get(dx, size, n - 1), 1.0 / 1024 - 1, size == 2 ? 0x1p-8 : 0x1p-22);
    emulated_work(work.at);
    GPU(squared_error_loss, &s, act(z), (gyre_i32)(void *)labels.at, act(dx), f32(stats));
    emulated_work(NULL);
    all_blocks();
    expect("squared error", get(work, 4, row), 1.0 / 1024, 0);
    expect("its dx of the label", get(dx, size, n - 1), -2.0 / 1024, 0);
    space all[] = {z, dx, work, labels};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) space_close(all[i]);
}

int main(void) {
    const struct CMUnitTest of_f32[] = {
        cmocka_unit_test(vectors_reach_far),  cmocka_unit_test(conversions_reach_far),
        cmocka_unit_test(trees_reach_far),    cmocka_unit_test(updates_reach_far),
        cmocka_unit_test(verdicts_reach_far),
    };
    const struct CMUnitTest of_activations[] = {
        cmocka_unit_test(maps_reach_far),         cmocka_unit_test(biases_reach_far),
        cmocka_unit_test(norm_reaches_far),       cmocka_unit_test(norm_gradients_reach_far),
        cmocka_unit_test(layer_norm_reaches_far), cmocka_unit_test(layer_norm_gradients_reach_far),
        cmocka_unit_test(pooling_reaches_far),    cmocka_unit_test(lrn_reaches_far),
        cmocka_unit_test(shortcuts_reach_far),    cmocka_unit_test(input_reaches_far),
        cmocka_unit_test(losses_reach_far),
    };
    return cmocka_run_group_tests(of_f32, set_up_backend, tear_down_backend) +
           RUN_IN_BOTH(of_activations, set_up_backend, tear_down_backend);
}
