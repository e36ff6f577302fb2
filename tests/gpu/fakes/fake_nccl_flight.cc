/* Collectives under way. Every rank sends what the others need in messages that say which call they
 * belong to; a rank whose call differs in kind, count or type stops with both sides named. Nothing
 * blocks: a step looks at what has come and says whether all is done.
 *
 *   FAKE_FAIL=ncclStall:k   the k-th collective of this rank never ends */
#include "fake_nccl.h"

#include <cstring>
#include <list>
#include <memory>

namespace fake {

namespace {

struct Envelope {
    long sequence;
    int kind, type;
    size_t count;
    bool captured;
};

struct Message {
    std::vector<char> text;
    MPI_Request request = MPI_REQUEST_NULL;
};

/* A call within a flight, and what it still waits for. */
struct Leg {
    Call call;
    long sequence = 0;
    std::vector<int> missing;              /* ranks whose message has not come */
    std::vector<std::vector<char>> inputs; /* by rank: payloads */
};

struct Flight {
    std::vector<Leg> legs;
    std::list<Message> messages;
    bool stalled = false;
};

const char *name_of(int kind) {
    static const char *const names[] = {"ncclAllReduce", "ncclAllGather", "ncclBroadcast",
                                        "ncclSend", "ncclRecv"};
    return names[kind];
}

/* Messages of an aborted communicator: MPI may still read them. */
std::list<Message> &abandoned() {
    static auto *all = new std::list<Message>;
    return *all;
}

} // namespace

size_t size_of(ncclDataType_t type) {
    switch (type) {
    case ncclInt8:
    case ncclUint8: return 1;
    case ncclFloat16:
    case ncclBfloat16: return 2;
    case ncclInt32:
    case ncclUint32:
    case ncclFloat32: return 4;
    case ncclInt64:
    case ncclUint64:
    case ncclFloat64: return 8;
    default: stop("NCCL data type %d is not known here", (int)type);
    }
}

static int wire_of(const Call &c, int rank) {
    return c.comm->wires[(size_t)rank];
}

static size_t bytes_of(const Call &c) {
    return c.count * size_of(c.type);
}

static void post(Flight *f, const Leg &leg, int peer, int tag) {
    const Call &c = leg.call;
    f->messages.emplace_back();
    Message &m = f->messages.back();
    Envelope e = {leg.sequence, (int)c.kind, (int)c.type, c.count, c.captured};
    m.text.resize(sizeof e + bytes_of(c));
    memcpy(m.text.data(), &e, sizeof e);
    copy_bytes(m.text.data() + sizeof e, c.send, bytes_of(c));
    PMPI_Isend(m.text.data(), (int)m.text.size(), MPI_BYTE, wire_of(c, peer), tag_of(c.comm, tag),
               wire(), &m.request);
}

static void begin_leg(Flight *f, Leg *leg) {
    const Call &c = leg->call;
    ncclComm_t comm = c.comm;
    if (c.kind == Kind::SEND) return post(f, *leg, c.peer, TAG_PAIR);
    leg->inputs.resize((size_t)comm->ranks);
    if (c.kind == Kind::RECEIVE) {
        leg->missing = {c.peer};
        return;
    }
    leg->sequence = comm->sequence++;
    if (call("ncclStall", 1) != 0) f->stalled = true;
    if (c.kind == Kind::BROADCAST && c.peer != comm->rank) {
        leg->missing = {c.peer};
        return;
    }
    for (int r = 0; r < comm->ranks; r++) {
        if (r == comm->rank) continue;
        post(f, *leg, r, TAG_COLLECTIVE);
        if (c.kind != Kind::BROADCAST) leg->missing.push_back(r);
    }
    auto &mine = leg->inputs[(size_t)comm->rank];
    mine.resize(bytes_of(c));
    copy_bytes(mine.data(), c.send, mine.size());
}

static void compare(const Leg &leg, const Envelope &e, int peer) {
    const Call &c = leg.call;
    if (e.captured != c.captured)
        stop("collective %ld is in a graph %s, but called on rank %d: NCCL wants one or the other",
             leg.sequence, c.captured ? "here" : "there", c.captured ? peer : rank());
    int kind = c.kind == Kind::RECEIVE ? (int)Kind::SEND : (int)c.kind;
    if (e.kind == kind && e.type == (int)c.type && e.count == c.count && e.sequence == leg.sequence)
        return;
    stop("ranks differ in collective %ld: here %s of %zu elements of type %d, on rank %d "
         "collective %ld, %s of %zu elements of type %d",
         leg.sequence, name_of((int)c.kind), c.count, (int)c.type, peer, e.sequence,
         name_of(e.kind), e.count, e.type);
}

/* Takes the peer's next message if it is there. */
static bool receive(Leg *leg, int peer) {
    int tag = tag_of(leg->call.comm, leg->call.kind == Kind::RECEIVE ? TAG_PAIR : TAG_COLLECTIVE);
    int there = 0, bytes = 0;
    MPI_Status status;
    int from = wire_of(leg->call, peer);
    PMPI_Iprobe(from, tag, wire(), &there, &status);
    if (!there) return false;
    PMPI_Get_count(&status, MPI_BYTE, &bytes);
    std::vector<char> text((size_t)bytes);
    PMPI_Recv(text.data(), bytes, MPI_BYTE, from, tag, wire(), MPI_STATUS_IGNORE);
    Envelope e;
    memcpy(&e, text.data(), sizeof e);
    compare(*leg, e, peer);
    leg->inputs[(size_t)peer].assign(text.begin() + sizeof e, text.end());
    return true;
}

/* Element i begins with another rank's term every 64 elements, as pieces of a ring do: not the
 * order of the exact tree, but the same on every rank. */
static std::vector<float> sum(const Leg &leg) {
    size_t ranks = leg.inputs.size();
    std::vector<float> out(leg.call.count);
    for (size_t i = 0; i < out.size(); i++) {
        float total = 0;
        for (size_t k = 0; k < ranks; k++) {
            float term;
            memcpy(&term, &leg.inputs[(i / 64 + k) % ranks][i * sizeof term], sizeof term);
            total = k == 0 ? term : total + term;
        }
        out[i] = total;
    }
    return out;
}

static void end_leg(const Leg &leg) {
    const Call &c = leg.call;
    if (c.kind == Kind::ALL_REDUCE) {
        std::vector<float> total = sum(leg);
        copy_bytes(c.receive, total.data(), bytes_of(c));
    } else if (c.kind == Kind::ALL_GATHER) {
        for (size_t r = 0; r < leg.inputs.size(); r++) {
            copy_bytes((char *)c.receive + r * bytes_of(c), leg.inputs[r].data(), bytes_of(c));
        }
    } else if (c.kind == Kind::RECEIVE || c.kind == Kind::BROADCAST) {
        copy_bytes(c.receive, leg.inputs[(size_t)c.peer].data(), bytes_of(c));
    }
}

/* Receives from one peer are matched in order: a leg that waits for a peer holds later ones. */
static bool receive_all(Flight *f) {
    bool all = true;
    std::vector<bool> held((size_t)f->legs[0].call.comm->ranks, false);
    for (Leg &leg : f->legs) {
        if (leg.missing.empty()) continue;
        std::vector<int> rest;
        for (int peer : leg.missing) {
            if (!held[(size_t)peer] && receive(&leg, peer)) continue;
            rest.push_back(peer);
            held[(size_t)peer] = true;
        }
        leg.missing = rest;
        if (rest.empty())
            end_leg(leg);
        else
            all = false;
    }
    return all;
}

static bool sent_all(Flight *f) {
    for (auto m = f->messages.begin(); m != f->messages.end();) {
        int done = 0;
        PMPI_Test(&m->request, &done, MPI_STATUS_IGNORE);
        m = done ? f->messages.erase(m) : std::next(m);
    }
    return f->messages.empty();
}

static bool step(Flight *f) {
    ncclComm_t comm = f->legs[0].call.comm;
    if (comm->aborted) {
        abandoned().splice(abandoned().end(), f->messages);
        comm->underway--;
        return true;
    }
    if (f->stalled) return false;
    bool received = receive_all(f), sent = sent_all(f);
    if (!received || !sent) return false;
    comm->underway--;
    return true;
}

/* Bytes that this rank's operands have; "ncclSend: 14 calls, 2 ranks". */
static std::shared_ptr<const Cost> cost_of(const std::vector<Call> &calls) {
    auto cost = std::make_shared<Cost>(Cost{"nccl", 0, 0, 0, ""});
    for (const Call &c : calls) {
        bool gathers = c.kind == Kind::ALL_GATHER;
        if (c.kind != Kind::RECEIVE) cost->read += bytes_of(c);
        if (c.kind != Kind::SEND)
            cost->write += bytes_of(c) * (size_t)(gathers ? c.comm->ranks : 1);
    }
    cost->detail =
        std::to_string(calls.size()) + " calls, " + std::to_string(calls[0].comm->ranks) + " ranks";
    return cost;
}

Task flight(std::vector<Call> calls) {
    std::string what = name_of((int)calls[0].kind);
    Task task = {what, nullptr, counting() ? cost_of(calls) : nullptr};
    task.begin = [calls]() -> Step {
        auto f = std::make_shared<Flight>();
        calls[0].comm->underway++;
        for (const Call &c : calls) {
            f->legs.push_back({c, 0, {}, {}});
            if (!c.comm->aborted) begin_leg(f.get(), &f->legs.back());
        }
        for (Leg &leg : f->legs) {
            bool collective = leg.call.kind < Kind::SEND;
            if (collective && leg.missing.empty() && !leg.call.comm->aborted) end_leg(leg);
        }
        return [f] { return step(f.get()); };
    };
    return task;
}

} // namespace fake
