/* Layers by channel, pixel and sample: operations on tensors of more than 2^32 elements
 * (far_rig.h). */
#include "far_rig.h"

/* 64 channels, and pixels cut into parts: 256 for sums, 2048 for loops that write. A launch with
 * one of them alone runs only that kernel's block, the last one. */
enum { C = 64, SUMS = GPU_COLUMN_PARTS - 1, MAPS = 2047 };
static const gyre_batch_norm_shape norm = {(1 << 12) + 1, 128, 128, C, 0, true, true, false};

/* A norm's small vectors: by channel; sums by parts and the factors behind them (work). */
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
    GPU(batch_norm_eval, &norm, act(x), act(x), f32(v.gamma), f32(v.beta), f32(v.running), NULL,
        act(y));
    expect("batch_norm_eval", get(y, size, at), (6 - 2) / 2.0 * 2 + 1 + 6, 0);
    GPU(batch_norm_train, &norm, act(x), act(x), f32(v.gamma), f32(v.beta), f32(v.saved),
        f32(v.moments), act(y));
    expect("batch_norm_train", get(y, size, at), (6 - 2) * 0.25 * 2 + 1 + 6, 0);
    emulator_blocks(SUMS, SUMS);
    CUDA_OK(gpu_column_sum_launch(NULL, bf16, rows, C, x.at, v.work, v.dbeta));
    expect("column_sum", (double)v.work[SUMS * C + column], 6, 0);
    v.work[SUMS * C + column] = 0;
    GPU(batch_norm_train, &norm, act(x), act(x), f32(v.gamma), f32(v.beta), f32(v.saved),
        f32(v.moments), act(y));
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
    GPU(batch_norm_dx, &norm, act(x), act(y), act(dy), f32(v.gamma), f32(v.saved), act(dx),
        act(residual), f32(v.dgamma), f32(v.dbeta));
    expect("sum of dy", (double)v.work[SUMS * C + column], 3, 0);
    expect("dy (x - mean)", (double)v.work[(GPU_COLUMN_PARTS + SUMS) * C + column], 3 * (6 - 2), 0);
    for (uint64_t k = 0; k < 3; k++) factors[k * C + column] = (float)k + 5;
    emulator_blocks(MAPS, MAPS);
    GPU(batch_norm_dx, &norm, act(x), act(y), act(dy), f32(v.gamma), f32(v.saved), act(dx),
        act(residual), f32(v.dgamma), f32(v.dbeta));
    all_blocks();
    emulated_work(NULL);
    expect("batch_norm_dx", get(dx, size, at), 5 * 3 + (6 * (6 - 2) + 7), 0);
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

/* Each operation on the last pixel, where x is 6 and dy, which is also b, is 3; b is as long as x,
 * and only its beginning, zeros, is spread. */
static void broadcast_reaches_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    gyre_broadcast_shape s = {norm.n, 128, 128, C, GYRE_BROADCAST_NONE, true};
    gyre_scale_shape factors = {norm.n, 128, 128, C};
    uint64_t rows = (uint64_t)s.n * 128 * 128, n = rows * C, at = n - 3;
    static norm_vectors v;
    norm_vectors_fill(&v);
    space x = space_open(n * size), dy = space_open(n * size), y = space_open(n * size);
    put(x, size, at, 6);
    put(dy, size, at, 3);
    only_block_of(at / (16 / size));
    GPU(broadcast, &s, act(x), act(dy), act(y));
    expect("product", get(y, size, at), 18, 0);
    s.multiply = false;
    for (int over = GYRE_BROADCAST_PIXELS; over <= GYRE_BROADCAST_CHANNELS; over++) {
        put(y, size, at, 1);
        s.over = (gyre_broadcast)over;
        GPU(broadcast, &s, act(x), act(dy), act(y));
        expect("sum", get(y, size, at), 6, 0);
    }
    only_block_of((rows - 1) * 32);
    s.multiply = true;
    GPU(broadcast_db, &s, act(x), act(dy), act(y));
    expect("over channels", get(y, size, rows - 1), 18, 0);
    emulator_blocks(MAPS, MAPS);
    GPU(scale, &factors, act(x), f32(v.gamma), act(y));
    expect("scale", get(y, size, at), 12, 0);
    emulator_blocks(SUMS, SUMS);
    emulated_work(v.work);
    GPU(scale_dw, &factors, act(x), act(dy), f32(v.dgamma));
    expect("scale_dw", (double)v.work[SUMS * C + C - 3], 18, 0);
    emulator_blocks((uint64_t)s.n - 1, (uint64_t)s.n - 1);
    static float sums[((1 << 12) + 1) * C];
    CUDA_OK(
        gpu_sample_products_launch(NULL, size == 2, (size_t)s.n, 128 * 128, C, x.at, dy.at, sums));
    all_blocks();
    emulated_work(NULL);
    expect("over pixels", (double)sums[(1 << 12) * C + C - 3], 18, 0);
    space all[] = {x, dy, y};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) space_close(all[i]);
}

