/* Sums over ranks: exact along the fixed tree, or as the library likes. */
#include "comm.h"

#include "gyre/reduction.h"

enum { TAG_HALVING = 1, TAG_DOUBLING = 2 };

/* Sends `send` and receives into `into` what the partner sends, piece by piece: as often as the
 * longer of the two needs, which is the same number on both sides. */
static gyre_status exchange(gyre_comm *c, int partner, int tag, const float *send, size_t send_n,
                            float *into, size_t into_n) {
    size_t longer = send_n > into_n ? send_n : into_n;
    for (size_t at = 0; at < longer; at += c->piece) {
        const float *from = at < send_n ? send + at : send;
        float *to = at < into_n ? into + at : into;
        GYRE_TRY(DIST_WAIT(c,
                           MPI_Sendrecv(from, dist_mpi_part(c, send_n, at), MPI_FLOAT, partner, tag,
                                        to, dist_mpi_part(c, into_n, at), MPI_FLOAT, partner, tag,
                                        c->world, MPI_STATUS_IGNORE),
                           "the exact reduction"));
    }
    return GYRE_OK;
}

gyre_status gyre_comm_check_exact(const gyre_comm *c) {
    if ((c->size & (c->size - 1)) == 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "exact reduction needs a power of two of ranks, found %d",
                     c->size);
}

/* Two ranks that meet hold sums over sibling subtrees for the same range; each keeps one half of it
 * and adds the other's part. Two-operand addition commutes in IEEE arithmetic, so both sides of the
 * tree get the same bits. */
gyre_status gyre_comm_reduce_exact(gyre_comm *c, float *x, size_t n, float *work) {
    gyre_halving steps[GYRE_HALVINGS_MAX];
    GYRE_TRY(gyre_comm_check_exact(c));
    int count = gyre_halving_plan(c->rank, c->size, n, steps);
    for (int k = 0; k < count; k++) {
        const gyre_halving *s = &steps[k];
        GYRE_TRY(exchange(c, s->partner, TAG_HALVING, x + s->give, s->give_end - s->give,
                          work + s->keep, s->keep_end - s->keep));
        for (size_t i = s->keep; i < s->keep_end; i++) x[i] += work[i];
    }
    for (int k = count - 1; k >= 0; k--) {
        const gyre_halving *s = &steps[k];
        GYRE_TRY(exchange(c, s->partner, TAG_DOUBLING, x + s->keep, s->keep_end - s->keep,
                          x + s->give, s->give_end - s->give));
    }
    return GYRE_OK;
}

gyre_status gyre_comm_reduce_fast_begin(gyre_comm *c, float *x, size_t n) {
    for (size_t at = 0; at < n; at += c->piece) {
        if (c->pending_count == DIST_PENDING_MAX) {
            return gyre_fail(GYRE_EPEER, "more than %d reductions begun at once", DIST_PENDING_MAX);
        }
        GYRE_TRY(
            dist_mpi_check(MPI_Iallreduce(MPI_IN_PLACE, x + at, dist_mpi_part(c, n, at), MPI_FLOAT,
                                          MPI_SUM, c->world, &c->pending[c->pending_count++]),
                           "MPI_Iallreduce"));
    }
    return GYRE_OK;
}

gyre_status gyre_comm_reduce_fast_wait(gyre_comm *c) {
    int count = c->pending_count;
    c->pending_count = 0;
    return DIST_WAIT(c, MPI_Waitall(count, c->pending, MPI_STATUSES_IGNORE), "MPI_Iallreduce");
}
