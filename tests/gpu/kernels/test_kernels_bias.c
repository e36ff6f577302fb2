/* The kernels of cuda/conv.cu against scalar loops, on the emulator: odd sizes, misaligned
 * beginnings, NaN, in place, several orders of threads; nothing is written beside the result. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "emulator.h"
#include "kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 40000, GUARD = 16 };

/* To nearest even, NaN stays NaN. */
static uint16_t rounded(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if (isnan(x)) return 0x7fff;
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

static float wide(uint16_t x) {
    uint32_t bits = (uint32_t)x << 16;
    float out;
    memcpy(&out, &bits, sizeof out);
    return out;
}

static void assert_same(float found, float wanted) {
    if (isnan(wanted))
        assert_true(isnan(found));
    else
        assert_memory_equal(&found, &wanted, sizeof found);
}

static _Alignas(64) float x[ROOM], y32[ROOM], bias[512];
static _Alignas(64) uint16_t y16[ROOM], half[ROOM];

static void fill(void) {
    static const float special[] = {NAN, INFINITY, -INFINITY, 0.0f, -0.0f, 1e-40f, 3e38f, -3e38f};
    for (int i = 0; i < ROOM; i++) {
        x[i] = i % 41 < 8 ? special[i % 41] : (float)(rand() % 20001 - 10000) / 1024.0f;
        y32[i] = 77.0f;
        y16[i] = 0x4242;
        half[i] = rounded(x[i]);
    }
    for (int i = 0; i < 512; i++) bias[i] = (float)(rand() % 2001 - 1000) / 512.0f;
}

static void try_bias(size_t rows, size_t columns, size_t shift, bool relu, bool bf16, bool here) {
    size_t n = rows * columns;
    fill();
    float *from = x + shift, *to = here ? from : y32 + shift;
    float *before = malloc((n + GUARD) * sizeof *before);
    assert_non_null(before);
    memcpy(before, from, (n + GUARD) * sizeof *before);
    assert_int_equal(gpu_bias_launch(NULL, bf16, rows, columns, relu, from, bias,
                                     bf16 ? (void *)(y16 + shift) : (void *)to),
                     cudaSuccess);
    for (size_t i = 0; i < n; i++) {
        float sum = before[i] + bias[i % columns];
        if (relu && sum < 0) sum = 0;
        if (bf16)
            assert_same(wide(y16[shift + i]), wide(rounded(sum)));
        else
            assert_same(to[i], sum);
    }
    for (size_t i = n; i < n + GUARD; i++) {
        assert_int_equal(y16[shift + i], 0x4242);
        assert_same(to[i], here ? before[i] : 77.0f);
    }
    free(before);
}

static void test_bias(void **state) {
    (void)state;
    static const size_t sizes[][2] = {{1, 1}, {3, 10}, {37, 64}, {5, 500}, {257, 32}, {61, 20}};
    for (uint64_t seed = 0; seed < 4; seed++) {
        emulator_seed(seed);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            for (int k = 0; k < 8; k++) {
                bool relu = k & 1, bf16 = k & 2, here = !bf16 && (k & 4);
                try_bias(sizes[i][0], sizes[i][1], 0, relu, bf16, here);
                try_bias(sizes[i][0], sizes[i][1], 1, relu, bf16, here);
            }
        }
    }
    assert_int_equal(gpu_bias_launch(NULL, true, 0, 10, true, x, bias, y16), cudaSuccess);
}

static void test_widen(void **state) {
    (void)state;
    static const size_t sizes[] = {1, 3, 4, 5, 1023, 4097, 20001};
    for (uint64_t seed = 0; seed < 4; seed++) {
        emulator_seed(seed);
        for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            for (size_t shift = 0; shift < 3; shift++) {
                size_t n = sizes[i];
                fill();
                assert_int_equal(gpu_widen_launch(NULL, n, half + shift, y32), cudaSuccess);
                for (size_t k = 0; k < n; k++) assert_same(y32[k], wide(half[shift + k]));
                for (size_t k = n; k < n + GUARD; k++) assert_same(y32[k], 77.0f);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bias), cmocka_unit_test(test_widen)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
