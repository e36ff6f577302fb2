/* How the ranks of a communicator find each other: each tells all it expects who it is, and which
 * part of a split it belongs to. */
#include "fake_nccl.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <time.h>

namespace fake {

/* FAKE_FAIL=ncclHello:1: it never does, as a rank that is not reached. */
void say_hello(ncclComm_t comm) {
    int me = 0;
    PMPI_Comm_rank(wire(), &me);
    comm->mine.device = view()[(size_t)current_device()].gpu;
    comm->hellos.resize(comm->expected.size());
    comm->met.assign(comm->expected.size(), false);
    bool silent = call("ncclHello", 1) != 0;
    for (size_t i = 0; i < comm->expected.size(); i++) {
        if (comm->expected[i] == me) {
            comm->met[i] = true;
            comm->hellos[i] = comm->mine;
            continue;
        }
        if (silent) continue;
        comm->sent.push_back(MPI_REQUEST_NULL);
        PMPI_Isend(&comm->mine, sizeof comm->mine, MPI_BYTE, comm->expected[i],
                   tag_of(comm, TAG_HELLO), wire(), &comm->sent.back());
    }
}

static ncclResult_t meet(ncclComm_t comm, size_t i) {
    const Hello &mine = comm->mine;
    Hello &theirs = comm->hellos[i];
    PMPI_Recv(&theirs, sizeof theirs, MPI_BYTE, comm->expected[i], tag_of(comm, TAG_HELLO), wire(),
              MPI_STATUS_IGNORE);
    if (memcmp(mine.id, theirs.id, sizeof mine.id) != 0)
        stop("ncclCommInitRank: rank %d has another unique id", theirs.rank);
    if (theirs.ranks != mine.ranks || theirs.rank == mine.rank)
        stop("ncclCommInitRank: process %d says it is rank %d of %d", comm->expected[i],
             theirs.rank, theirs.ranks);
    if (theirs.device == mine.device) {
        note("ncclCommInitRank: duplicate GPU: ranks %d and %d both use GPU %d", mine.rank,
             theirs.rank, mine.device);
        return ncclInvalidUsage;
    }
    comm->met[i] = true;
    return ncclSuccess;
}

/* Those of one color, in the order of their keys. */
static void number_ranks(ncclComm_t comm) {
    std::vector<std::array<int, 3>> members; /* key, rank before, rank in wire() */
    for (size_t i = 0; i < comm->hellos.size(); i++) {
        const Hello &h = comm->hellos[i];
        if (h.color == comm->mine.color) members.push_back({h.key, h.rank, comm->expected[i]});
    }
    std::sort(members.begin(), members.end());
    comm->ranks = (int)members.size();
    for (int r = 0; r < comm->ranks; r++) {
        comm->wires.push_back(members[(size_t)r][2]);
        if (members[(size_t)r][1] == comm->mine.rank) comm->rank = r;
    }
}

/* Have all ranks come? ncclInProgress while not. */
ncclResult_t gather(ncclComm_t comm) {
    bool all = true;
    for (size_t i = 0; i < comm->expected.size(); i++) {
        if (comm->met[i]) continue;
        int there = 0;
        PMPI_Iprobe(comm->expected[i], tag_of(comm, TAG_HELLO), wire(), &there, MPI_STATUS_IGNORE);
        if (there) {
            ncclResult_t error = meet(comm, i);
            if (error != ncclSuccess) return error;
        }
        all = all && there;
    }
    int sent = 0;
    PMPI_Testall((int)comm->sent.size(), comm->sent.data(), &sent, MPI_STATUSES_IGNORE);
    if (!all || !sent) return ncclInProgress;
    number_ranks(comm);
    comm->ready = true;
    return ncclSuccess;
}

ncclResult_t gather_blocking(ncclComm_t comm, const char *function) {
    ncclResult_t state = gather(comm);
    for (long n = 0; state == ncclInProgress; n++) {
        struct timespec pause = {0, 100000};
        if (n > setting("FAKE_HANG_SECONDS", 60) * 10000)
            stop("%s waits for ranks that do not come: it would hang here", function);
        nanosleep(&pause, nullptr);
        state = gather(comm);
    }
    return state;
}

} // namespace fake
