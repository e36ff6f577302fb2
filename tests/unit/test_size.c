/* Sizes from outside: no product wraps, no doubling runs for ever, no narrowing changes a number.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/size.h"

#include <string.h>

static void products_do_not_wrap(void **state) {
    (void)state;
    size_t n = 0;
    assert_true(gyre_size_multiply((size_t)1 << 31, (size_t)1 << 31, &n) && n == (size_t)1 << 62);
    assert_false(gyre_size_multiply((size_t)1 << 61, 72, &n));
    assert_true(gyre_size_of((size_t)1 << 61, 72) == SIZE_MAX);
    assert_true(gyre_size_of(SIZE_MAX, 0) == 0);
    assert_false(gyre_size_add(SIZE_MAX, 1, &n));
    assert_true(gyre_size_add(SIZE_MAX - 1, 1, &n) && n == SIZE_MAX);
}

static void doubling_ends(void **state) {
    (void)state;
    assert_true(gyre_size_double(0, 256, 0) == 256);
    assert_true(gyre_size_double(0, 256, 257) == 512);
    assert_true(gyre_size_double(512, 256, 512) == 512);
    assert_true(gyre_size_double(0, 256, ((size_t)1 << 63) + 1) == ((size_t)1 << 63) + 1);
    assert_true(gyre_size_double(0, 256, SIZE_MAX) == SIZE_MAX);
}

static void narrowing_keeps_the_number_or_fails(void **state) {
    (void)state;
    int out = 7;
    assert_int_equal(gyre_size_narrow(GYRE_EIO, "rows", 100, 100, &out), GYRE_OK);
    assert_int_equal(out, 100);
    assert_int_equal(gyre_size_narrow(GYRE_EIO, "rows", ((uint64_t)1 << 32) + 10, 100, &out),
                     GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "rows is 4294967306, at most 100 was expected"));
    assert_int_equal(gyre_size_narrow(GYRE_EIO, "rows", (uint64_t)-1, INT_MAX, &out), GYRE_EIO);
    assert_int_equal(out, 100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_do_not_wrap),
        cmocka_unit_test(doubling_ends),
        cmocka_unit_test(narrowing_keeps_the_number_or_fails),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
