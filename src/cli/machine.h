/* What gyre doctor looks at on each rank. Plain bytes, so that ranks can send it. */
#ifndef GYRE_CLI_MACHINE_H
#define GYRE_CLI_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    char host[256];
    char cores[192];    /* this rank may use, as "0-3,8" */
    char possible[192]; /* any process of this machine or container may use */
    char versions[384];
    char device[1024];    /* the backend's own description, or why there is none */
    char survey[4096];    /* of devices: what backends say without being opened, problems too */
    char advice[2048];    /* of the backend that opened: what it warned of, a line each */
    char problem[1024];   /* why no backend opens, or the GPUs that are here stay idle; or "" */
    char filesystem[32];  /* of the working folder */
    bool network, memory; /* that filesystem is on other machines, or in memory */
    double quota;         /* cores' worth of time that the container gets; 0: no limit */
    int omp_threads;      /* OMP_NUM_THREADS; 0: not set */
    int threads;          /* that the backend starts */
    /* bytes */
    uint64_t total, available;  /* memory */
    uint64_t limit;             /* on memory, by a container; 0: none */
    uint64_t shared, disk_free; /* /dev/shm; the working folder's disk */
    uint64_t lockable;          /* memory that a process may lock; UINT64_MAX: no limit */
    bool infiniband;            /* network cards that read and write locked memory are here */
} cli_machine;

/* Fills all but `host`, `device`, `survey`, `advice`, `problem` and `threads`. What the system does
 * not tell stays 0 or "?". */
void cli_machine_read(cli_machine *m);

/* The path of a program that PATH finds; `out` is "" when there is none. */
bool cli_machine_program(const char *name, char *out, unsigned long bytes);

#endif
