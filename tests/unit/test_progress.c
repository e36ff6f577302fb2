/* The speed in the progress line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/progress.h"
#include <math.h>

static void a_burst_of_lines_is_no_speed(void **state) {
    (void)state;
    /* steps 5 and 6 of a resume at step 4; a line at 8 s, after step 5 */
    const gyre_progress p = {.begun = 4, .last = 8, .first = 4, .last_step = 5};
    assert_true(fabs(gyre_progress_rate(&p, 6, 64, 10) - 32) < 1e-9);
    assert_true(fabs(gyre_progress_rate(&p, 6, 64, 8.00005) - 128 / 4.00005) < 1e-9);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_burst_of_lines_is_no_speed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
