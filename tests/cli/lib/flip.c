/* A memory error: preloaded, it changes one number that rank FLIP_RANK (default 1) gets: of the
 * parameters at the start, or of the FLIP_AT-th reduced gradient, in the last exchange, so that no
 * other rank gets it. A bit of it flips; with FLIP_NAN it becomes NaN. */
#include <mpi.h>
#include <stdlib.h>
#include <string.h>

static int is_odd(MPI_Comm comm) {
    const char *odd = getenv("FLIP_RANK");
    int rank = 0;
    MPI_Comm_rank(comm, &rank);
    return rank == (odd == NULL ? 1 : atoi(odd));
}

static void flip(void *number) {
    if (getenv("FLIP_NAN") != NULL)
        memset(number, 0xff, 4);
    else
        ((unsigned char *)number)[2] ^= 64;
}

int MPI_Bcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm) {
    enum { PARAMETERS = 20000 }; /* bytes; other broadcasts are smaller */
    int code = PMPI_Bcast(data, count, type, root, comm);
    if (getenv("FLIP_AT") == NULL && count > PARAMETERS && is_odd(comm)) {
        flip((char *)data + PARAMETERS / 2);
    }
    return code;
}

int MPI_Sendrecv(const void *sent, int sent_count, MPI_Datatype sent_type, int to, int tag,
                 void *got, int count, MPI_Datatype type, int from, int got_tag, MPI_Comm comm,
                 MPI_Status *status) {
    static int reductions;
    int rank = 0, code = PMPI_Sendrecv(sent, sent_count, sent_type, to, tag, got, count, type, from,
                                       got_tag, comm, status);
    MPI_Comm_rank(comm, &rank);
    int last = tag == 2 && from == (rank ^ 1); /* src/dist/reduce.c: doubling, nearest neighbour */
    if (last && getenv("FLIP_AT") != NULL && ++reductions == atoi(getenv("FLIP_AT")) &&
        is_odd(comm)) {
        flip(got);
    }
    return code;
}
