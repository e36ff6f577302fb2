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
    const int signals[] = {SIGUSR1, SIGUSR2, SIGXCPU, SIGALRM, SIGPWR, SIGHUP, SIGTERM, SIGINT};
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
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
    raise(SIGUSR2);
    raise(SIGXCPU);
    raise(SIGALRM);
    assert_ptr_equal(action_of(SIGINT), SIG_DFL);
}

static void nohup_keeps_its_word(void **state) {
    (void)state;
    signal(SIGHUP, SIG_IGN);
    gyre_stop_catch();
    raise(SIGHUP);
    assert_false(gyre_stop_wanted());
    gyre_stop_release(false);
    assert_ptr_equal(action_of(SIGHUP), SIG_IGN);
    signal(SIGHUP, SIG_DFL);
}

/* Where the handler runs, oneDNN's kernels keep nothing. */
static void a_handler_has_a_stack_of_its_own(void **state) {
    (void)state;
    struct sigaction action;
    stack_t stack;
    gyre_stop_catch();
    assert_int_equal(sigaction(SIGUSR1, NULL, &action), 0);
    assert_true(action.sa_flags & SA_ONSTACK);
    assert_int_equal(sigaltstack(NULL, &stack), 0);
    assert_false(stack.ss_flags & SS_DISABLE);
    assert_true(stack.ss_size >= 1 << 15);
    gyre_stop_release(false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_raises_the_flag), cmocka_unit_test(who_caught_first_releases),
        cmocka_unit_test(told_late), cmocka_unit_test(nohup_keeps_its_word),
        cmocka_unit_test(a_handler_has_a_stack_of_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
