/* Interrupts: a signal only raises a flag, which rides on the next step's agreement, so that all
 * ranks stop after the same update and write a checkpoint. The handler may only do what is safe in
 * a signal: set a flag, or leave. */
#include "gyre/run.h"

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

/* Signal handlers have no argument of ours: the one place that needs variables of the process. */
static int holders; /* who caught and has not released */
static volatile sig_atomic_t wanted;
static volatile sig_atomic_t interrupted; /* a first SIGINT came, at `first` */
static struct timespec first;

/* A launcher and a terminal may both say the same thing, within moments. */
static bool is_another(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    int64_t passed =
        (int64_t)(now.tv_sec - first.tv_sec) * 1000000000 + now.tv_nsec - first.tv_nsec;
    return passed >= 1000000000;
}

static void on_signal(int signal_number) {
    wanted = 1;
    if (signal_number != SIGINT) return;
    if (interrupted && is_another()) _exit(GYRE_EINTERRUPTED);
    if (interrupted) return;
    clock_gettime(CLOCK_MONOTONIC, &first);
    interrupted = 1;
}

static const int caught[] = {SIGINT, SIGTERM, SIGUSR1};

void gyre_stop_catch(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    if (holders++ > 0) return;
    sigemptyset(&action.sa_mask);
    wanted = 0;
    interrupted = 0;
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) sigaction(caught[i], &action, NULL);
}

/* A launcher tells one rank after the other, and those told first stop all: to the last ones the
 * signal may come when their run is over, and must not be what they die of. */
void gyre_stop_release(bool stopped) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    if (--holders > 0 || stopped) return;
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof caught / sizeof *caught; i++) {
        action.sa_handler = caught[i] == SIGUSR1 ? SIG_IGN : SIG_DFL;
        sigaction(caught[i], &action, NULL);
    }
}

bool gyre_stop_wanted(void) {
    return wanted != 0;
}
