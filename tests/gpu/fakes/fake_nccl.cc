/* NCCL's functions as the program calls them; the work itself goes to the streams.
 *
 *   FAKE_NCCL=22809   version that ncclGetVersion gives
 *
 * As NCCL does it, a call of a non-blocking communicator returns ncclInProgress. Another thread
 * queues its work, before the second ncclCommGetAsyncError or, with FAKE_ORDER=seed:N, at some
 * other; no other call may come before. */
#include "fake_nccl.h"

#include <cstring>
#include <thread>
#include <time.h>
#include <unistd.h>

namespace fake {

static int made, open_comms, groups;
static std::vector<Call> grouped;

static ncclResult_t enter(const char *function, ncclResult_t natural) {
    return (ncclResult_t)call(function, natural);
}

#define ENTER(natural)                                                                             \
    do {                                                                                           \
        ncclResult_t error_ = enter(__func__, natural);                                            \
        if (error_ != ncclSuccess) return error_;                                                  \
    } while (0)

static ncclComm_t make_comm(bool blocking) {
    auto *comm = new ncclComm{};
    comm->number = made++;
    comm->blocking = blocking;
    open_comms++;
    return comm;
}

static ncclResult_t open_comm(ncclComm_t *out, int ranks, const ncclUniqueId &id, int rank,
                              bool blocking) {
    int world = 0;
    if (wire() == MPI_COMM_NULL) stop("ncclCommInitRank before MPI_Init");
    PMPI_Comm_size(wire(), &world);
    if (ranks != world || rank < 0 || rank >= ranks)
        stop("ncclCommInitRank: %d ranks in MPI, but rank %d of %d here", world, rank, ranks);
    ncclComm_t comm = *out = make_comm(blocking);
    memset(&comm->mine, 0, sizeof comm->mine);
    memcpy(comm->mine.id, id.internal, sizeof comm->mine.id);
    comm->mine.ranks = ranks;
    comm->mine.rank = comm->mine.key = rank;
    for (int r = 0; r < ranks; r++) comm->expected.push_back(r);
    say_hello(comm);
    ncclResult_t state = ncclInProgress; /* others may be there, or not */
    if (blocking) state = gather_blocking(comm, "ncclCommInitRank");
    if (state != ncclSuccess) comm->async = state;
    return state;
}

/* As NCCL does it: the parent is in progress until all of its ranks have met, and only then the new
 * communicator has an address. It may be in progress itself for a while. */
static ncclResult_t go_on_splitting(ncclComm_t parent) {
    ncclComm_t child = parent->splitting;
    ncclResult_t state = gather(child);
    if (state != ncclSuccess) return state;
    parent->splitting = nullptr;
    *parent->split_out = child;
    if (!child->blocking) {
        child->ready = false;
        child->async = ncclInProgress;
    }
    return ncclSuccess;
}

static void need_ready(ncclComm_t comm, const char *function) {
    if (comm == nullptr || comm->aborted) stop("%s: the communicator was aborted", function);
    if (!comm->ready) stop("%s: the communicator is not complete yet", function);
    if (!comm->late.empty() || comm->finalizing || comm->splitting != nullptr)
        stop("%s: the call before is still in progress, as ncclCommGetAsyncError would tell",
             function);
}

static ncclResult_t queue_now(std::vector<Call> calls) {
    cudaStream_t stream = calls[0].stream;
    for (Call &c : calls) c.captured = captures(stream);
    Task task = flight(calls);
    if (captures(stream)) {
        if (captures_all_threads()) stop("NCCL's own threads would spoil a capture in global mode");
        task.begin = [begin = task.begin, recorded = calls[0].comm->recorded] { return begin(); };
    }
    return issue(stream, task) == cudaSuccess ? ncclSuccess : ncclUnhandledCudaError;
}

static ncclResult_t queue(const std::vector<Call> &calls) {
    ncclComm_t comm = calls[0].comm;
    if (comm->blocking) return queue_now(calls);
    comm->late = calls;
    return comm->async = ncclInProgress;
}

/* On a thread of NCCL's own. */
static ncclResult_t queue_elsewhere(const std::vector<Call> &calls) {
    ncclResult_t result = ncclSuccess;
    std::thread([&] {
        use_device(calls[0].stream->device);
        result = queue_now(calls);
    }).join();
    return result;
}

/* What was put off may continue at any time. */
static ncclResult_t go_on(ncclComm_t comm) {
    if (!toss() && ++comm->asked % 2 != 0) return ncclInProgress;
    if (comm->finalizing) {
        drain("ncclCommFinalize");
        comm->finalizing = false;
        return ncclSuccess;
    }
    std::vector<Call> calls;
    calls.swap(comm->late);
    return queue_elsewhere(calls);
}

static ncclResult_t come_ready(ncclComm_t comm) {
    comm->ready = toss() || ++comm->asked % 2 == 0;
    return comm->ready ? ncclSuccess : ncclInProgress;
}

/* NCCL waits until the last graph is gone: commDestroySync in version 2.28. */
static void need_no_graph(ncclComm_t comm, const char *function) {
    if (comm->recorded.use_count() > 1)
        stop("%s would wait for ever: a graph holds calls of the communicator", function);
}

static ncclResult_t put(const Call &c, const char *function) {
    ncclComm_t comm = c.comm;
    need_ready(comm, function);
    if (c.peer < 0 || c.peer >= comm->ranks) return ncclInvalidArgument;
    size_t bytes = c.count * size_of(c.type);
    size_t out = c.kind == Kind::ALL_GATHER ? bytes * (size_t)comm->ranks : bytes;
    if (c.send != nullptr && bytes > 0) check_device_range(c.send, bytes, function);
    if (c.receive != nullptr && bytes > 0) check_device_range(c.receive, out, function);
    if (groups > 0) {
        grouped.push_back(c);
        return ncclSuccess;
    }
    return queue({c});
}

__attribute__((destructor)) static void at_exit() {
    if (open_comms > 0) note("leak: %d NCCL communicators", open_comms);
}

} // namespace fake

