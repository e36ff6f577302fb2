/* How f32 becomes bf16: to nearest, ties to even, NaN stays NaN, also among sums, against
 * arithmetic in double. A fully connected layer's packed weights are plain bf16, so they show the
 * rounding of single numbers; the addition of two activations shows that of whole groups. */
#include "ops.h"

static float float_of(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static bool same(float have, double want) {
    return isnan(want) ? isnan(have) : (double)have == want && !signbit(have) == !signbit(want);
}

/* Next to every bf16 number: on it, on the tie above and beside both. */
static const uint32_t LOW[] = {0, 1, 0x7fff, 0x8000, 0x8001, 0xffff};
enum { LOWS = sizeof LOW / sizeof LOW[0], UPPERS = 1 << 16 };

static void weights_round_to_nearest_even(void **state) {
    gyre_backend *b = *state;
    const gyre_linear_shape s = {1, UPPERS, 1, false, false};
    float *x = malloc(UPPERS * sizeof *x);
    for (size_t low = 0; low < LOWS; low++) {
        for (uint32_t i = 0; i < UPPERS; i++) x[i] = float_of(i << 16 | LOW[low]);
        buffer w = buffer_from(b, x, UPPERS, sizeof *x), packed = acts_new(b, UPPERS);
        OK(b->ops->linear_pack(b->main, &s, F(w), R(packed)));
        float *have = buffer_read(packed);
        for (size_t i = 0; i < UPPERS; i++) {
            double want = packed.size == sizeof(float) ? (double)x[i] : bf16_of((double)x[i]);
            if (!same(have[i], want)) fail_msg("%a became %a", (double)x[i], (double)have[i]);
        }
        free(have);
        buffer_free(w);
        buffer_free(packed);
    }
    free(x);
}

/* Sums with ties, with carries into the next power of two and to infinity, denormals, and NaN. */
static void sums_round_to_nearest_even(void **state) {
    static const double pairs[][2] = {{1, 0x1p-8},
                                      {1, 0x3p-9},
                                      {1 + 0x1p-7, 0x1p-8},
                                      {1, 0x1p-9},
                                      {2 - 0x1p-7, 0x1p-8},
                                      {-1, -0x1p-8},
                                      {-1, 0x1p-9},
                                      {0, -0.0},
                                      {0xffp120, 0x1p119},
                                      {0xffp120, 0x1p118},
                                      {-0xffp120, -0x1p119},
                                      {0x1p-133, 0x1p-133},
                                      {0x1p-126, 0x1p-133},
                                      {0xfep-133, 0x1p-133},
                                      {0x1p-126, -0x1p-133},
                                      {NAN, 1},
                                      {1, NAN},
                                      {INFINITY, 1},
                                      {INFINITY, -INFINITY},
                                      {0x1p100, -0x1p-100}};
    enum { PAIRS = sizeof pairs / sizeof pairs[0], N = 3 * 32 + 17 };
    gyre_backend *b = *state;
    for (size_t first = 0; first < PAIRS; first++) { /* each pair in each place of a group */
        double x[N], y[N];
        for (size_t i = 0; i < N; i++) {
            x[i] = pairs[(first + i) % PAIRS][0];
            y[i] = pairs[(first + i) % PAIRS][1];
        }
        buffer bx = acts_of(b, x, N), by = acts_of(b, y, N);
        OK(b->ops->accumulate(b->main, N, A(bx), A(by)));
        float *have = buffer_read(by);
        for (size_t i = 0; i < N; i++) {
            double sum = (double)((float)x[i] + (float)y[i]);
            double want = by.size == sizeof(float) ? sum : bf16_of(sum);
            if (!same(have[i], want)) {
                fail_msg("%a + %a became %a instead of %a", x[i], y[i], (double)have[i], want);
            }
        }
        free(have);
        buffer_free(bx);
        buffer_free(by);
    }
}

/* What arithmetic makes of an f32 NaN may carry all bits below a bf16's, and rounding must not turn
 * that into 0: fresh memory under test is such a NaN. */
static void any_nan_of_a_parameter_is_seen(void **state) {
    gyre_backend *b = *state;
    static const uint32_t nans[] = {0x7fffffff, 0xffffffff, 0x7f800001, 0xff800001, 0x7fc00000};
    const gyre_batch_norm_shape s = {2, 3, 3, 19, 1e-5f, true, false, true};
    enum { C = 19, COUNT = 18 * C };
    for (size_t i = 0; i < sizeof nans / sizeof nans[0]; i++) {
        for (int which = 0; which < 3; which++) { /* gamma, beta, mean */
            float list[4][2 * C];
            for (int k = 0; k < 4; k++) {
                for (int j = 0; j < 2 * C; j++) list[k][j] = 1;
            }
            list[which][5] = float_of(nans[i]);
            double *content = randoms(1, COUNT);
            round_acts(content, COUNT);
            buffer x = acts_of(b, content, COUNT), y = acts_new(b, COUNT),
                   saved = buffer_new(b, 2 * C);
            buffer gamma = buffer_from(b, list[0], C, sizeof(float));
            buffer beta = buffer_from(b, list[1], C, sizeof(float));
            buffer running = buffer_from(b, list[2], (size_t)2 * C, sizeof(float));
            buffer dgamma = buffer_new(b, C), dbeta = buffer_new(b, C);
            OK(b->ops->batch_norm_eval(b->main, &s, A(x), NULL, F(gamma), F(beta), F(running),
                                       F(saved), A(y)));
            float *have = buffer_read(y);
            for (int k = 0; k < COUNT; k++) assert_int_equal(isnan(have[k]) != 0, k % C == 5);
            free(have);
            OK(b->ops->batch_norm_dx(b->main, &s, A(x), A(y), A(x), F(gamma), F(saved), A(x), NULL,
                                     F(dgamma), F(dbeta)));
            have = buffer_read(x);
            for (int k = 0; k < COUNT; k++) {
                assert_int_equal(isnan(have[k]) != 0, k % C == 5 && which != 1);
            }
            free(have);
            buffer all[] = {x, y, saved, gamma, beta, running, dgamma, dbeta};
            for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) buffer_free(all[k]);
            free(content);
        }
    }
}

/* Windows that overlap add up in f32: four halves of an ulp are seen, which one by one would be
 * lost. */
static void overlapping_windows_are_rounded_once(void **state) {
    gyre_backend *b = *state;
    const gyre_pool_shape s = {1, 3, 3, 1, 2, 2, 1, 1, 0, 0, true, false, false};
    const double x[9] = {0, 0, 0, 0, 1, 0, 0, 0, 0}, dy[4] = {1, 0x1p-8, 0x1p-8, 0x1p-8};
    const double want[9] = {0, 0, 0, 0, 1 + 0x3p-8, 0, 0, 0, 0};
    buffer bx = acts_of(b, x, 9), by = acts_new(b, 4), bdy = acts_of(b, dy, 4),
           bdx = acts_new(b, 9);
    buffer saved = buffer_bytes(b, b->ops->pool_saved_size(b, &s));
    OK(b->ops->pool(b->main, &s, A(bx), R(saved), A(by)));
    OK(b->ops->pool_dx(b->main, &s, A(bdy), R(saved), A(bdx)));
    check_close("dx", bdx, want, NULL, 0);
    buffer all[] = {bx, by, bdy, bdx, saved};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_round_to_nearest_even),
        cmocka_unit_test(sums_round_to_nearest_even),
        cmocka_unit_test(any_nan_of_a_parameter_is_seen),
        cmocka_unit_test(overlapping_windows_are_rounded_once),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
