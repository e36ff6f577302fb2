/* The checkpoint thread; see writer.h. */
#include "writer.h"

#include "gyre/clock.h"
#include "gyre/file.h"
#include "gyre/thread.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef enum { IDLE, WORKING, FINISHED } state;

struct run_writer {
    pthread_t thread;
    pthread_mutex_t lock; /* guards state and stop; job and result belong to whom the state says */
    pthread_cond_t changed;
    state state;
    bool stop;
    run_writer_job job;
    run_writer_result result;
};

static gyre_status write_job(const run_writer_job *job) {
    if (job->rows_fd >= 0) GYRE_TRY(gyre_file_sync(job->rows_fd, "metrics.h5"));
    for (size_t i = 0; i < sizeof job->paths / sizeof *job->paths && job->paths[i] != NULL; i++) {
        GYRE_TRY(gyre_file_write_atomic(job->paths[i], job->image, job->size));
    }
    return GYRE_OK;
}

static void run_job(run_writer *w) {
    double begun = gyre_clock();
    run_writer_result *r = &w->result;
    *r = (run_writer_result){
        .completed = w->job.completed, .regular = w->job.regular, .status = write_job(&w->job)};
    if (r->status != GYRE_OK) snprintf(r->error, sizeof r->error, "%s", gyre_error_text());
    r->seconds = gyre_clock() - begun;
    free(w->job.image);
    if (w->job.rows_fd >= 0) close(w->job.rows_fd);
    for (size_t i = 0; i < sizeof w->job.paths / sizeof *w->job.paths; i++) free(w->job.paths[i]);
    w->job = (run_writer_job){.rows_fd = -1};
}

static void *writer_main(void *argument) {
    run_writer *w = argument;
    pthread_mutex_lock(&w->lock);
    for (;;) {
        while (w->state != WORKING && !w->stop) pthread_cond_wait(&w->changed, &w->lock);
        if (w->state != WORKING) break;
        pthread_mutex_unlock(&w->lock);
        run_job(w);
        pthread_mutex_lock(&w->lock);
        w->state = FINISHED;
        pthread_cond_broadcast(&w->changed);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

gyre_status run_writer_open(run_writer **out) {
    run_writer *w = calloc(1, sizeof *w);
    *out = NULL;
    if (w == NULL) return gyre_no_memory("the checkpoint thread");
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, NULL);
    gyre_status status = gyre_thread_start(&w->thread, writer_main, w, "the checkpoint thread");
    if (status != GYRE_OK) {
        pthread_mutex_destroy(&w->lock);
        pthread_cond_destroy(&w->changed);
        free(w);
        return status;
    }
    *out = w;
    return GYRE_OK;
}

void run_writer_close(run_writer *w) {
    if (w == NULL) return;
    pthread_mutex_lock(&w->lock);
    w->stop = true;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    free(w);
}

void run_writer_put(run_writer *w, const run_writer_job *job) {
    pthread_mutex_lock(&w->lock);
    w->job = *job;
    w->state = WORKING;
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

bool run_writer_take(run_writer *w, bool wait, run_writer_result *out) {
    pthread_mutex_lock(&w->lock);
    while (wait && w->state == WORKING) pthread_cond_wait(&w->changed, &w->lock);
    bool finished = w->state == FINISHED;
    if (finished) {
        *out = w->result;
        w->state = IDLE;
    }
    pthread_mutex_unlock(&w->lock);
    return finished;
}
