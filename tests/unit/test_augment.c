/* What augmentation draws: pure functions of (seed, epoch, sample), with the distributions of their
 * sources. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/augment.h"
#include <math.h>
#include <string.h>

enum { DRAWS = 20000 };

/* ---- random erasing */

/* Of an image that is too large for rounding to matter. Areas are uniform, but those that do not
 * fit are drawn again: at ratios up to 3.33 an area below 0.3 of a square always fits. Bounds are 5
 * deviations of a mean of so many draws. */
static void erasing_draws_areas_ratios_and_places(void **state) {
    (void)state;
    enum { SIDE = 10000 };
    const gyre_erasing_settings s = {0.25, 0.02, 0.28, 10.0 / 3, GYRE_ERASING_ZERO};
    double area = 0, turn = 0, place = 0;
    int erased = 0;
    for (int64_t i = 0; i < DRAWS; i++) {
        gyre_erase e = gyre_erase_draw(&s, 3, i % 2 ? 7 : i, i % 2 ? i : 7, SIDE, SIDE);
        if (e.h == 0) continue;
        assert_true(e.noise == 0 && e.y >= 0 && e.x >= 0);
        assert_true(e.w > 0 && e.y + e.h <= SIDE && e.x + e.w <= SIDE);
        double share = (double)e.h * e.w / SIDE / SIDE, ratio = (double)e.h / e.w;
        assert_true(share > 0.0199 && share < 0.2801 && ratio > 0.299 && ratio < 3.34);
        area += share;
        turn += log(ratio);
        place += (double)e.x / (SIDE - e.w) + (double)e.y / (SIDE - e.h);
        erased++;
    }
    const double n = erased, range = 2 * log(10.0 / 3);
    assert_true(fabs(n / DRAWS - 0.25) < 5 * sqrt(0.25 * 0.75 / DRAWS));
    assert_true(fabs(area / n - 0.15) < 5 * 0.26 / sqrt(12 * n));
    assert_true(fabs(turn / n) < 5 * range / sqrt(12 * n));
    assert_true(fabs(place / n - 1) < 5 / sqrt(6 * n));
}

static void erasing_is_keyed(void **state) {
    (void)state;
    const gyre_erasing_settings s = {1, 0.02, 0.33, 3, GYRE_ERASING_NOISE};
    const gyre_erase e = gyre_erase_draw(&s, 1, 2, 3, 32, 32);
    const uint64_t keys[][3] = {{1, 2, 3}, {2, 2, 3}, {1, 3, 3}, {1, 2, 4}};
    assert_true(e.noise == 1 && e.h > 0 && e.h < 32 && e.w > 0 && e.w < 32);
    for (int i = 0; i < 4; i++) {
        gyre_erase other = gyre_erase_draw(&s, keys[i][0], (int64_t)keys[i][1],
                                           (int64_t)keys[i][2], 32, 32);
        assert_int_equal(memcmp(&e, &other, sizeof e) == 0, i == 0);
    }
}

/* No rectangle of these areas is smaller than the image in both directions. */
static void erasing_gives_up(void **state) {
    (void)state;
    const gyre_erasing_settings s = {1, 0.98, 1, 3, GYRE_ERASING_ZERO};
    for (int64_t i = 0; i < 100; i++) {
        assert_int_equal(gyre_erase_draw(&s, 1, 2, i, 8, 8).h, 0);
    }
}

/* ---- colour jitter */

/* 24 orders: 23 degrees of freedom, of which 60 is passed once in 25,000 trials; factors within 5
 * deviations of a mean. */
static void jitter_draws_orders_and_factors(void **state) {
    (void)state;
    const gyre_jitter_settings s = {0.4, 2, 0.5, 0.1}, alone = {.contrast = 2};
    int orders[256] = {0};
    double sums[4] = {0}, chi = 0;
    for (int64_t i = 0; i < DRAWS; i++) {
        gyre_jitter j = gyre_jitter_draw(&s, 3, i % 2 ? 7 : i, i % 2 ? i : 7);
        gyre_jitter k = gyre_jitter_draw(&alone, 3, i % 2 ? 7 : i, i % 2 ? i : 7);
        assert_true(k.contrast == j.contrast && k.brightness == 1 && k.hue == 0);
        assert_memory_equal(j.order, k.order, sizeof j.order);
        assert_true(j.brightness >= 0.6 && j.brightness < 1.4);
        assert_true(j.contrast >= 0 && j.contrast < 3 && fabs(j.hue) <= 0.1);
        assert_int_equal(1 << j.order[0] | 1 << j.order[1] | 1 << j.order[2] | 1 << j.order[3], 15);
        orders[j.order[0] << 6 | j.order[1] << 4 | j.order[2] << 2 | j.order[3]]++;
        const double to_1[4] = {(j.brightness - 1) / 0.4, (j.contrast - 1.5) / 1.5,
                                (j.saturation - 1) / 0.5, j.hue / 0.1};
        for (int n = 0; n < 4; n++) sums[n] += to_1[n];
    }
    for (int i = 0; i < 256; i++) {
        if (orders[i] > 0) chi += pow(orders[i] - DRAWS / 24.0, 2) / (DRAWS / 24.0);
    }
    assert_true(chi < 60);
    for (int n = 0; n < 4; n++) assert_true(fabs(sums[n]) < 5 * sqrt(DRAWS / 3.0));
}

