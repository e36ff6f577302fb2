/* NCCL's communicators: connecting, their errors, and their end when a peer is dead. reduce.c has
 * the sums.
 *
 * They are non-blocking ones: a call that has to connect to a peer first returns at once, and
 * gpu_collective_settle() polls until its kernels are queued, with a deadline. */
#include "collective.h"
#include "guard.h"
#include "kernels.h"

#include "gyre/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

gyre_status gpu_collective_settle(gpu_collective *c, ncclComm_t nccl, ncclResult_t result,
                                  const char *call) {
    gpu_patience patience = {0};
    gyre_status status = GYRE_OK;
    while (result == ncclInProgress && status == GYRE_OK) {
        ncclResult_t asked = ncclCommGetAsyncError(nccl, &result);
        if (asked != ncclSuccess) result = asked;
        if (result == ncclInProgress && !gpu_be_patient(c->b, &patience)) {
            status = no_peer(c->b, call);
        }
    }
    if (status == GYRE_OK && result != ncclSuccess) status = nccl_fail(c->b, result, call);
    if (status != GYRE_OK) gpu_collective_abort(c, status);
    return status;
}

static gyre_status poll(const gpu_backend *b, ncclComm_t nccl) {
    ncclResult_t state = ncclSuccess;
    if (nccl == NULL) return GYRE_OK;
    ncclResult_t asked = ncclCommGetAsyncError(nccl, &state);
    if (asked != ncclSuccess) state = asked;
    if (state == ncclSuccess || state == ncclInProgress) return GYRE_OK;
    return nccl_fail(b, state, "a collective");
}

gyre_status gpu_collective_poll(gpu_backend *b) {
    gpu_collective *c = b->collective;
    for (int k = 0; c != NULL && k <= GYRE_LEVELS_MAX; k++) GYRE_TRY(poll(b, c->comms[k]));
    return GYRE_OK;
}

/* NCCL and the graphs that hold its calls, within a limit: the last communicator first. */
static void drop(gpu_collective *c, gyre_status code, const char *place) {
    gpu_guard guard;
    c->b->cut_off = true;
    gpu_guard_begin(&guard, code, place);
    gpu_recorder_abandon(c->b);
    for (int k = GYRE_LEVELS_MAX; k >= 0; k--) {
        if (c->comms[k] != NULL) ncclCommAbort(c->comms[k]);
        c->comms[k] = NULL;
    }
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
    if (c->comms[0] != NULL) drop(c, why, place);
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
    ncclResult_t result = ncclCommInitRankConfig(&c->comms[0], b->ranks, id, b->rank, &config);
    return gpu_collective_settle(c, c->comms[0], result,
                                 "connecting to the other GPUs (ncclCommInitRankConfig)");
}

/* The communicator of a level's group. The whole one is busy until the new one has its address. */
static gyre_status connect_level(gpu_collective *c, const gyre_level *l, ncclComm_t *out) {
    static const char call[] = "connecting to the GPUs of a level (ncclCommSplit)";
    int rank = c->b->rank;
    ncclResult_t result =
        ncclCommSplit(c->comms[0], gyre_level_group(l, rank), gyre_level_place(l, rank), out, NULL);
    GYRE_TRY(gpu_collective_settle(c, c->comms[0], result, call));
    ncclResult_t asked = ncclCommGetAsyncError(*out, &result);
    return gpu_collective_settle(c, *out, asked != ncclSuccess ? asked : result, call);
}

static gyre_status connect_levels(gpu_collective *c) {
    gyre_level plan[GYRE_LEVELS_MAX];
    c->level_count = gyre_level_plan(c->b->ranks, gyre_comm_block(c->b->comm), plan);
    for (int k = 0; k < c->level_count; k++) {
        ncclComm_t *nccl = &c->comms[c->level_count == 1 ? 0 : 1 + k];
        if (*nccl == NULL) GYRE_TRY(connect_level(c, &plan[k], nccl));
        c->levels[k] = (gpu_level){plan[k], *nccl};
    }
    return GYRE_OK;
}

static gyre_status open_parts(gpu_collective *c) {
    gpu_backend *b = c->b;
    if (c->exact) {
        GYRE_TRY(gyre_comm_check_exact(b->comm));
        GYRE_TRY(gyre_level_check(b->ranks, gyre_comm_block(b->comm), GPU_TREE_RANKS));
    }
    GPU_TRY(b, cudaEventCreateWithFlags(&c->ready, cudaEventDisableTiming));
    GPU_TRY(b, cudaEventCreateWithFlags(&c->done, cudaEventDisableTiming));
    return GYRE_OK;
}

/* One rank has no peer. GYRE_NCCL_ALONE=1 has its fast sums go through NCCL all the same, so that a
 * machine with one GPU shows that NCCL connects, is captured and ends (tests/gpu/first-day.sh). */
static bool goes_without(const gpu_backend *b) {
    const char *alone = getenv("GYRE_NCCL_ALONE");
    if (b->ranks > 1) return false;
    return b->comm == NULL || alone == NULL || strcmp(alone, "1") != 0 ||
           b->options.reduce == GYRE_REDUCE_EXACT;
}

/* A rank that cannot continue says so before the others would wait for it inside NCCL. */
gyre_status gpu_collective_open(gpu_backend *b, gpu_collective **out) {
    ncclUniqueId id = {0};
    gyre_status status = GYRE_OK;
    *out = NULL;
    if (goes_without(b)) return GYRE_OK;
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
    if (c->exact) GYRE_GOTO(gyre_comm_agree(b->comm, connect_levels(c)));
    *out = c;
    c = NULL;
out:
    /* a peer that could not connect would not take part in more; rank 0 says why in the end */
    if (c != NULL && c->comms[0] != NULL) drop(c, status, "");
    gpu_collective_close(c);
    return status;
}

/* Finalising flushes what is under way. False: it does not come to that. */
static bool finalise(gpu_collective *c, ncclComm_t nccl) {
    gpu_patience patience = {0};
    ncclResult_t state = ncclInProgress, result = ncclCommFinalize(nccl);
    while (result == ncclInProgress && gpu_be_patient(c->b, &patience)) {
        if (ncclCommGetAsyncError(nccl, &state) != ncclSuccess) break;
        result = state;
    }
    if (result == ncclSuccess) ncclCommDestroy(nccl);
    return result == ncclSuccess;
}

/* Those made from the whole one first; what cannot be finalised is aborted, and all that is left.
 */
static void disconnect(gpu_collective *c) {
    char place[320];
    for (int k = GYRE_LEVELS_MAX; k >= 0; k--) {
        if (c->comms[k] == NULL) continue;
        if (!finalise(c, c->comms[k])) {
            drop(c, GYRE_OK, place_of(c->b, place, sizeof place));
            return;
        }
        c->comms[k] = NULL;
    }
}

void gpu_collective_close(gpu_collective *c) {
    if (c == NULL) return;
    disconnect(c);
    if (c->ready != NULL) cudaEventDestroy(c->ready);
    if (c->done != NULL) cudaEventDestroy(c->done);
    free(c);
}