/* The last number of each. */
static void moves_reach_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    uint64_t rows = (uint64_t)norm.n * 128 * 128, n = rows * C, at = n - 1;
    gyre_copy_shape copy = {rows, C / 2, C, C / 2, C, C / 2};
    gyre_transpose_shape matrices = {norm.n, 128 * 128, C};
    gyre_upsample_shape twice = {norm.n, 64, 64, C, 2};
    space x = space_open(n * size), y = space_open(n * size);
    put(x, size, at, 7);
    only_block_of((rows * C / 2 - 1) / (16 / size));
    gyre_dropout_shape all = {norm.n, 0, 128 * 128, C, GYRE_DROP_ELEMENTS, {0}, 0, 2};
    GPU(copy_columns, &copy, act(x), act(y));
    expect("copy_columns", get(y, size, at), 7, 0);
    put(y, size, at, 0);
    uint64_t tile = rows / 32 * (C / 32) - 1;
    emulator_blocks(tile % 4096, tile % 4096);
    GPU(transpose, &matrices, act(x), act(y));
    expect("transpose", get(y, size, at), 7, 0);
    put(y, size, at, 0);
    only_block_of(at / (16 / size));
    gyre_adaptive_pool_shape bins = {norm.n, 128, 128, C, 128, 128}; /* a pixel each */
    GPU(adaptive_pool, &bins, act(x), act(y));
    expect("adaptive_pool", get(y, size, at), 7, 0);
    put(y, size, at, 0);
    GPU(adaptive_pool_dx, &bins, act(x), act(y));
    expect("adaptive_pool_dx", get(y, size, at), 7, 0);
    put(y, size, at, 0);
    put(x, size, n / 4 - 1, 3);
    int32_t draws[GYRE_DRAW_WORDS] = {0};
    GPU(dropout, &all, (gyre_i32)(void *)draws, act(x), act(y));
    expect("dropout", get(y, size, at), 14, 0);
    put(y, size, at, 0);
    GPU(upsample, &twice, act(x), act(y));
    expect("upsample", get(y, size, at), 3, 0);
    only_block_of((n / 4 - 1) / (16 / size));
    GPU(upsample_dx, &twice, act(x), act(y));
    all_blocks();
    expect("upsample_dx", get(y, size, n / 4 - 1), 7, 0);
    space_close(x);
    space_close(y);
}

static void pooling_reaches_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    gyre_pool_shape s = {(1 << 12) + 80, 128, 128, C, 2, 2, 1, 1, 0, 0, true, false, false};
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

