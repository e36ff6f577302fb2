/* A thread that ends the job when a rank stops moving, from before MPI_Init to after MPI_Finalize.
 *
 * It may not call MPI (MPI_THREAD_FUNNELED). A process that leaves without MPI_Finalize makes
 * mpirun kill the others and end with that process's exit code.
 *
 * A rank that stands still by itself speaks at its limit. Ranks that only wait for others look at
 * the board first: they let the one that can speak do so, and speak for one that cannot, because
 * its whole process is stopped.
 *
 * Time is counted in ticks of which none counts for more than a second: when the whole process was
 * stopped (SIGSTOP, a suspended or migrated machine) it could not move either. */
#include "watchdog.h"

#include "gyre/alive.h"
#include "gyre/clock.h"
#include "gyre/defaults.h"
#include "gyre/text.h"
#include "gyre/thread.h"
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { STOPPED = 2000 /* ms without a look */ };
enum { FIRST_GRACE = 1, LAST_GRACE = 3 }; /* s that waiting ranks leave to who knows more */

typedef enum { START, FIRST, LATER } stage;
static const char *const keys[] = {"GYRE_START_SECONDS", "watchdog.first_step_seconds",
                                   "watchdog.seconds"};

struct gyre_watchdog {
    pthread_t thread;
    pthread_mutex_t lock; /* of board, names and stop */
    pthread_cond_t wake;
    bool stop;
    dist_board board;
    int rank, size; /* rank -1: not known yet */
    bool known;     /* peers are on the board */
    char host[64];
    char (*hosts)[64];

    _Atomic double limits[3];
    _Atomic int stage;
    _Atomic int64_t step;
    _Atomic uint64_t beats;
    _Atomic int steps_seen; /* the first step makes primitives and may take long */
};

/* ---- messages */

/* "'reduction' of step 12" */
static void print_phase(const dist_board_line *l, char *out, size_t size) {
    char phase[DIST_PHASE_BYTES];
    int64_t step = atomic_load(&l->step);
    memcpy(phase, l->phase, sizeof phase);
    phase[sizeof phase - 1] = '\0';
    if (step >= 0)
        snprintf(out, size, "'%s' of step %lld", phase, (long long)step);
    else
        snprintf(out, size, "'%s'", phase);
}

/* The main thread may hold a stream, and what is written may have no reader. */
_Noreturn static void leave(const gyre_watchdog *w, const char *message, double limit, stage s) {
    char me[96], line[2048];
    struct pollfd err = {.fd = STDERR_FILENO, .events = POLLOUT};
    if (w->rank >= 0)
        snprintf(me, sizeof me, "rank %d on %s", w->rank, w->host);
    else
        snprintf(me, sizeof me, "process %ld on %s", (long)getpid(), w->host);
    int length = snprintf(line, sizeof line, "gyre: error (%s): %s; %s, %g s, sets the limit\n", me,
                          message, keys[s], limit);
    if (poll(&err, 1, 1000) == 1 && write(STDERR_FILENO, line, (size_t)length) < 0) {
        /* then it ends without a message */
    }
    _exit(GYRE_EPEER);
}

_Noreturn static void tell_own(gyre_watchdog *w, double limit, stage s) {
    char phase[DIST_PHASE_BYTES + 40], message[512], who[64] = "this process";
    print_phase(&w->board.lines[w->board.mine], phase, sizeof phase);
    if (w->rank >= 0) snprintf(who, sizeof who, "rank %d", w->rank);
    snprintf(message, sizeof message, "%s stands still in %s: a disk, a device or a library hangs",
             who, phase);
    leave(w, message, limit, s);
}

_Noreturn static void tell_other(gyre_watchdog *w, const dist_board_line *l, bool stopped,
                                 double limit, stage s) {
    char phase[DIST_PHASE_BYTES + 40], message[512];
    print_phase(l, phase, sizeof phase);
    snprintf(message, sizeof message,
             "rank %d (process %d) stands still in %s%s, and others wait for it",
             atomic_load(&l->rank), atomic_load(&l->process), phase,
             stopped ? ": its process is stopped" : "");
    leave(w, message, limit, s);
}

/* Hosts other than this one, each once. */
static void list_hosts(const gyre_watchdog *w, char *out, size_t size) {
    int named = 0;
    for (int i = 0; w->hosts != NULL && i < w->size; i++) {
        bool known = strcmp(w->hosts[i], w->host) == 0;
        for (int k = 0; k < i && !known; k++) known = strcmp(w->hosts[i], w->hosts[k]) == 0;
        if (known) continue;
        gyre_text_add(out, size, "%s%s", named++ > 0 ? ", " : "", w->hosts[i]);
    }
}

/* All ranks of this host wait. */
_Noreturn static void tell_nobody(gyre_watchdog *w, double limit, stage s) {
    char phase[DIST_PHASE_BYTES + 40], message[1024], hosts[400] = "";
    print_phase(&w->board.lines[w->board.mine], phase, sizeof phase);
    list_hosts(w, hosts, sizeof hosts);
    if (!w->known) {
        snprintf(message, sizeof message,
                 "%s has not returned: a rank that did not come, a stopped process or a host that "
                 "cannot be reached",
                 phase);
    } else if (hosts[0] != '\0') {
        snprintf(message, sizeof message,
                 "no rank of this host moves, all wait in %s: a rank of %s, or the network, stands "
                 "still",
                 phase, hosts);
    } else {
        snprintf(message, sizeof message, "rank %d waits in %s for ranks of which none moves",
                 w->rank, phase);
    }
    leave(w, message, limit, s);
}

/* ---- who it is */

static bool is_stopped(const dist_board_line *l) {
    return dist_board_time() - atomic_load(&l->seen) > STOPPED;
}

