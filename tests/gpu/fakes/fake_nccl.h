/* The fake NCCL: communicators (nccl.cc) and collectives under way (nccl_flight.cc). */
#ifndef GYRE_TESTS_GPU_FAKE_NCCL_H
#define GYRE_TESTS_GPU_FAKE_NCCL_H

#include "fake_cuda_queue.h"
#include "fake_mpi.h"
#include <nccl.h>
#include <vector>

namespace fake {
enum class Kind : int { ALL_REDUCE, ALL_GATHER, BROADCAST, SEND, RECEIVE };

/* One call of the program. */
struct Call {
    ncclComm_t comm;
    Kind kind;
    const void *send;
    void *receive;
    size_t count; /* elements sent (or received, for RECEIVE) */
    ncclDataType_t type;
    int peer; /* of SEND and RECEIVE; BROADCAST: the one that has it */
    cudaStream_t stream;
    bool captured = false; /* for a graph: on all ranks, or on none */
};

/* What ranks tell each other when they meet. */
struct Hello {
    char id[NCCL_UNIQUE_ID_BYTES];
    int ranks, rank, device; /* rank: of the communicator that is split, else of the new one */
    int color, key;
};
} // namespace fake

struct ncclComm {
    int number; /* of communicators, by creation; equal on all ranks */
    int ranks, rank;
    bool blocking = true;
    bool ready = false, aborted = false;
    bool finalizing = false;      /* ncclCommFinalize said "in progress" */
    std::vector<fake::Call> late; /* and so did the call of these */
    int asked = 0;                /* how often, of what is in progress */
    /* Recorded calls have copies of it, as long as their graph lives. */
    std::shared_ptr<char> recorded = std::make_shared<char>();
    ncclResult_t async = ncclSuccess;
    long sequence = 0;              /* collectives begun */
    int underway = 0;               /* flights begun and not ended */
    std::vector<int> wires;         /* of each rank: which it is in wire() */
    ncclComm_t splitting = nullptr; /* made from this one, which is busy until all have met */
    ncclComm_t *split_out = nullptr;
    std::vector<int> expected; /* of whom to hear, by their ranks in wire(); one's own too */
    std::vector<fake::Hello> hellos;
    std::vector<bool> met;
    fake::Hello mine;
    std::vector<MPI_Request> sent;
};

namespace fake {

/* Tells comm->expected what comm->mine says. */
void say_hello(ncclComm_t comm);
/* Have all ranks come? ncclInProgress while not; then they are numbered, and it is ready. */
ncclResult_t gather(ncclComm_t comm);
ncclResult_t gather_blocking(ncclComm_t comm, const char *function);

size_t size_of(ncclDataType_t type);
/* The calls of one group on one stream: they make progress together. */
Task flight(std::vector<Call> calls);

enum { TAG_HELLO, TAG_COLLECTIVE, TAG_PAIR, TAGS };
static inline int tag_of(const ncclComm *comm, int tag) {
    return comm->number * TAGS + tag;
}

} // namespace fake

#endif
