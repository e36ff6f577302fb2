/* NCCL's communicator: connecting, its errors, and its end when a peer is dead. reduce.c has the
 * sums.
 *
 * The communicator is a non-blocking one: a call that has to connect to a peer first returns at
 * once, and gpu_collective_settle() polls until its kernels are queued, with a deadline. */
#include "collective.h"
#include "guard.h"
#include "kernels.h"

#include "gyre/log.h"
#include <stdio.h>
#include <stdlib.h>

/* ---- errors */

static gyre_status nccl_fail(const gpu_backend *b, ncclResult_t result, const char *call) {
    gyre_status code = result == ncclRemoteError ? GYRE_EPEER : GYRE_EDEVICE;
    const char *more = ncclGetLastError(NULL);
    return gyre_fail(code,
                     "rank %d, GPU %d (%s): %s failed in phase '%s': %s%s%s (NCCL error %d); "
                     "NCCL_DEBUG=WARN shows more",
                     b->rank, b->device, b->properties->name, call, b->phase,
                     ncclGetErrorString(result), more != NULL && *more != '\0' ? ": " : "",
                     more != NULL ? more : "", (int)result);
}

static gyre_status no_peer(gpu_backend *b, const char *call) {
    b->lost = true;
    return gyre_fail(GYRE_EPEER,
                     "rank %d, GPU %d (%s): %s did not come to an end in %.0f s, in phase '%s'; "
                     "another rank may be dead or cannot be reached (NCCL_DEBUG=INFO shows "
                     "interfaces and peers); %s sets the limit",
                     b->rank, b->device, b->properties->name, call, gpu_deadline(b), b->phase,
                     gpu_deadline_key(b));
}

gyre_status gpu_collective_settle(gpu_collective *c, ncclResult_t result, const char *call) {
    gpu_patience patience = {0};
    gyre_status status = GYRE_OK;
    while (result == ncclInProgress && status == GYRE_OK) {
        ncclResult_t asked = ncclCommGetAsyncError(c->nccl, &result);
        if (asked != ncclSuccess) result = asked;
        if (result == ncclInProgress && !gpu_be_patient(c->b, &patience)) {
            status = no_peer(c->b, call);
        }
    }
    if (status == GYRE_OK && result != ncclSuccess) status = nccl_fail(c->b, result, call);
    if (status != GYRE_OK) gpu_collective_abort(c, status);
    return status;
}

gyre_status gpu_collective_poll(gpu_backend *b) {
    gpu_collective *c = b->collective;
    ncclResult_t state = ncclSuccess;
    if (c == NULL || c->nccl == NULL) return GYRE_OK;
    ncclResult_t asked = ncclCommGetAsyncError(c->nccl, &state);
    if (asked != ncclSuccess) state = asked;
    if (state == ncclSuccess || state == ncclInProgress) return GYRE_OK;
    return nccl_fail(b, state, "a collective");
}

/* NCCL and the graphs that hold its calls, within a limit. */
static void drop(gpu_collective *c, gyre_status code, const char *place) {
    gpu_guard guard;
    gpu_guard_begin(&guard, code, place);
    gpu_recorder_abandon(c->b);
    ncclCommAbort(c->nccl);
    c->nccl = NULL;
    gpu_guard_end(&guard);
}

static const char *place_of(const gpu_backend *b, char *text, size_t size) {
    snprintf(text, size, " (rank %d on %s)", b->rank, gyre_comm_host(b->comm));
    return text;
}

/* Prints the reason first, since the calls that follow may not return. */
void gpu_collective_abort(gpu_collective *c, gyre_status why) {
    char place[320];
    if (c == NULL) return;
    gyre_error_print(place_of(c->b, place, sizeof place));
    if (c->nccl != NULL) drop(c, why, place);
}

/* ---- opening and closing */

/* Rank 0's, on all. */
static gyre_status share_id(gpu_backend *b, ncclUniqueId *id) {
    gyre_status status = GYRE_OK;
    if (b->rank == 0) {
        ncclResult_t result = ncclGetUniqueId(id);
        if (result != ncclSuccess) status = nccl_fail(b, result, "ncclGetUniqueId");
    }
    GYRE_TRY(gyre_comm_agree(b->comm, status));
    return gyre_comm_broadcast(b->comm, id, sizeof *id, 0);
}

static gyre_status connect(gpu_collective *c, ncclUniqueId id) {
    gpu_backend *b = c->b;
    ncclConfig_t config = NCCL_CONFIG_INITIALIZER;
    config.blocking = 0;
    return gpu_collective_settle(c,
                                 ncclCommInitRankConfig(&c->nccl, b->ranks, id, b->rank, &config),
                                 "connecting to the other GPUs (ncclCommInitRankConfig)");
}

static gyre_status open_parts(gpu_collective *c) {
    gpu_backend *b = c->b;
    if (c->exact) GYRE_TRY(gyre_comm_check_exact(b->comm));
    if (c->exact && b->ranks > GPU_TREE_RANKS) {
        return gyre_fail(GYRE_EUSAGE,
                         "reduce: \"exact\" adds up to %d ranks on GPUs, found %d: use \"fast\", "
                         "or fewer ranks",
                         GPU_TREE_RANKS, b->ranks);
    }
    GPU_TRY(b, cudaEventCreateWithFlags(&c->ready, cudaEventDisableTiming));
    GPU_TRY(b, cudaEventCreateWithFlags(&c->done, cudaEventDisableTiming));
    return GYRE_OK;
}

/* A rank that cannot continue says so before the others would wait for it inside NCCL. */
gyre_status gpu_collective_open(gpu_backend *b, gpu_collective **out) {
    ncclUniqueId id = {0};
    gyre_status status = GYRE_OK;
    *out = NULL;
    if (b->ranks == 1) return GYRE_OK;
    gpu_collective *c = calloc(1, sizeof *c);
    if (c == NULL) {
        status = gyre_no_memory("the collectives");
    } else {
        c->b = b;
        c->exact = b->options.reduce == GYRE_REDUCE_EXACT;
        status = open_parts(c);
    }
    GYRE_GOTO(gyre_comm_agree(b->comm, status));
    GYRE_GOTO(share_id(b, &id));
    GYRE_GOTO(gyre_comm_agree(b->comm, connect(c, id)));
    *out = c;
    c = NULL;
out:
    /* a peer that could not connect would not take part in more; rank 0 says why in the end */
    if (c != NULL && c->nccl != NULL) drop(c, status, "");
    gpu_collective_close(c);
    return status;
}

/* Finalising flushes what is under way; a communicator that does not come to that is aborted. */
static void disconnect(gpu_collective *c) {
    gpu_patience patience = {0};
    ncclResult_t state = ncclInProgress;
    char place[320];
    if (c->nccl == NULL) return;
    ncclResult_t result = ncclCommFinalize(c->nccl);
    while (result == ncclInProgress && gpu_be_patient(c->b, &patience)) {
        if (ncclCommGetAsyncError(c->nccl, &state) != ncclSuccess) break;
        result = state;
    }
    if (result == ncclSuccess) {
        ncclCommDestroy(c->nccl);
        c->nccl = NULL;
    } else {
        drop(c, GYRE_OK, place_of(c->b, place, sizeof place));
    }
}

void gpu_collective_close(gpu_collective *c) {
    if (c == NULL) return;
    disconnect(c);
    if (c->ready != NULL) cudaEventDestroy(c->ready);
    if (c->done != NULL) cudaEventDestroy(c->done);
    free(c);
}
