/* A limit for what cannot be interrupted. */
#ifndef GYRE_CUDA_GUARD_H
#define GYRE_CUDA_GUARD_H

#include "gyre/status.h"
#include <pthread.h>
#include <stdbool.h>

enum { GPU_ABORT_SECONDS = 5 };

typedef struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool over, watched;
    gyre_status code;
    char text[GYRE_ERROR_MAX], place[320];
} gpu_guard;

/* The calls before gpu_guard_end() have GPU_ABORT_SECONDS; after that the process ends with `code`
 * (OK: GYRE_EPEER), and prints the present error text if `code` is an error that was not printed
 * yet. `place` is that of gyre_error_print. */
void gpu_guard_begin(gpu_guard *g, gyre_status code, const char *place);
void gpu_guard_end(gpu_guard *g);

#endif
