/* The fake NCCL's way to its peers, a communicator of its own (mpi.cc). */
#ifndef GYRE_TESTS_GPU_FAKE_MPI_H
#define GYRE_TESTS_GPU_FAKE_MPI_H

#include <mpi.h>

namespace fake {
/* A duplicate of MPI_COMM_WORLD, made inside the program's MPI_Init; MPI_COMM_NULL before. */
MPI_Comm wire();
} // namespace fake

#endif
