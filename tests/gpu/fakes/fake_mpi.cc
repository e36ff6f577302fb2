/* MPI functions of the program that wait for peers: a device continues while its host waits, so
 * these poll and let device work run in between. Without this two ranks could wait for each other
 * where GPUs would not: one in MPI, the other for a collective whose part of the first one is
 * queued. */
#include "fake_mpi.h"

#include "fake.h"
#include <time.h>

namespace fake {

static MPI_Comm duplicate = MPI_COMM_NULL;

MPI_Comm wire() {
    return duplicate;
}

/* Waits for `request`. Device work moves only when the peers let us wait: lazy stays lazy. */
static int patiently(MPI_Request *request, MPI_Status *status) {
    enum { TRIES = 20 };
    for (long n = 0;; n++) {
        int done = 0;
        int code = PMPI_Test(request, &done, status);
        if (code != MPI_SUCCESS || done) return code;
        if (n < TRIES) continue;
        pump();
        struct timespec pause = {0, 50000};
        nanosleep(&pause, nullptr);
    }
}

static int finish(int code, MPI_Request *request) {
    return code != MPI_SUCCESS ? code : patiently(request, MPI_STATUS_IGNORE);
}

} // namespace fake

using namespace fake;

extern "C" {

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided) {
    int code = PMPI_Init_thread(argc, argv, required, provided);
    if (code == MPI_SUCCESS) {
        PMPI_Comm_dup(MPI_COMM_WORLD, &duplicate);
        install_fault_handler();
    }
    return code;
}

int MPI_Init(int *argc, char ***argv) {
    int provided = 0;
    return MPI_Init_thread(argc, argv, MPI_THREAD_SINGLE, &provided);
}

int MPI_Finalize(void) {
    if (duplicate != MPI_COMM_NULL) PMPI_Comm_free(&duplicate);
    return PMPI_Finalize();
}

int MPI_Wait(MPI_Request *request, MPI_Status *status) {
    return patiently(request, status);
}

int MPI_Waitall(int count, MPI_Request requests[], MPI_Status *statuses) {
    for (int i = 0; i < count; i++) {
        MPI_Status *status = statuses == MPI_STATUSES_IGNORE ? MPI_STATUS_IGNORE : &statuses[i];
        int code = patiently(&requests[i], status);
        if (code != MPI_SUCCESS) return code;
    }
    return MPI_SUCCESS;
}

int MPI_Barrier(MPI_Comm comm) {
    MPI_Request r;
    return finish(PMPI_Ibarrier(comm, &r), &r);
}

int MPI_Bcast(void *data, int count, MPI_Datatype type, int root, MPI_Comm comm) {
    MPI_Request r;
    return finish(PMPI_Ibcast(data, count, type, root, comm, &r), &r);
}

int MPI_Allreduce(const void *in, void *out, int count, MPI_Datatype type, MPI_Op op,
                  MPI_Comm comm) {
    MPI_Request r;
    return finish(PMPI_Iallreduce(in, out, count, type, op, comm, &r), &r);
}

int MPI_Gather(const void *in, int count, MPI_Datatype type, void *out, int out_count,
               MPI_Datatype out_type, int root, MPI_Comm comm) {
    MPI_Request r;
    return finish(PMPI_Igather(in, count, type, out, out_count, out_type, root, comm, &r), &r);
}

int MPI_Allgather(const void *in, int count, MPI_Datatype type, void *out, int out_count,
                  MPI_Datatype out_type, MPI_Comm comm) {
    MPI_Request r;
    return finish(PMPI_Iallgather(in, count, type, out, out_count, out_type, comm, &r), &r);
}

int MPI_Sendrecv(const void *out, int out_count, MPI_Datatype out_type, int to, int out_tag,
                 void *in, int in_count, MPI_Datatype in_type, int from, int in_tag, MPI_Comm comm,
                 MPI_Status *status) {
    MPI_Request send, receive;
    int code = PMPI_Irecv(in, in_count, in_type, from, in_tag, comm, &receive);
    if (code != MPI_SUCCESS) return code;
    code = PMPI_Isend(out, out_count, out_type, to, out_tag, comm, &send);
    if (code == MPI_SUCCESS) code = patiently(&receive, status);
    return code != MPI_SUCCESS ? code : patiently(&send, MPI_STATUS_IGNORE);
}
}
