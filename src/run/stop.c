/* The handler may only do what is safe in a signal: set a flag, or leave. */
#include "stop.h"

#include "gyre/status.h"
#include <signal.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

/* Signal handlers have no argument of ours: the one place that needs variables of the process. */
static volatile sig_atomic_t wanted;
static volatile sig_atomic_t interrupted_at; /* second of the first SIGINT, plus 1 */

static int second_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int)(t.tv_sec % 1000000) + 1;
}

static void on_signal(int signal_number) {
    wanted = 1;
    if (signal_number != SIGINT) return;
    if (interrupted_at == 0) {
        interrupted_at = second_now();
    } else if (interrupted_at != second_now()) {
        /* in one and the same second it is a launcher and a terminal saying the same thing */
        _exit(GYRE_EINTERRUPTED);
    }
}

static const int caught[] = {SIGINT, SIGTERM, SIGUSR1};

void gyre_stop_catch(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    wanted = 0;
    interrupted_at = 0;
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) sigaction(caught[i], &action, NULL);
}

void gyre_stop_release(void) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) sigaction(caught[i], &action, NULL);
}

bool gyre_stop_wanted(void) {
    return wanted != 0;
}
