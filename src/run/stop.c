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

/* All that launchers, batch systems, terminals and limits end a job with. `late`: may come once
 * more when the run is over, and must not be what the process dies of. */
static const struct {
    int number;
    bool late;
} caught[] = {{SIGINT, false}, {SIGTERM, false}, {SIGHUP, false}, {SIGUSR1, true},
              {SIGUSR2, true}, {SIGXCPU, true},  {SIGALRM, true}, {SIGPWR, true}};
enum { CAUGHT = sizeof caught / sizeof *caught };

/* As nohup starts its command. */
static bool is_ignored(int number) {
    struct sigaction now;
    return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

/* oneDNN's kernels, which run on this thread too, keep data below the stack pointer, where a
 * handler would write: it gets a stack of its own. Other threads that compute block all signals. */
static void open_stack(void) {
    static char stack[1 << 16]; /* wide registers alone are 11 KiB of a signal's frame */
    const stack_t ours = {.ss_sp = stack, .ss_size = sizeof stack};
    stack_t now;
    if (sigaltstack(NULL, &now) == 0 && (now.ss_flags & SS_DISABLE)) sigaltstack(&ours, NULL);
}

void gyre_stop_catch(void) {
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART | SA_ONSTACK};
    if (holders++ > 0) return;
    open_stack();
    sigemptyset(&action.sa_mask);
    wanted = 0;
    interrupted = 0;
    for (int i = 0; i < CAUGHT; i++) {
        if (caught[i].number == SIGHUP && is_ignored(SIGHUP)) continue;
        sigaction(caught[i].number, &action, NULL);
    }
}

/* A launcher tells one rank after the other, and those told first stop all: to the last ones the
 * signal may come when their run is over. */
void gyre_stop_release(bool stopped) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    if (--holders > 0 || stopped) return;
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < CAUGHT; i++) {
        if (is_ignored(caught[i].number)) continue;
        action.sa_handler = caught[i].late ? SIG_IGN : SIG_DFL;
        sigaction(caught[i].number, &action, NULL);
    }
}

void gyre_stop_ignore_pipe(void) {
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigemptyset(&action.sa_mask);
    sigaction(SIGPIPE, &action, NULL);
}

bool gyre_stop_wanted(void) {
    return wanted != 0;
}
