/* Tensors of more than 2^32 elements, in address space without memory behind it: one block of each
 * kernel is run, one that works beyond the 2^32nd element, and what it wrote there is compared.
 * A 32-bit index, signed or not, would go elsewhere. */
#include "kernels_rig.h"

#include <sys/mman.h>

#define FAR ((uint64_t)1 << 32)
#define CUDA_OK(call) assert_int_equal((call), cudaSuccess)

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
    space x = space_open(n * size), y = space_open(n * size);
    put(x, size, at, 2.5f);
    put(y, size, at, 3);
    only_block_of(at / v);
    CUDA_OK(gpu_accumulate_launch(NULL, bf16, n, x.at, y.at));
    expect("accumulate", get(y, size, at), 5.5, 0);
    CUDA_OK(gpu_relu_dx_launch(NULL, bf16, n, x.at, y.at, y.at));
    expect("relu_dx", get(y, size, at), 5.5, 0);
    CUDA_OK(gpu_relu_launch(NULL, bf16, n, x.at, y.at));
    expect("relu", get(y, size, at), 2.5, 0);
    all_blocks();
    space_close(x);
    space_close(y);
}

static void vectors_reach_far(void **state) {
    (void)state;
    uint64_t n = FAR + 5002, at = n - 1, stride = FAR / 4 + 16;
    space x = space_open(n * 4), y = space_open(n * 4);
    only_block_of(at / 4);
    CUDA_OK(gpu_fill_launch(NULL, n, 1.5f, (float *)(void *)x.at));
    expect("fill", get(x, 4, at), 1.5, 0);
    CUDA_OK(gpu_add_launch(NULL, n, (float *)(void *)x.at, (float *)(void *)x.at,
                           (float *)(void *)y.at));
    expect("add", get(y, 4, at), 3, 0);
    CUDA_OK(gpu_round_launch(NULL, n, (float *)(void *)x.at, y.at));
    expect("round", get(y, 2, at), 1.5, 0);
    all_blocks();
    for (uint64_t r = 0; r < 16; r++) {
        if (r * stride + 6 < n) put(x, 4, r * stride + 6, 1 + (float)r);
    }
    CUDA_OK(gpu_tree_launch(NULL, 7, 4, stride, (float *)(void *)x.at, (float *)(void *)y.at));
    expect("tree", get(y, 4, 6), 1 + 2 + 3 + 4, 0);
    space_close(x);
    x = space_open(16 * stride * 4);
    for (uint64_t r = 0; r < 16; r++) put(x, 4, r * stride + 6, 1 + (float)r);
    CUDA_OK(gpu_tree_launch(NULL, 7, 16, stride, (float *)(void *)x.at, (float *)(void *)y.at));
    expect("tree of 16", get(y, 4, 6), 136, 0);
    space_close(x);
    space_close(y);
}

static void updates_reach_far(void **state) {
    (void)state;
    float scalars[GYRE_SCALAR_COUNT] = {
        [GYRE_SCALAR_LR] = 0.5f, [GYRE_SCALAR_FINITE] = 1, [GYRE_SCALAR_SHRINK] = 1};
    gyre_update_shape s = {.rule = GYRE_RULE_SGD, .lr_mult = 1};
    uint64_t n = FAR + 5002, at = n - 1;
    space g = space_open(n * 4), v = space_open(n * 4), w = space_open(n * 4);
    put(g, 4, at, 3);
    only_block_of(at / 4);
    CUDA_OK(gpu_update_launch(NULL, &s, n, (float *)(void *)g.at, (float *)(void *)v.at, NULL,
                              (float *)(void *)w.at, scalars));
    all_blocks();
    expect("update", get(w, 4, at), -1.5, 0);
    put(g, 4, at, 4);
    put(g, 4, 1024, 0); /* the other blocks' parts of the work are zeros */
    space work = space_open(gpu_judge_work());
    float stats[2] = {1, 2};
    emulator_blocks(0, 0); /* of both kernels: the tail is the first block's */
    CUDA_OK(gpu_judge_launch(NULL, n, (float *)(void *)g.at, stats, 0, work.at, scalars));
    all_blocks();
    expect("norm", (double)scalars[GYRE_SCALAR_NORM], 4, 0);
    space_close(work);
    space_close(g);
    space_close(v);
    space_close(w);
}

