/* A new thread has the signal mask of the one that starts it, so all are blocked for a moment. */
#include "gyre/thread.h"

#include <signal.h>
#include <string.h>

gyre_status gyre_thread_start(pthread_t *thread, void *(*work)(void *context), void *context,
                              const char *what) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(thread, NULL, work, context);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (failed == 0) return GYRE_OK;
    return gyre_fail(GYRE_EDEVICE, "cannot start %s: %s", what, strerror(failed));
}
