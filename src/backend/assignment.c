/* Assigning devices to ranks: the cheapest matching of a bipartite graph. Ranks get a device one
 * after the other, each by the cheapest chain of exchanges: it takes a device from a rank that
 * takes another one in its place, and so on until a free one (successive shortest augmenting
 * paths; Ahuja, Magnanti & Orlin, Network Flows, 12.4). The chains are found by Bellman and Ford's
 * algorithm, since giving back a device has a negative cost; there are a few dozen devices. */
#include "gyre/assignment.h"

#include <stdint.h>
#include <stdlib.h>

static const int64_t FAR = INT64_MAX / 4;

typedef struct {
    int ranks, devices;
    const gyre_sight *sights;
    int *taken;     /* by each rank; -1: none yet */
    int *owner;     /* of each device; -1: free */
    int64_t *cost;  /* of the cheapest chain from the rank in turn to each device */
    int *from;      /* the rank from which that chain comes to the device */
    int64_t *price; /* to each rank */
} matching;

/* A larger sum of distances is never bought by better order. Squares, so that crossing over costs:
 * the sum of (rank - place)^2 is least where the order is kept. */
static int64_t cost_of(const matching *m, int rank, int device) {
    const gyre_sight *s = &m->sights[(size_t)rank * (size_t)m->devices + (size_t)device];
    if (s->place < 0) return FAR;
    int64_t order = (int64_t)(rank - s->place) * (rank - s->place);
    int64_t most = (int64_t)(m->ranks + m->devices) * (m->ranks + m->devices) * m->ranks;
    return (int64_t)s->distance * (most + 1) + order;
}

/* Tries the chains that continue from a rank; whether any became cheaper. */
static bool relax(matching *m, int rank) {
    bool better = false;
    for (int d = 0; d < m->devices; d++) {
        int64_t step = cost_of(m, rank, d);
        if (step == FAR || d == m->taken[rank] || m->price[rank] + step >= m->cost[d]) continue;
        m->cost[d] = m->price[rank] + step;
        m->from[d] = rank;
        better = true;
        int owner = m->owner[d];
        if (owner >= 0) m->price[owner] = m->cost[d] - cost_of(m, owner, d);
    }
    return better;
}

/* The cheapest free device at the end of a chain from `rank`; -1: there is none. */
static int find_chain(matching *m, int rank) {
    int best = -1;
    for (int r = 0; r < m->ranks; r++) m->price[r] = FAR;
    for (int d = 0; d < m->devices; d++) m->cost[d] = FAR;
    m->price[rank] = 0;
    for (bool better = true; better;) {
        better = false;
        for (int r = 0; r < m->ranks; r++) better = (m->price[r] < FAR && relax(m, r)) || better;
    }
    for (int d = 0; d < m->devices; d++) {
        if (m->owner[d] >= 0 || m->cost[d] == FAR) continue;
        if (best < 0 || m->cost[d] < m->cost[best]) best = d;
    }
    return best;
}

/* Each rank of the chain takes the device that it leads to, the last one first. */
static void follow_chain(matching *m, int rank, int device) {
    for (int r = -1, next; r != rank; device = next) {
        r = m->from[device];
        next = m->taken[r];
        m->taken[r] = device;
        m->owner[device] = r;
    }
}

static void match(matching *m, bool *short_of, bool *whole) {
    *whole = true;
    for (int r = 0; r < m->ranks; r++) {
        m->taken[r] = -1;
        short_of[r] = false;
    }
    for (int d = 0; d < m->devices; d++) m->owner[d] = -1;
    for (int r = 0; r < m->ranks && *whole; r++) {
        int device = find_chain(m, r);
        *whole = device >= 0;
        if (*whole) follow_chain(m, r, device);
        /* no chain ends: all devices that these ranks see belong to ranks among them (Hall) */
        for (int k = 0; k < m->ranks && !*whole; k++) short_of[k] = m->price[k] < FAR;
    }
}

gyre_status gyre_assign_devices(int ranks, int devices, const gyre_sight *sights, int *taken,
                                bool *short_of, bool *whole) {
    size_t d = (size_t)devices + 1; /* none to ask for would be NULL, too */
    matching m = {.ranks = ranks, .devices = devices, .sights = sights, .taken = taken};
    gyre_status status = GYRE_OK;
    m.owner = calloc(d, sizeof *m.owner);
    m.from = calloc(d, sizeof *m.from);
    m.cost = calloc(d, sizeof *m.cost);
    m.price = calloc((size_t)ranks, sizeof *m.price);
    if (m.owner == NULL || m.from == NULL || m.cost == NULL || m.price == NULL) {
        status = gyre_no_memory("assigning devices");
    } else {
        match(&m, short_of, whole);
    }
    free(m.owner);
    free(m.from);
    free(m.cost);
    free(m.price);
    return status;
}