/* 64 channels: the last of the parts into which sums and maps cut the pixels. */
enum { C = 64 };
static const gyre_norm_shape norm = {(1 << 12) + 1, 128, 128, C, 0, true, true, false};

static void norm_reaches_far(void **state) {
    gyre_backend *b = *state;
    bool bf16 = b->act_size == 2;
    size_t size = b->act_size;
    uint64_t rows = (uint64_t)norm.n * 128 * 128, n = rows * C, at = n - 3;
    assert_true(n > FAR);
    space x = space_open(n * size), y = space_open(n * size),
          work = space_open(gpu_columns_work(C));
    float vectors[6][C], dgamma[C], dbeta[C], saved[2 * C], moments[2 * C];
    for (int i = 0; i < 6; i++) {
        for (int j = 0; j < C; j++) vectors[i][j] = i < 2 ? 2 : 1; /* running: mean 2, variance 2 */
    }
    float running[2 * C];
    for (int j = 0; j < 2 * C; j++) running[j] = j < C ? 2 : 4;
    put(x, size, at, 6);
    emulator_blocks(2047, 2047);
    CUDA_OK(gpu_norm_eval_launch(NULL, bf16, &norm, x.at, x.at, vectors[0], vectors[2], running,
                                 NULL, y.at));
    all_blocks();
    expect("norm_eval", get(y, size, at), (6 - 2) / 2.0 * 2 + 1 + 6, 0);
    /* sums: only the last part is not zero; the totals are added by hand of what it left */
    emulator_blocks(255, 255);
    CUDA_OK(gpu_column_sum_launch(NULL, bf16, rows, C, x.at, work.at, dbeta));
    all_blocks();
    expect("column_sum", get(work, 4, (uint64_t)255 * C + C - 3), 6, 0);
    emulator_blocks(255, 255);
    CUDA_OK(gpu_norm_train_launch(NULL, bf16, &norm, x.at, x.at, vectors[0], vectors[2], work.at,
                                  saved, moments, y.at));
    all_blocks();
    expect("squares", get(work, 4, (uint64_t)511 * C + C - 3), 36, 0);
    for (int j = 0; j < 2 * C; j++) saved[j] = j < C ? 2 : 1;
    put(y, size, at, 1);
    emulator_blocks(255, 255);
    CUDA_OK(gpu_norm_dx_launch(NULL, bf16, &norm, x.at, y.at, x.at, vectors[0], saved, work.at,
                               y.at, y.at, dgamma, dbeta));
    all_blocks();
    expect("dy (x - mean)", get(work, 4, (uint64_t)511 * C + C - 3), 6 * (6 - 2), 0);
    space_close(x);
    space_close(y);
    space_close(work);
}

static void pooling_reaches_far(void **state) {
    gyre_backend *b = *state;
    bool bf16 = b->act_size == 2;
    size_t size = b->act_size;
    gyre_pool_shape s = {(1 << 12) + 80, 128, 128, C, 2, 1, 0, true, false};
    uint64_t in = (uint64_t)s.n * 128 * 128 * C, out = (uint64_t)s.n * 127 * 127 * C;
    assert_true(out > FAR);
    space x = space_open(in * size), y = space_open(out * size), saved = space_open(out * 2);
    put(x, size, in - 1, 5); /* the last cell of the last window */
    emulator_blocks(2047, 2047);
    CUDA_OK(gpu_pool_launch(NULL, bf16, &s, x.at, saved.at, y.at));
    expect("pool", get(y, size, out - 1), 5, 0);
    assert_int_equal(((uint16_t *)(void *)saved.at)[out - 1], 3);
    CUDA_OK(gpu_pool_dx_launch(NULL, bf16, &s, y.at, saved.at, x.at));
    expect("pool_dx", get(x, size, in - 1), 5, 0);
    all_blocks();
    space_close(x);
    space_close(y);
    space_close(saved);
}

