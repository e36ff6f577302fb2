/* How fast the backend sums a gradient over ranks: seconds, and NCCL's bus bandwidth, which is what
 * each link carries, 2 (ranks - 1) / ranks * bytes / time, for `fast` and `exact` and several
 * sizes up to argv[1] bytes (256 MiB). Run under mpirun, a rank per GPU; for
 * tests/gpu/first-day.sh. */
#include "gyre/backend.h"
#include "gyre/clock.h"
#include "gyre/comm.h"

#include <stdio.h>
#include <stdlib.h>

enum { WARMUP = 3, ROUNDS = 20 };

static gyre_status reduce(gyre_backend *b, gyre_f32 x, size_t n, int rounds) {
    for (int i = 0; i < rounds; i++) {
        GYRE_TRY(b->ops->reduce_begin(b, x, n));
        GYRE_TRY(b->ops->reduce_end(b));
    }
    return b->ops->sync(b);
}

static gyre_status measure(gyre_backend *b, gyre_comm *comm, const char *name, size_t bytes) {
    int ranks = gyre_comm_size(comm);
    size_t n = bytes / sizeof(float);
    gyre_raw memory;
    GYRE_TRY(b->ops->alloc(b, bytes, &memory));
    gyre_f32 x = (gyre_f32)(void *)memory;
    gyre_status status = b->ops->fill(b->main, n, 0, x);
    if (status == GYRE_OK) status = reduce(b, x, n, WARMUP);
    if (status == GYRE_OK) status = gyre_comm_barrier(comm);
    double begun = gyre_clock();
    if (status == GYRE_OK) status = reduce(b, x, n, ROUNDS);
    double seconds = (gyre_clock() - begun) / ROUNDS;
    if (status == GYRE_OK && gyre_comm_rank(comm) == 0) {
        printf("%-5s %2d ranks %8.2f MiB %10.1f us %8.1f GB/s\n", name, ranks,
               (double)bytes / (1024.0 * 1024), seconds * 1e6,
               2.0 * (ranks - 1) / ranks * (double)bytes / seconds / 1e9);
        fflush(stdout);
    }
    b->ops->release(b, memory);
    return status;
}

static gyre_status measure_all(gyre_comm *comm, gyre_reduce how, const char *name, size_t most) {
    const gyre_backend_options options = {
        .reduce = how, .deterministic = true, .deadline_seconds = 60};
    gyre_backend *b = NULL;
    GYRE_TRY(gyre_backend_open(GYRE_BACKEND_CUDA, &options, comm, &b));
    gyre_status status = GYRE_OK;
    for (size_t bytes = (size_t)1 << 16; bytes <= most && status == GYRE_OK; bytes <<= 4) {
        status = measure(b, comm, name, bytes);
    }
    b->ops->close(b);
    return status;
}

int main(int argc, char **argv) {
    gyre_comm *comm = NULL;
    size_t most = argc > 1 ? strtoull(argv[1], NULL, 10) : (size_t)1 << 28;
    gyre_status status = gyre_comm_open(&argc, &argv, &comm);
    if (status != GYRE_OK) {
        fprintf(stderr, "%s\n", gyre_error_text());
        return (int)status;
    }
    status = measure_all(comm, GYRE_REDUCE_FAST, "fast", most);
    if (status == GYRE_OK) status = measure_all(comm, GYRE_REDUCE_EXACT, "exact", most);
    if (status != GYRE_OK) gyre_comm_abort(comm, status);
    gyre_comm_close(comm);
    return 0;
}
