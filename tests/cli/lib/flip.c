/* A memory error: preloaded, it flips one bit of the parameters that rank 1 gets at the start. */
#include <mpi.h>

int MPI_Bcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm) {
    enum { PARAMETERS = 20000 }; /* bytes; other broadcasts are smaller */
    int code = PMPI_Bcast(data, count, type, root, comm), rank = 0;
    MPI_Comm_rank(comm, &rank);
    if (rank == 1 && count > PARAMETERS) ((unsigned char *)data)[PARAMETERS / 2] ^= 1;
    return code;
}
