/* NCCL's abort waits for kernels, graphs and peers, and may never end (seen by others with a peer
 * that died): then this thread ends the process. */
#include "guard.h"

#include "gyre/log.h"
#include "gyre/thread.h"
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static _Noreturn void leave(const gpu_guard *g) {
    if (g->text[0] != '\0') {
        (void)gyre_fail(g->code, "%s", g->text);
        gyre_error_print(g->place);
    }
    (void)gyre_fail(g->code, "NCCL's abort did not end in %d s; the process ends without it",
                    GPU_ABORT_SECONDS);
    gyre_error_print(g->place);
    _exit((int)g->code);
}

static void *watch(void *argument) {
    gpu_guard *g = argument;
    struct timespec until;
    int error = 0;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += GPU_ABORT_SECONDS;
    pthread_mutex_lock(&g->lock);
    while (!g->over && error == 0) error = pthread_cond_timedwait(&g->wake, &g->lock, &until);
    if (!g->over) leave(g);
    pthread_mutex_unlock(&g->lock);
    return NULL;
}

void gpu_guard_begin(gpu_guard *g, gyre_status code, const char *place) {
    *g = (gpu_guard){.code = code != GYRE_OK ? code : GYRE_EPEER};
    snprintf(g->text, sizeof g->text, "%s", code != GYRE_OK ? gyre_error_text() : "");
    snprintf(g->place, sizeof g->place, "%s", place);
    pthread_mutex_init(&g->lock, NULL);
    pthread_cond_init(&g->wake, NULL);
    g->watched = gyre_thread_start(&g->thread, watch, g, "the watch over NCCL's abort") == GYRE_OK;
    if (!g->watched && g->text[0] != '\0') (void)gyre_fail(g->code, "%s", g->text); /* no limit */
}

void gpu_guard_end(gpu_guard *g) {
    pthread_mutex_lock(&g->lock);
    g->over = true;
    pthread_cond_signal(&g->wake);
    pthread_mutex_unlock(&g->lock);
    if (g->watched) pthread_join(g->thread, NULL);
    pthread_cond_destroy(&g->wake);
    pthread_mutex_destroy(&g->lock);
}