/* This rank waits, `late` seconds longer than the limit. */
static void look_around(gyre_watchdog *w, double late, double limit, stage s) {
    const dist_board_line *me = &w->board.lines[w->board.mine], *stopped = NULL, *still = NULL;
    bool first = true, moves = false;
    for (int i = 0; i < w->board.count; i++) {
        const dist_board_line *l = &w->board.lines[i];
        if (l == me || atomic_load(&l->group) != atomic_load(&me->group)) continue;
        bool stands = is_stopped(l);
        if (stands && stopped == NULL) stopped = l;
        if (!stands && i < w->board.mine) first = false;
        if (stands || atomic_load(&l->waiting)) continue;
        if ((double)atomic_load(&l->idle) < 1000 * limit)
            moves = true;
        else if (still == NULL)
            still = l;
    }
    if (moves && stopped == NULL) return; /* what it does takes long, but continues */
    if (late < FIRST_GRACE || ((!first || still != NULL) && late < LAST_GRACE)) return;
    if (stopped != NULL) tell_other(w, stopped, true, limit, s);
    if (still != NULL) tell_other(w, still, false, limit, s);
    tell_nobody(w, limit, s);
}

static void look(gyre_watchdog *w, double idle) {
    dist_board_line *me = &w->board.lines[w->board.mine];
    stage s = (stage)atomic_load(&w->stage);
    if (s == FIRST && atomic_load(&w->steps_seen) > 1) s = LATER;
    double limit = atomic_load(&w->limits[s]);
    atomic_store(&me->seen, dist_board_time());
    atomic_store(&me->idle, (int64_t)(1000 * idle));
    if (idle <= limit) return;
    if (!atomic_load(&me->waiting)) tell_own(w, limit, s);
    look_around(w, idle - limit, limit, s);
}

static uint64_t signs_of_life(gyre_watchdog *w) {
    return atomic_load(&w->beats) + gyre_alive_count();
}

static void *watch(void *argument) {
    gyre_watchdog *w = argument;
    uint64_t before = signs_of_life(w);
    double idle = 0, clock = gyre_clock();
    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 200 * 1000 * 1000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&w->wake, &w->lock, &until);
        uint64_t now = signs_of_life(w);
        double passed = gyre_clock() - clock;
        clock += passed;
        idle = now == before ? idle + (passed < 1 ? passed : 1) : 0;
        before = now;
        if (!w->stop) look(w, idle);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- opening */

static double start_seconds(void) {
    const char *text = getenv("GYRE_START_SECONDS");
    double seconds = text == NULL ? 0 : strtod(text, NULL);
    return seconds >= 1 ? seconds : GYRE_DEFAULT_START_SECONDS;
}

/* What the launcher says; -1: nothing. */
static int launched_rank(void) {
    const char *text = getenv("OMPI_COMM_WORLD_RANK");
    if (text == NULL) text = getenv("PMIX_RANK");
    return text == NULL ? -1 : atoi(text);
}

gyre_status dist_watchdog_open(gyre_watchdog **out) {
    gyre_watchdog *w = calloc(1, sizeof *w);
    if (w == NULL) return gyre_no_memory("the watchdog");
    gyre_status status = dist_board_open_alone(&w->board);
    w->rank = launched_rank();
    gethostname(w->host, sizeof w->host - 1);
    atomic_store(&w->limits[START], start_seconds());
    gyre_watchdog_phase(w, "start", -1);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    if (status == GYRE_OK) status = gyre_thread_start(&w->thread, watch, w, "the watchdog thread");
    if (status == GYRE_OK) {
        *out = w;
        return GYRE_OK;
    }
    dist_board_close(&w->board);
    free(w);
    return status;
}

void dist_watchdog_close(gyre_watchdog *w) {
    if (w == NULL) return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    dist_board_close(&w->board);
    free(w->hosts);
    free(w);
}

void dist_watchdog_know(gyre_watchdog *w, dist_board *board, int rank, int size, const char *host,
                        char (*hosts)[64]) {
    dist_board before = w->board;
    pthread_mutex_lock(&w->lock);
    w->board = *board;
    w->rank = rank;
    w->size = size;
    w->known = true;
    snprintf(w->host, sizeof w->host, "%.63s", host);
    w->hosts = hosts;
    dist_board_line *me = &w->board.lines[w->board.mine];
    atomic_store(&me->rank, rank);
    atomic_store(&me->seen, dist_board_time());
    pthread_mutex_unlock(&w->lock);
    dist_board_close(&before);
    *board = (dist_board){0};
}

/* ---- what the main thread says */

void gyre_watchdog_limits(gyre_watchdog *w, double seconds, double first_seconds) {
    atomic_store(&w->limits[FIRST], first_seconds);
    atomic_store(&w->limits[LATER], seconds);
    atomic_store(&w->steps_seen, 0);
    atomic_store(&w->stage, FIRST);
    atomic_fetch_add(&w->beats, 1);
}

void gyre_watchdog_phase(gyre_watchdog *w, const char *phase, int64_t step) {
    if (step != atomic_load(&w->step) && step >= 0) atomic_fetch_add(&w->steps_seen, 1);
    atomic_store(&w->step, step);
    dist_board_phase(&w->board, phase, step);
    atomic_fetch_add(&w->beats, 1);
}

void gyre_watchdog_beat(gyre_watchdog *w) {
    atomic_fetch_add(&w->beats, 1);
}

void dist_watchdog_group(gyre_watchdog *w, int group) {
    atomic_store(&w->board.lines[w->board.mine].group, group);
}

void dist_watchdog_wait(gyre_watchdog *w, bool waiting) {
    atomic_store_explicit(&w->board.lines[w->board.mine].waiting, waiting, memory_order_relaxed);
}
