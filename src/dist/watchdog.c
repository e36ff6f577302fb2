/* A thread that ends the job when the training loop stops moving.
 *
 * It may not call MPI (MPI_THREAD_FUNNELED). A process that leaves without MPI_Finalize makes
 * mpirun kill the others and end with that process's exit code.
 *
 * Time is counted in ticks of which none counts for more than a second: when the whole process was
 * stopped (SIGSTOP, a suspended or migrated machine) the loop could not move either. */
#include "gyre/comm.h"

#include "gyre/clock.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

struct gyre_watchdog {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool stop;
    double seconds, first_seconds;
    int rank;
    const char *host;
    _Atomic(const char *) phase;
    _Atomic int64_t step;
    _Atomic uint64_t beats;
    _Atomic int steps_seen; /* the first step makes primitives and may take long */
};

static void bite(const gyre_watchdog *w, double limit, const char *key) {
    fprintf(stderr,
            "gyre: error (rank %d on %s): stuck for more than %.0f s in phase '%s' of step %lld; "
            "a peer may be dead or a disk hung; %s sets the limit\n",
            w->rank, w->host, limit, atomic_load(&w->phase), (long long)atomic_load(&w->step), key);
    fflush(NULL);
    _exit(GYRE_EPEER);
}

static void *watch(void *argument) {
    gyre_watchdog *w = argument;
    uint64_t seen = atomic_load(&w->beats);
    double idle = 0, before = gyre_clock();
    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += 200 * 1000 * 1000;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&w->wake, &w->lock, &until);
        uint64_t beats = atomic_load(&w->beats);
        bool first = atomic_load(&w->steps_seen) <= 1;
        double limit = first ? w->first_seconds : w->seconds;
        double passed = gyre_clock() - before;
        before += passed;
        idle = beats == seen ? idle + (passed < 1 ? passed : 1) : 0;
        seen = beats;
        if (!w->stop && idle > limit) {
            bite(w, limit, first ? "watchdog.first_step_seconds" : "watchdog.seconds");
        }
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

gyre_status gyre_watchdog_open(gyre_comm *c, double seconds, double first_seconds,
                               gyre_watchdog **out) {
    gyre_watchdog *w = calloc(1, sizeof *w);
    if (w == NULL) return gyre_fail(GYRE_EDEVICE, "no memory for the watchdog");
    w->seconds = seconds;
    w->first_seconds = first_seconds;
    w->rank = gyre_comm_rank(c);
    w->host = gyre_comm_host(c);
    atomic_store(&w->phase, "start");
    atomic_store(&w->step, -1);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->wake, NULL);
    if (pthread_create(&w->thread, NULL, watch, w) != 0) {
        free(w);
        return gyre_fail(GYRE_EDEVICE, "cannot start the watchdog thread");
    }
    *out = w;
    return GYRE_OK;
}

void gyre_watchdog_phase(gyre_watchdog *w, const char *phase, int64_t step) {
    if (step != atomic_load(&w->step) && step >= 0) atomic_fetch_add(&w->steps_seen, 1);
    atomic_store(&w->phase, phase);
    atomic_store(&w->step, step);
    atomic_fetch_add(&w->beats, 1);
}

void gyre_watchdog_close(gyre_watchdog *w) {
    if (w == NULL) return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_signal(&w->wake);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_cond_destroy(&w->wake);
    pthread_mutex_destroy(&w->lock);
    free(w);
}
