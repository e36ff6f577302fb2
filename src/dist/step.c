/* The per-step agreement, and checksums over ranks: one MAX reduction over {x, ~x} says whether all
 * ranks hold the same x, since max(x) = x and max(~x) = ~x only then. */
#include "comm.h"

gyre_status gyre_comm_step_begin(gyre_comm *c, const gyre_step_claim *mine) {
    const uint64_t words[GYRE_CLAIM_WORDS] = {
        mine->lr_bits, mine->step,         mine->config_hash, ~mine->lr_bits,
        ~mine->step,   ~mine->config_hash, mine->stop,
    };
    for (int i = 0; i < GYRE_CLAIM_WORDS; i++) c->claim_sent[i] = words[i];
    return gyre_mpi_check(MPI_Iallreduce(c->claim_sent, c->claim_got, GYRE_CLAIM_WORDS,
                                         MPI_UINT64_T, MPI_MAX, c->world, &c->claim_request),
                          "the step's agreement");
}

gyre_status gyre_comm_step_end(gyre_comm *c, uint64_t *stop) {
    static const char *const names[] = {"learning rate", "step", "config"};
    GYRE_TRY(
        gyre_mpi_check(MPI_Wait(&c->claim_request, MPI_STATUS_IGNORE), "the step's agreement"));
    for (int i = 0; i < 3; i++) {
        if (c->claim_got[i] != ~c->claim_got[i + 3]) {
            return gyre_fail(GYRE_EPEER,
                             "the ranks differ in their %s at step %llu: they do not run the same "
                             "program, config or data; start all ranks from one installation",
                             names[i], (unsigned long long)c->claim_sent[1]);
        }
    }
    *stop = c->claim_got[6];
    return GYRE_OK;
}

gyre_status gyre_comm_same(gyre_comm *c, const char *what, uint64_t hash) {
    uint64_t words[2] = {hash, ~hash};
    GYRE_TRY(gyre_comm_max_u64(c, words, 2));
    if (words[0] == ~words[1]) return GYRE_OK;
    uint64_t first = hash; /* rank 0's; who differs from it is named */
    GYRE_TRY(gyre_comm_broadcast(c, &first, sizeof first, 0));
    uint64_t odd = hash != first ? (uint64_t)c->rank : 0;
    GYRE_TRY(gyre_comm_max_u64(c, &odd, 1));
    return gyre_fail(GYRE_EPEER,
                     "%s of rank %llu is not the same as that of rank 0: memory or hardware error, "
                     "or different libraries on the two hosts",
                     what, (unsigned long long)odd);
}