/* ---- mixup and cutmix */

/* Beta(a, a) has the mean 1/2 and the variance 1 / (4 (2 a + 1)); a mean of squares of numbers
 * between -1/2 and 1/2 deviates by less than 1/8 / sqrt(n). */
static void shares_are_those_of_a_beta_distribution(void **state) {
    (void)state;
    const double alphas[] = {0.1, 0.2, 1, 4};
    for (int k = 0; k < 4; k++) {
        const gyre_data_settings s = {.mixup = alphas[k]};
        double sum = 0, squares = 0;
        for (int64_t step = 0; step < DRAWS; step++) {
            gyre_mix m = gyre_mix_draw(&s, 5, step, 8, 9);
            assert_true(m.on && m.y == 0 && m.x == 0 && m.h == 8 && m.w == 9);
            assert_true(m.values == m.label && m.label >= 0 && m.label <= 1);
            double share = (double)m.label - 0.5;
            sum += share;
            squares += share * share;
        }
        const double variance = 1 / (4 * (2 * alphas[k] + 1));
        assert_true(fabs(sum / DRAWS) < 5 * sqrt(variance / DRAWS));
        assert_true(fabs(squares / DRAWS - variance) < 5 * 0.125 / sqrt(DRAWS));
    }
}

/* Beta(1, 1) is uniform. A rectangle that is not cut has sides sqrt(1 - share), rounded down to
 * even numbers. */
static void cutmix_takes_rectangles(void **state) {
    (void)state;
    enum { SIDE = 1000 };
    const gyre_data_settings s = {.cutmix = 1};
    double area = 0;
    int whole = 0;
    for (int64_t step = 0; step < DRAWS; step++) {
        gyre_mix m = gyre_mix_draw(&s, 5, step, SIDE, SIDE);
        assert_true(m.on && m.values == 0 && m.y >= 0 && m.x >= 0);
        assert_true(m.y + m.h <= SIDE && m.x + m.w <= SIDE);
        assert_true(m.label == (float)(1 - (double)m.h * m.w / SIDE / SIDE));
        if (m.y == 0 || m.x == 0 || m.y + m.h == SIDE || m.x + m.w == SIDE) continue;
        assert_int_equal(m.h, m.w);
        area += (double)m.h * m.w / SIDE / SIDE;
        whole++;
    }
    /* One of area t is not cut with probability (1 - sqrt(t))^2. Over uniform t its integral is 1/6,
     * and that of t times it 1/30. */
    assert_true(fabs(whole / (double)DRAWS - 1.0 / 6) < 5 * 0.373 / sqrt(DRAWS) + 2.0 / SIDE);
    assert_true(fabs(area / whole - 0.2) < 5 * 0.2 / sqrt(whole) + 2.0 / SIDE);
}

static void either_is_drawn(void **state) {
    (void)state;
    const gyre_data_settings s = {.mixup = 0.5, .cutmix = 1};
    int cut = 0;
    for (int64_t step = 0; step < DRAWS; step++) {
        gyre_mix m = gyre_mix_draw(&s, 5, step, 32, 32), again = gyre_mix_draw(&s, 5, step, 32, 32);
        assert_memory_equal(&m, &again, sizeof m);
        cut += m.values == 0;
    }
    assert_true(fabs(cut / (double)DRAWS - 0.5) < 5 * 0.5 / sqrt(DRAWS));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(erasing_draws_areas_ratios_and_places),
        cmocka_unit_test(erasing_is_keyed),
        cmocka_unit_test(erasing_gives_up),
        cmocka_unit_test(jitter_draws_orders_and_factors),
        cmocka_unit_test(shares_are_those_of_a_beta_distribution),
        cmocka_unit_test(cutmix_takes_rectangles),
        cmocka_unit_test(either_is_drawn),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
