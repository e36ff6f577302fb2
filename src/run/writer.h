/* A thread that writes checkpoints while training continues.
 *
 * It gets finished bytes, so that it needs neither HDF5 nor the device: what it does is write,
 * fsync and rename. One job at a time. Rank 0 only. Internal to src/run. */
#ifndef GYRE_RUN_WRITER_H
#define GYRE_RUN_WRITER_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct run_writer run_writer;

typedef struct {
    void *image; /* the writer's own from now on */
    size_t size;
    char *paths[2]; /* where to, NULL: no more; the writer's own */
    int rows_fd;    /* fsync this first, since a checkpoint must not outlive its rows; -1: none; the
                       writer's own */
    int64_t completed; /* updates; comes back in the result, as does `regular` */
    bool regular;      /* one of the paths is a step's, not best.h5 alone */
} run_writer_job;

typedef struct {
    int64_t completed;
    bool regular;
    double seconds; /* that the job took */
    gyre_status status;
    char error[GYRE_ERROR_MAX];
} run_writer_result;

gyre_status run_writer_open(run_writer **out);
/* Ends the job under way first. */
void run_writer_close(run_writer *w);

/* Starts a job. The result of the one before must have been taken. */
void run_writer_put(run_writer *w, const run_writer_job *job);

/* Takes the result of a finished job; false when there is none. With `wait`, ends the one that is
 * under way. */
bool run_writer_take(run_writer *w, bool wait, run_writer_result *out);

#endif