static void lrn_reaches_far(void **state) {
    gyre_backend *b = *state;
    bool bf16 = b->act_size == 2;
    size_t size = b->act_size;
    gyre_lrn_shape s = {(1 << 12) + 1, 128, 128, C, 3, 9, 0.75f, false};
    uint64_t n = (uint64_t)s.n * 128 * 128 * C, at = n - 1;
    space x = space_open(n * size), y = space_open(n * size), work = space_open(n * 4);
    put(x, size, at, 1.9375f); /* s = 1 + x^2 */
    emulator_blocks(2047, 2047);
    CUDA_OK(gpu_lrn_launch(NULL, bf16, &s, x.at, y.at));
    double one = 1 + 1.9375 * 1.9375;
    expect("lrn", get(y, size, at), 1.9375 * pow(one, -0.75), bf16 ? 0x1p-8 : 0x1p-22);
    put(y, size, at, 1);
    CUDA_OK(gpu_lrn_dx_launch(NULL, bf16, &s, x.at, y.at, (float *)(void *)work.at, y.at));
    expect("lrn_dx", get(y, size, at), pow(one, -0.75) - 1.5 * 1.9375 * 1.9375 * pow(one, -1.75),
           bf16 ? 0x1p-8 : 0x1p-20);
    all_blocks();
    space_close(x);
    space_close(y);
    space_close(work);
}

static void shortcuts_reach_far(void **state) {
    gyre_backend *b = *state;
    bool bf16 = b->act_size == 2;
    size_t size = b->act_size;
    gyre_shortcut_shape s = {(1 << 12) + 1, 128, 128, C, C, 1};
    uint64_t n = (uint64_t)s.n * 128 * 128 * C, at = n - 1;
    space x = space_open(n * size), y = space_open(n * size);
    put(x, size, at, 7);
    only_block_of(at / (16 / size)); /* a unit is 16 bytes */
    CUDA_OK(gpu_shortcut_launch(NULL, bf16, &s, x.at, y.at));
    expect("shortcut", get(y, size, at), 7, 0);
    put(x, size, at, 0);
    CUDA_OK(gpu_shortcut_dx_launch(NULL, bf16, &s, y.at, x.at));
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
    CUDA_OK(gpu_input_launch(NULL, size == 2, &s, &slot, 0, (float *)(void *)mean.at, scale, x.at,
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
    CUDA_OK(gpu_softmax_loss_launch(NULL, size == 2, &s, z.at, (int32_t *)(void *)labels.at,
                                    (float *)(void *)work.at, dx.at, stats));
    all_blocks();
    expect("loss", get(work, 4, row), log(1024), 0x1p-22);
    expect("dx", get(dx, size, at), 1.0 / 1024, size == 2 ? 0x1p-8 : 0x1p-22);
    expect("dx of the label", get(dx, size, n - 1), 1.0 / 1024 - 1, size == 2 ? 0x1p-8 : 0x1p-22);
    space all[] = {z, dx, work, labels};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) space_close(all[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(maps_reach_far),      cmocka_unit_test(vectors_reach_far),
        cmocka_unit_test(updates_reach_far),   cmocka_unit_test(norm_reaches_far),
        cmocka_unit_test(pooling_reaches_far), cmocka_unit_test(lrn_reaches_far),
        cmocka_unit_test(shortcuts_reach_far), cmocka_unit_test(input_reaches_far),
        cmocka_unit_test(losses_reach_far),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