using namespace fake;

extern "C" {

ncclResult_t ncclGetVersion(int *version) {
    ENTER(ncclSystemError);
    *version = (int)setting("FAKE_NCCL", NCCL_VERSION_CODE);
    return ncclSuccess;
}

ncclResult_t ncclGetUniqueId(ncclUniqueId *id) {
    ENTER(ncclSystemError);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    memset(id, 0, sizeof *id);
    memcpy(id->internal, &now, sizeof now);
    return ncclSuccess;
}

ncclResult_t ncclCommInitRank(ncclComm_t *out, int ranks, ncclUniqueId id, int rank) {
    ENTER(ncclSystemError);
    return open_comm(out, ranks, id, rank, true);
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t *out, int ranks, ncclUniqueId id, int rank,
                                    ncclConfig_t *config) {
    ENTER(ncclSystemError);
    if (config != nullptr && config->magic != 0xcafebeef) stop("ncclConfig_t is not initialised");
    return open_comm(out, ranks, id, rank, config == nullptr || config->blocking != 0);
}

ncclResult_t ncclCommSplit(ncclComm_t comm, int color, int key, ncclComm_t *out,
                           ncclConfig_t *config) {
    ENTER(ncclSystemError);
    need_ready(comm, __func__);
    if (color < 0 || config != nullptr) stop("ncclCommSplit: not known here so");
    ncclComm_t child = make_comm(comm->blocking);
    *out = nullptr;
    child->mine = comm->mine;
    child->mine.ranks = comm->ranks;
    child->mine.rank = comm->rank;
    child->mine.color = color;
    child->mine.key = key;
    child->expected = comm->wires;
    say_hello(child);
    if (!comm->blocking) {
        comm->splitting = child;
        comm->split_out = out;
        return comm->async = ncclInProgress;
    }
    *out = child;
    return gather_blocking(child, __func__);
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t *out) {
    int ordered = call(__func__, ncclRemoteError);
    if (ordered != 0)
        comm->async = (ncclResult_t)ordered;
    else if (comm->splitting != nullptr && !comm->aborted)
        comm->async = go_on_splitting(comm);
    else if (!comm->ready && !comm->aborted)
        comm->async = comm->wires.empty() ? gather(comm) : come_ready(comm);
    else if (!comm->late.empty() || comm->finalizing)
        comm->async = go_on(comm);
    *out = comm->async;
    return ncclSuccess;
}

/* What is under way ends without a result. */
ncclResult_t ncclCommAbort(ncclComm_t comm) {
    ncclResult_t error = enter(__func__, ncclSystemError);
    if (comm->aborted) stop("ncclCommAbort: the communicator was aborted before");
    while (call("ncclAbortHang", 1) != 0) sleep(1000);
    comm->aborted = true;
    comm->late.clear();
    if (comm->splitting != nullptr) open_comms--;
    open_comms--;
    pump();
    need_no_graph(comm, __func__);
    return error;
}

/* Waits for what is under way, as NCCL does. */
ncclResult_t ncclCommFinalize(ncclComm_t comm) {
    ENTER(ncclSystemError);
    need_ready(comm, __func__);
    if (!comm->blocking) {
        comm->finalizing = true;
        return comm->async = ncclInProgress;
    }
    if (comm->underway > 0) drain(__func__);
    return ncclSuccess;
}

ncclResult_t ncclCommDestroy(ncclComm_t comm) {
    ncclResult_t error = enter(__func__, ncclSystemError);
    if (comm->aborted) stop("ncclCommDestroy: the communicator was aborted before");
    need_ready(comm, __func__);
    drain(__func__);
    need_no_graph(comm, __func__);
    comm->aborted = true;
    open_comms--;
    return error;
}

ncclResult_t ncclCommCount(const ncclComm_t comm, int *count) {
    ENTER(ncclSystemError);
    *count = comm->ranks;
    return ncclSuccess;
}

ncclResult_t ncclCommUserRank(const ncclComm_t comm, int *rank) {
    ENTER(ncclSystemError);
    *rank = comm->rank;
    return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void *send, void *receive, size_t count, ncclDataType_t type,
                           ncclRedOp_t op, ncclComm_t comm, cudaStream_t stream) {
    ENTER(ncclSystemError);
    if (type != ncclFloat32 || op != ncclSum)
        stop("ncclAllReduce: only sums of f32 are known here");
    return put({comm, Kind::ALL_REDUCE, send, receive, count, type, 0, stream}, __func__);
}

ncclResult_t ncclAllGather(const void *send, void *receive, size_t count, ncclDataType_t type,
                           ncclComm_t comm, cudaStream_t stream) {
    ENTER(ncclSystemError);
    return put({comm, Kind::ALL_GATHER, send, receive, count, type, 0, stream}, __func__);
}

ncclResult_t ncclBroadcast(const void *send, void *receive, size_t count, ncclDataType_t type,
                           int root, ncclComm_t comm, cudaStream_t stream) {
    ENTER(ncclSystemError);
    return put({comm, Kind::BROADCAST, send, receive, count, type, root, stream}, __func__);
}

ncclResult_t ncclSend(const void *send, size_t count, ncclDataType_t type, int peer,
                      ncclComm_t comm, cudaStream_t stream) {
    ENTER(ncclSystemError);
    return put({comm, Kind::SEND, send, nullptr, count, type, peer, stream}, __func__);
}

ncclResult_t ncclRecv(void *receive, size_t count, ncclDataType_t type, int peer, ncclComm_t comm,
                      cudaStream_t stream) {
    ENTER(ncclSystemError);
    return put({comm, Kind::RECEIVE, nullptr, receive, count, type, peer, stream}, __func__);
}

ncclResult_t ncclGroupStart(void) {
    ENTER(ncclSystemError);
    groups++;
    return ncclSuccess;
}

/* One flight for all calls of the group, which must be on one stream here. */
ncclResult_t ncclGroupEnd(void) {
    ncclResult_t error = enter(__func__, ncclSystemError);
    if (groups == 0) return ncclInvalidUsage;
    if (--groups > 0) return error;
    std::vector<Call> calls;
    calls.swap(grouped);
    if (error != ncclSuccess || calls.empty()) return error;
    for (const Call &c : calls) {
        if (c.stream != calls[0].stream || c.comm != calls[0].comm)
            stop("an NCCL group over several streams or communicators is not known here");
    }
    return queue(calls);
}

const char *ncclGetErrorString(ncclResult_t result) {
    static const char *const texts[] = {"no error",
                                        "unhandled cuda error",
                                        "unhandled system error",
                                        "internal error",
                                        "invalid argument",
                                        "invalid usage",
                                        "remote process exited or there was a network error",
                                        "NCCL operation in progress"};
    return result >= 0 && result < 8 ? texts[result] : "unknown result code";
}

const char *ncclGetLastError(ncclComm_t) {
    return "no more is known: this is a fake";
}
}
