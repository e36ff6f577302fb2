/* Worker threads. The caller is lane 0, so that one lane needs no thread at all. */
#include "cpu.h"

#include "gyre/thread.h"
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>

struct cpu_workers {
    cpu_backend *backend;
    int lanes;
    pthread_t *threads; /* lanes - 1 */
    pthread_mutex_t lock;
    pthread_cond_t start, order, done;
    uint64_t round; /* counts jobs; a worker sleeps until it changes */
    bool stop;
    gyre_task task;
    void *context;
    int n, next, busy;
    int joined;         /* lanes that take part in this job: min(lanes, n) */
    gyre_status status; /* of the failed task with the lowest index */
    int failed;
    char error[GYRE_ERROR_MAX];
};

typedef struct {
    cpu_workers *workers;
    int lane;
} worker_start;

static void note_failure(cpu_workers *w, int index, gyre_status status) {
    pthread_mutex_lock(&w->lock);
    if (w->status == GYRE_OK || index < w->failed) {
        w->status = status;
        w->failed = index;
        snprintf(w->error, sizeof w->error, "%s", gyre_error_text());
    }
    pthread_mutex_unlock(&w->lock);
}

/* The next task, or -1. Task i goes to lane i while there are lanes, the rest to the first free
 * lane: so every lane that takes part meets its shapes and allocates for them in the first step. */
static int take(cpu_workers *w, int lane, bool first) {
    pthread_mutex_lock(&w->lock);
    while (first ? w->next < lane : w->next < w->joined) pthread_cond_wait(&w->order, &w->lock);
    int i = w->next < w->n ? w->next++ : -1;
    if (i >= 0 && w->next <= w->joined && w->joined > 1) pthread_cond_broadcast(&w->order);
    pthread_mutex_unlock(&w->lock);
    return i;
}

static void work(cpu_workers *w, int lane) {
    gyre_queue *q = &w->backend->queues[lane].base;
    for (int i = take(w, lane, true); i >= 0; i = take(w, lane, false)) {
        gyre_status status = w->task(w->context, q, i);
        if (status != GYRE_OK) note_failure(w, i, status);
    }
}

static void *worker_main(void *argument) {
    worker_start start = *(worker_start *)argument;
    free(argument);
    cpu_workers *w = start.workers;
    omp_set_num_threads(1); /* before any primitive is made or run on this thread */
    uint64_t seen = 0;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (!w->stop && w->round == seen) pthread_cond_wait(&w->start, &w->lock);
        if (w->stop) break;
        seen = w->round;
        if (start.lane >= w->joined) continue;
        pthread_mutex_unlock(&w->lock);
        work(w, start.lane);
        pthread_mutex_lock(&w->lock);
        if (--w->busy == 0) pthread_cond_signal(&w->done);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

gyre_status cpu_parallel(gyre_backend *base, int n, gyre_task task, void *context) {
    cpu_workers *w = ((cpu_backend *)(void *)base)->workers;
    pthread_mutex_lock(&w->lock);
    w->task = task;
    w->context = context;
    w->n = n;
    w->next = 0;
    w->status = GYRE_OK;
    w->joined = n < w->lanes ? n : w->lanes;
    if (w->joined > 1) {
        w->busy = w->joined - 1;
        w->round++;
        pthread_cond_broadcast(&w->start);
    }
    pthread_mutex_unlock(&w->lock);
    work(w, 0);
    pthread_mutex_lock(&w->lock);
    while (w->busy > 0) pthread_cond_wait(&w->done, &w->lock);
    gyre_status status = w->status;
    pthread_mutex_unlock(&w->lock);
    if (status != GYRE_OK) return gyre_fail(status, "%s", w->error);
    return GYRE_OK;
}

/* A worker must not get signals: oneDNN's kernels keep data where a handler's stack would be, and a
 * worker has no other stack. */
static gyre_status start_worker(cpu_workers *w, int lane, int lanes) {
    char what[64];
    worker_start *start = malloc(sizeof *start);
    if (start == NULL) return gyre_no_memory("%d worker threads", lanes);
    *start = (worker_start){w, lane};
    snprintf(what, sizeof what, "worker thread %d of %d", lane + 1, lanes);
    gyre_status status = gyre_thread_start(&w->threads[lane - 1], worker_main, start, what);
    if (status != GYRE_OK) free(start);
    return status;
}

gyre_status cpu_workers_open(cpu_backend *b, int lanes, cpu_workers **out) {
    cpu_workers *w = calloc(1, sizeof *w);
    pthread_t *threads = calloc((size_t)lanes, sizeof *threads);
    if (w == NULL || threads == NULL) {
        free(w);
        free(threads);
        return gyre_no_memory("%d worker threads", lanes);
    }
    w->backend = b;
    w->threads = threads;
    w->lanes = 1; /* grows as threads start, so that close joins only those */
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->start, NULL);
    pthread_cond_init(&w->order, NULL);
    pthread_cond_init(&w->done, NULL);
    omp_set_num_threads(1);
    for (int i = 1; i < lanes; i++) {
        gyre_status status = start_worker(w, i, lanes);
        if (status != GYRE_OK) {
            cpu_workers_close(w);
            return status;
        }
        w->lanes++;
    }
    *out = w;
    return GYRE_OK;
}

void cpu_workers_close(cpu_workers *w) {
    if (w == NULL) return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_broadcast(&w->start);
    pthread_mutex_unlock(&w->lock);
    for (int i = 0; i < w->lanes - 1; i++) pthread_join(w->threads[i], NULL);
    pthread_cond_destroy(&w->start);
    pthread_cond_destroy(&w->order);
    pthread_cond_destroy(&w->done);
    pthread_mutex_destroy(&w->lock);
    free(w->threads);
    free(w);
}

typedef struct {
    cpu_body body;
    void *context;
    size_t n;
} loop;

static gyre_status run_block(void *context, gyre_queue *q, int index) {
    (void)q;
    const loop *l = context;
    size_t begin = (size_t)index * CPU_BLOCK;
    size_t end = begin + CPU_BLOCK < l->n ? begin + CPU_BLOCK : l->n;
    l->body(l->context, begin, end);
    return GYRE_OK;
}

gyre_status cpu_for(gyre_queue *q, size_t n, cpu_body body, void *context) {
    loop l = {body, context, n};
    size_t blocks = (n + CPU_BLOCK - 1) / CPU_BLOCK;
    if (q->lane < 0) return cpu_parallel(q->backend, (int)blocks, run_block, &l);
    for (size_t i = 0; i < blocks; i++) run_block(&l, q, (int)i);
    return GYRE_OK;
}
