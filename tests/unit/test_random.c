/* Keyed random numbers: known answers, independence of streams, unbiased bounded draws. */
#include "gyre/random.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void streams_are_pure_functions_of_their_key(void **state) {
    (void)state;
    gyre_random a = gyre_random_open(7, GYRE_RANDOM_TEST, 1, 2);
    gyre_random b = gyre_random_open(7, GYRE_RANDOM_TEST, 1, 2);
    for (int i = 0; i < 100; i++) assert_int_equal(gyre_random_u32(&a), gyre_random_u32(&b));
}

static void every_part_of_the_key_counts(void **state) {
    (void)state;
    gyre_random streams[] = {
        gyre_random_open(7, GYRE_RANDOM_TEST, 1, 2),
        gyre_random_open(8, GYRE_RANDOM_TEST, 1, 2),
        gyre_random_open(7 + (1ull << 32), GYRE_RANDOM_TEST, 1, 2),
        gyre_random_open(7, GYRE_RANDOM_ORDER, 1, 2),
        gyre_random_open(7, GYRE_RANDOM_TEST, 2, 2),
        gyre_random_open(7, GYRE_RANDOM_TEST, 1 + (1ull << 32), 2),
        gyre_random_open(7, GYRE_RANDOM_TEST, 1, 3),
        gyre_random_open(7, GYRE_RANDOM_TEST, 1, 2 + (1ull << 32)),
    };
    enum { COUNT = sizeof streams / sizeof streams[0] };
    uint64_t first[COUNT];
    for (int i = 0; i < COUNT; i++) {
        first[i] = gyre_random_u64(&streams[i]);
        for (int j = 0; j < i; j++) assert_true(first[i] != first[j]);
    }
}

/* A run's weights and order are made of these bits: they must never change between versions. */
static void bits_are_frozen(void **state) {
    (void)state;
    gyre_random r = gyre_random_open(42, GYRE_RANDOM_WEIGHTS, 3, 5);
    assert_int_equal(gyre_random_u32(&r), 0xb64a0eebu);
    assert_int_equal(gyre_random_u32(&r), 0x68597293u);
}

static void below_is_unbiased(void **state) {
    (void)state;
    enum { BOUND = 6, DRAWS = 60000 };
    int count[BOUND] = {0};
    gyre_random r = gyre_random_open(1, GYRE_RANDOM_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        uint32_t x = gyre_random_below(&r, BOUND);
        assert_true(x < BOUND);
        count[x]++;
    }
    /* standard deviation of a count is sqrt(60000 * 5 / 36) = 91; 5 of them */
    for (int i = 0; i < BOUND; i++) assert_true(count[i] > 10000 - 455 && count[i] < 10000 + 455);
    assert_int_equal(gyre_random_below(&r, 1), 0);
}

static void normal_has_its_moments(void **state) {
    (void)state;
    enum { DRAWS = 100000 };
    double sum = 0, squares = 0, cubes = 0;
    gyre_random r = gyre_random_open(2, GYRE_RANDOM_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        double x = gyre_random_normal(&r);
        assert_true(isfinite(x));
        sum += x;
        squares += x * x;
        cubes += x * x * x;
    }
    /* standard errors 1, sqrt(2) and sqrt(15) over sqrt(1e5) = 0.0032; 5 of them */
    assert_true(fabs(sum / DRAWS) < 0.016);
    assert_true(fabs(squares / DRAWS - 1) < 0.023);
    assert_true(fabs(cubes / DRAWS) < 0.062);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_are_pure_functions_of_their_key),
        cmocka_unit_test(every_part_of_the_key_counts),
        cmocka_unit_test(bits_are_frozen),
        cmocka_unit_test(below_is_unbiased),
        cmocka_unit_test(normal_has_its_moments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