/* x is 2 in the last channel and 0 beside it: s = 1 + 3.75 * 4 = 16. */
static void channel_lrn_reaches_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    gyre_channel_lrn_shape s = {norm.n, 128, 128, C, 3, 3.75f * 3, 0.75f, 1};
    uint64_t n = (uint64_t)s.n * 128 * 128 * C, at = n - 1;
    space x = space_open(n * size), dy = space_open(n * size), work = space_open(n * 4);
    space y = space_open(n * size);
    put(x, size, at, 2);
    put(dy, size, at, 8);
    only_block_of(at);
    emulated_work(work.at);
    GPU(channel_lrn, &s, act(x), act(y));
    expect("channel_lrn", get(y, size, at), 2.0 / 8, 0);
    GPU(channel_lrn_dx, &s, act(x), act(dy), act(y));
    emulated_work(NULL);
    all_blocks();
    expect("share", get(work, 4, at), 16.0 / 8 / 16, 0);
    expect("channel_lrn_dx", get(y, size, at), 1 - 1.5 * 3.75 * 2 * 0.125, 0x1p-8);
    space all[] = {x, dy, work, y};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) space_close(all[i]);
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
                           (int32_t *)(void *)labels.at, NULL, NULL, {0}};
    const gyre_batch bytes = {.element = GYRE_ELEMENT_U8}, values = {.element = GYRE_ELEMENT_I16};
    only_block_of(at / (16 / size));
    CUDA_OK(gpu_input_launch(NULL, size == 2, &s, &bytes, &slot, 0, floats(mean), scale,
                             x.at));
    expect("input", get(x, size, at), (100 - 1) * 2, 0);
    put(mean, 4, image - 2, 1);
    only_block_of(at - 1);
    s.n = 1 << 11; /* half of it, as 16-bit numbers */
    ((int16_t *)(void *)images.at)[(uint64_t)s.n * image - 2] = -100;
    ((int64_t *)(void *)rows.at)[s.n - 1] = s.n - 1;
    only_block_of((uint64_t)s.n * image - 2);
    CUDA_OK(gpu_input_launch(NULL, size == 2, &s, &values, &slot, 0, floats(mean), scale,
                             x.at));
    all_blocks();
    expect("values", get(x, size, (uint64_t)s.n * image - 2), (-100 - 1) * 2, 0);
    space all[] = {images, mean, x, rows, labels};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) space_close(all[i]);
}

static void losses_reach_far(void **state) {
    gyre_backend *b = *state;
    size_t size = b->act_size;
    gyre_loss_shape s = {(1 << 22) + 1, 1024, 0, 1, 1, false};
    uint64_t n = (uint64_t)s.n * 1024, row = (uint64_t)s.n - 1, at = row * 1024;
    space z = space_open(n * size), dx = space_open(n * size);
    space work = space_open((uint64_t)s.n * 8), labels = space_open((uint64_t)s.n * 4);
    float stats[2];
    ((int32_t *)(void *)labels.at)[row] = 1023;
    emulator_blocks(row / 4, row / 4);
    emulated_work(work.at);
    GPU(softmax_loss, &s, act(z), (gyre_i32)(void *)labels.at, NULL, act(dx), f32(stats));
    emulated_work(NULL);
    expect("loss", get(work, 4, row), log(1024), 0x1p-22);
    expect("dx", get(dx, size, at), 1.0 / 1024, size == 2 ? 0x1p-8 : 0x1p-22);
    expect("dx of the label", get(dx, size, n - 1), 1.0 / 1024 - 1, size == 2 ? 0x1p-8 : 0x1p-22);
    emulated_work(work.at);
    GPU(squared_error_loss, &s, act(z), (gyre_i32)(void *)labels.at, act(dx), f32(stats));
    emulated_work(NULL);
    expect("squared error", get(work, 4, row), 1.0 / 1024, 0);
    expect("its dx of the label", get(dx, size, n - 1), -2.0 / 1024, 0);
    gyre_value_loss_shape v = {GYRE_VALUE_LOSS_SQUARED, s.n, 1024, 1};
    space targets = space_open(n * 4);
    ((float *)(void *)targets.at)[n - 1] = 4;
    emulated_work(work.at);
    GPU(value_loss, &v, act(z), (gyre_f32)(void *)targets.at, act(dx), f32(stats));
    emulated_work(NULL);
    all_blocks();
    expect("value loss", get(work, 4, row), 16.0 / 1024, 0);
    expect("its dx", get(dx, size, n - 1), -8.0 / 1024, 0);
    space all[] = {z, dx, work, labels, targets};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) space_close(all[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(norm_reaches_far),        cmocka_unit_test(norm_gradients_reach_far),
        cmocka_unit_test(layer_norm_reaches_far),  cmocka_unit_test(layer_norm_gradients_reach_far),
        cmocka_unit_test(channel_lrn_reaches_far), cmocka_unit_test(broadcast_reaches_far),
        cmocka_unit_test(moves_reach_far),         cmocka_unit_test(pooling_reaches_far),
        cmocka_unit_test(lrn_reaches_far),         cmocka_unit_test(shortcuts_reach_far),
        cmocka_unit_test(input_reaches_far),       cmocka_unit_test(losses_reach_far),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
