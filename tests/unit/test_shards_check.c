/* Which ranks and shards fit, and that the message names what would. */
#include "../../src/run/shards_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void check(gyre_reduce reduce, int batch, int shards, int ranks, const char *words) {
    gyre_status status = gyre_shards_check(reduce, batch, shards, ranks);
    assert_int_equal(status, words == NULL ? GYRE_OK : GYRE_EUSAGE);
    if (words != NULL && strstr(gyre_error_text(), words) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", words, gyre_error_text());
    }
}

static void exact(void **state) {
    (void)state;
    for (int ranks = 1; ranks <= 8; ranks *= 2) check(GYRE_REDUCE_EXACT, 128, 8, ranks, NULL);
    check(GYRE_REDUCE_EXACT, 128, 4, 3, "2 or 4 ranks");
    check(GYRE_REDUCE_EXACT, 128, 4, 8, "at most 4 ranks");
    check(GYRE_REDUCE_EXACT, 128, 4, 8, "batch.shards to 8");
    check(GYRE_REDUCE_EXACT, 128, 4, 8, "of 16 samples");
    check(GYRE_REDUCE_EXACT, 96, 3, 1, "are 2 or 4");
    check(GYRE_REDUCE_EXACT, 100, 8, 1, "are 4");
    check(GYRE_REDUCE_EXACT, 12, 16, 1, "are 4");
}

static void fast(void **state) {
    (void)state;
    check(GYRE_REDUCE_FAST, 96, 6, 3, NULL);
    check(GYRE_REDUCE_FAST, 96, 6, 4, "3 or 6 ranks");
    check(GYRE_REDUCE_FAST, 96, 6, 4, "batch.shards to 4");
    check(GYRE_REDUCE_FAST, 96, 7, 1, "are 6 or 8");
}

static void idle_workers(void **state) {
    (void)state;
    assert_int_equal(gyre_shards_for(GYRE_REDUCE_EXACT, 128, 3), 4);
    assert_int_equal(gyre_shards_for(GYRE_REDUCE_FAST, 90, 4), 5);
    assert_int_equal(gyre_shards_for(GYRE_REDUCE_EXACT, 100, 5), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact),
        cmocka_unit_test(fast),
        cmocka_unit_test(idle_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
