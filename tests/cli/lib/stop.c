/* Preloaded, it stops the whole process (SIGSTOP), or with STOP_SLEEP its calling thread alone, of
 * rank STOP_RANK at call STOP_AT (default 1) of STOP_IN, a function below; for those with a path or
 * descriptor, of calls on files whose path holds STOP_PATH. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <mpi.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static atomic_int calls;

static int is(const char *variable, const char *wanted) {
    const char *value = getenv(variable);
    return value != NULL && wanted != NULL && strcmp(value, wanted) == 0;
}

static void at(const char *function, const char *path) {
    const char *part = getenv("STOP_PATH"), *call = getenv("STOP_AT");
    const char *rank = getenv("OMPI_COMM_WORLD_RANK");
    if (!is("STOP_IN", function)) return;
    if (rank != NULL && !is("STOP_RANK", rank)) return;
    if (path != NULL && (part == NULL || strstr(path, part) == NULL)) return;
    if (++calls != (call == NULL ? 1 : atoi(call))) return;
    if (getenv("STOP_SLEEP") == NULL) raise(SIGSTOP);
    while (getenv("STOP_SLEEP") != NULL) sleep(1000);
}

static void at_file(const char *function, int fd) {
    char link[64], path[4096];
    if (!is("STOP_IN", function)) return;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n < 0 ? 0 : n] = '\0';
    at(function, path);
}

int MPI_Init_thread(int *argc, char ***argv, int required, int *provided) {
    at("init", NULL);
    int code = PMPI_Init_thread(argc, argv, required, provided);
    at("after_init", NULL);
    return code;
}

int MPI_Barrier(MPI_Comm comm) {
    at("barrier", NULL);
    return PMPI_Barrier(comm);
}

int MPI_Finalize(void) {
    at("finalize", NULL);
    return PMPI_Finalize();
}

int MPI_Sendrecv(const void *sent, int sent_count, MPI_Datatype sent_type, int to, int tag,
                 void *got, int count, MPI_Datatype type, int from, int got_tag, MPI_Comm comm,
                 MPI_Status *status) {
    at("reduction", NULL);
    return PMPI_Sendrecv(sent, sent_count, sent_type, to, tag, got, count, type, from, got_tag,
                         comm, status);
}

/* Of an evaluation, among others. */
int MPI_Allreduce(const void *in, void *out, int count, MPI_Datatype type, MPI_Op op,
                  MPI_Comm comm) {
    if (type == MPI_DOUBLE) at("evaluation", NULL);
    return PMPI_Allreduce(in, out, count, type, op, comm);
}

static int open_real(const char *name, const char *path, int flags, mode_t mode) {
    at("open", path);
    return ((int (*)(const char *, int, ...))dlsym(RTLD_NEXT, name))(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list args;
    va_start(args, flags);
    mode_t mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
    va_end(args);
    return open_real("open", path, flags, mode);
}

ssize_t pread(int fd, void *data, size_t size, off_t offset) {
    at_file("pread", fd);
    return ((ssize_t(*)(int, void *, size_t, off_t))dlsym(RTLD_NEXT, "pread"))(fd, data, size,
                                                                               offset);
}

int fsync(int fd) {
    at_file("fsync", fd);
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}
