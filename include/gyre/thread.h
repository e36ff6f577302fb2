/* Threads besides the main one, to which all signals are left. */
#ifndef GYRE_THREAD_H
#define GYRE_THREAD_H

#include "gyre/status.h"
#include <pthread.h>

/* Starts a thread that gets no signals; pthread_join() it. GYRE_EDEVICE: "cannot start WHAT: ...".
 */
gyre_status gyre_thread_start(pthread_t *thread, void *(*work)(void *context), void *context,
                              const char *what);

#endif
