/* Elementary functions against the 64-bit mantissas of long double, whose own error (<= 1 of its
 * ulps) is 2^-11 of ours and so does not show in the bounds. */
#include "gyre/random.h"
#include "gyre/realmath.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

enum { DRAWS = 200000 };
static const long double PI_LONG = 0xc.90fdaa22168c235p-2L;

static double between(gyre_random *r, double low, double high) {
    return low + (high - low) * gyre_random_uniform(r);
}

/* |got - want| in units of the last place of want */
static double ulps(double got, long double want) {
    double near = fabs((double)want);
    double ulp = nextafter(near, INFINITY) - near;
    return (double)(fabsl((long double)got - want) / (long double)ulp);
}

static void exp_within_one_ulp(void **state) {
    (void)state;
    gyre_random r = gyre_random_open(1, GYRE_RANDOM_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        double x = between(&r, -700, 700);
        assert_true(ulps(gyre_exp(x), expl(x)) <= 1);
        x = between(&r, -1, 1);
        assert_true(ulps(gyre_exp(x), expl(x)) <= 1);
    }
    assert_true(gyre_exp(0) == 1 && gyre_exp(-800) == 0 && isinf(gyre_exp(800)));
    assert_true(isnan(gyre_exp(NAN)));
}

static void log_within_one_ulp(void **state) {
    (void)state;
    gyre_random r = gyre_random_open(2, GYRE_RANDOM_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        double x = scalbn(between(&r, 1, 2), (int)between(&r, -1000, 1000));
        assert_true(ulps(gyre_log(x), logl(x)) <= 1);
        x = between(&r, 0.5, 2);
        assert_true(ulps(gyre_log(x), logl(x)) <= 1);
    }
    assert_true(gyre_log(1) == 0 && isinf(gyre_log(0)) && isnan(gyre_log(-1)));
}

static void cospi_and_sinpi_within_two_ulp(void **state) {
    (void)state;
    gyre_random r = gyre_random_open(3, GYRE_RANDOM_TEST, 0, 0);
    for (int i = 0; i < DRAWS; i++) {
        double x = between(&r, -3, 3);
        long double c = cosl(PI_LONG * (long double)x), s = sinl(PI_LONG * (long double)x);
        /* PI_LONG * x is itself wrong by 2^-64 * 3 pi: counted besides the ulps */
        assert_true(fabsl(gyre_cospi(x) - c) <= 2 * fabsl(c) * (long double)DBL_EPSILON + 0x1p-60L);
        assert_true(fabsl(gyre_sinpi(x) - s) <= 2 * fabsl(s) * (long double)DBL_EPSILON + 0x1p-60L);
    }
    assert_true(gyre_cospi(0) == 1 && gyre_cospi(0.5) == 0 && gyre_cospi(1) == -1);
    assert_true(gyre_sinpi(0) == 0 && gyre_sinpi(0.5) == 1 && gyre_sinpi(1) == 0);
}

static void power_within_one_ulp(void **state) {
    (void)state;
    gyre_random r = gyre_random_open(4, GYRE_RANDOM_TEST, 0, 0);
    for (int i = 0; i < 2000; i++) {
        /* the reference squares in long double: off by n * 2^-64, so n <= 500 stays below 1/4 ulp
         */
        double base = between(&r, 0.5, 2);
        int n = (int)between(&r, 0, 500);
        long double want = 1;
        for (int k = 0; k < n; k++) want *= (long double)base;
        assert_true(ulps(gyre_pow_int(base, n), want) <= 1);
        assert_true(ulps(gyre_pow_int(base, -n), 1 / want) <= 1);
    }
    assert_true(gyre_pow_int(2, 1023) == 0x1p1023 && gyre_pow_int(2, -1022) == 0x1p-1022);
    assert_true(gyre_pow_int(0.5, 2000) == 0 && gyre_pow_int(3, 0) == 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exp_within_one_ulp),
        cmocka_unit_test(log_within_one_ulp),
        cmocka_unit_test(cospi_and_sinpi_within_two_ulp),
        cmocka_unit_test(power_within_one_ulp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
