/* Signals during a run, and those that come when it is over. */
#include "gyre/run.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void (*action_of(int signal_number))(int) {
    struct sigaction action;
    assert_int_equal(sigaction(signal_number, NULL, &action), 0);
    return action.sa_handler;
}

static void a_signal_raises_the_flag(void **state) {
    (void)state;
    const int signals[] = {SIGUSR1, SIGTERM, SIGINT};
    for (int i = 0; i < 3; i++) {
        gyre_stop_catch();
        assert_false(gyre_stop_wanted());
        raise(signals[i]);
        assert_true(gyre_stop_wanted());
        gyre_stop_release(true);
    }
}

static void who_caught_first_releases(void **state) {
    (void)state;
    gyre_stop_catch();
    gyre_stop_catch();
    raise(SIGTERM);
    gyre_stop_release(false);
    raise(SIGTERM);
    assert_true(gyre_stop_wanted());
    gyre_stop_release(false);
    assert_ptr_equal(action_of(SIGTERM), SIG_DFL);
    gyre_stop_catch();
    assert_false(gyre_stop_wanted());
    gyre_stop_release(false);
}

/* Another rank was told first: this one's run is over when it is told too. */
static void told_late(void **state) {
    (void)state;
    gyre_stop_catch();
    gyre_stop_release(true);
    raise(SIGUSR1);
    raise(SIGTERM);
    gyre_stop_catch();
    gyre_stop_release(false);
    raise(SIGUSR1);
    assert_ptr_equal(action_of(SIGINT), SIG_DFL);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_signal_raises_the_flag),
                                       cmocka_unit_test(who_caught_first_releases),
                                       cmocka_unit_test(told_late)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
