/* One function per thing that may be wrong. Each says what is, what it means and what to do. */
#include "advice.h"

#include "gyre/cores.h"
#include "gyre/text.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CORES_MAX = 8192 };
static const double GIB = 1024.0 * 1024 * 1024;

__attribute__((format(printf, 2, 3))) static void found(int *count, const char *format, ...) {
    char text[4096];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    printf("%s  - ", (*count)++ == 0 ? "to look at:\n" : "");
    gyre_text_print(stdout, text, 0);
    printf("\n");
}

/* The ranks of one host: how many, and how many cores they may use together and one by one. */
typedef struct {
    const cli_machine *first;
    int ranks, united, added, threads;
} host;

static host look_at_host(const cli_machine *m, int ranks, int first) {
    unsigned char used[CORES_MAX] = {0};
    host h = {.first = &m[first]};
    for (int i = first; i < ranks; i++) {
        if (strcmp(m[i].host, m[first].host) != 0) continue;
        h.ranks++;
        h.added += gyre_cores_count(m[i].cores);
        h.threads += m[i].omp_threads;
        gyre_cores_mark(m[i].cores, used, CORES_MAX);
    }
    for (int i = 0; i < CORES_MAX; i++) h.united += used[i];
    return h;
}

static void binding(const host *h, int *count) {
    const cli_machine *m = h->first;
    int possible = gyre_cores_count(m->possible);
    bool slurm = getenv("SLURM_JOB_ID") != NULL; /* there, the job's own share is all there is */
    if (h->united < possible && !slurm) {
        const char *launcher = getenv("OMPI_COMM_WORLD_SIZE") != NULL
                                   ? "start with `mpirun --bind-to none`, which lets every rank "
                                     "use all, or with more ranks"
                                   : "start gyre outside of taskset, or under mpirun with more "
                                     "ranks";
        found(count, "%s: the %s bound to %d of %d cores, the others stay idle: %s", m->host,
              h->ranks == 1 ? "rank is" : "ranks are", h->united, possible, launcher);
    }
    if (h->ranks > h->united) {
        found(count,
              "%s: %d ranks on %d core%s wait for each other at every step: start %d, the run "
              "computes the same",
              m->host, h->ranks, h->united, h->united == 1 ? "" : "s", h->united);
    }
    if (h->threads > h->united) {
        found(count,
              "%s: OMP_NUM_THREADS asks for %d threads in all on %d core%s: unset it, or set %d",
              m->host, h->threads, h->united, h->united == 1 ? "" : "s",
              h->united / h->ranks > 0 ? h->united / h->ranks : 1);
    }
    if (m->quota > 0 && m->quota < h->united) {
        found(count,
              "%s: the container gets the time of %.1f cores, but gyre sees %d: set `threads` or "
              "OMP_NUM_THREADS to %d for each rank, or raise the container's --cpus",
              m->host, m->quota, h->united,
              m->quota / h->ranks >= 1 ? (int)(m->quota / h->ranks) : 1);
    }
}

/* The lines of the survey that say what is wrong. */
static void devices(const cli_machine *m, int *count) {
    for (const char *line = m->survey; *line != '\0'; line += strspn(line, "\n")) {
        int length = (int)strcspn(line, "\n");
        if (strncmp(line, "! ", 2) == 0) found(count, "%s: %.*s", m->host, length - 2, line + 2);
        line += length;
    }
}

/* What all ranks' devices are to each other; rank 0 knows. */
static void device_ranks(const cli_machine *m, int *count) {
    for (const char *line = m->advice; *line != '\0'; line += strspn(line, "\n")) {
        int length = (int)strcspn(line, "\n");
        found(count, "%.*s", length, line);
        line += length;
    }
}

/* Said once for all ranks, unless the survey has said it. */
static void idle_device(const cli_machine *m, int *count) {
    if (m->problem[0] != '\0' && strstr(m->survey, m->problem) == NULL) {
        found(count, "%s: %s", m->threads == 0 ? "no device opens" : "GPUs stay idle", m->problem);
    }
}

static void memory(const host *h, int *count) {
    const cli_machine *m = h->first;
    uint64_t need = (uint64_t)h->ranks * 32 * 1024 * 1024;
    if (h->ranks > 1 && m->shared < need) {
        found(count,
              "%s: /dev/shm has %.0f MiB, %d ranks may need %.0f and die by SIGBUS: give the "
              "container --shm-size=1g, or export OMPI_MCA_btl_vader_backing_directory=/tmp",
              m->host, (double)m->shared / (1024 * 1024), h->ranks, (double)need / (1024 * 1024));
    }
    if (m->available > 0 && m->available < (uint64_t)GIB) {
        found(count, "%s: only %.1f GiB of memory are available: end other programs", m->host,
              (double)m->available / GIB);
    }
    if (m->limit > 0 && (double)m->limit < 2 * GIB) {
        found(count,
              "%s: the container or job may use %.1f GiB of memory and is killed beyond: raise "
              "its --memory (Slurm: --mem)",
              m->host, (double)m->limit / GIB);
    }
}

/* NCCL and MPI register memory with the card, for which it must be locked. */
static void locking(const cli_machine *m, int *count) {
    const uint64_t enough = (uint64_t)1 << 30;
    if (!m->infiniband || m->lockable >= enough) return;
    found(count,
          "%s: a process may lock %.0f MiB of memory, InfiniBand and RoCE need more: `ulimit -l "
          "unlimited`, in a service LimitMEMLOCK=infinity, in a container --ulimit memlock=-1",
          m->host, (double)m->lockable / (1024 * 1024));
}

static void folder(const cli_machine *m, int *count) {
    const char *locking = getenv("HDF5_USE_FILE_LOCKING");
    bool off = locking != NULL && (strcmp(locking, "FALSE") == 0 || strcmp(locking, "0") == 0 ||
                                   strcmp(locking, "BEST_EFFORT") == 0);
    if (m->network && !off) {
        found(count,
              "this folder is on %s, where HDF5 may be unable to lock files: if a dataset does "
              "not open (errno 11, 37 or 524), export HDF5_USE_FILE_LOCKING=FALSE",
              m->filesystem);
    }
    if (m->memory) {
        found(count, "this folder is on %s, in memory: runs kept here are gone after a restart",
              m->filesystem);
    }
    if (m->disk_free > 0 && (double)m->disk_free < GIB) {
        found(count,
              "the disk of this folder has only %.2f GiB free: remove old runs, or use --out "
              "on another one",
              (double)m->disk_free / GIB);
    }
}

static void programs(int *count) {
    char path[4096];
    if (!cli_machine_program("gnuplot", path, sizeof path)) {
        found(count, "no gnuplot, so no figures: apt-get install gnuplot-nox");
    }
    bool mpirun = cli_machine_program("mpirun", path, sizeof path);
    if (!mpirun) {
        found(count, "no mpirun, so one rank only: apt-get install openmpi-bin");
    }
    if (mpirun && geteuid() == 0 &&
        (getenv("OMPI_ALLOW_RUN_AS_ROOT") == NULL ||
         getenv("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM") == NULL)) {
        found(count, "you are root, for whom mpirun refuses to start anything: export "
                     "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1");
    }
    const char *isa = getenv("DNNL_MAX_CPU_ISA");
    if (isa != NULL) {
        found(count,
              "DNNL_MAX_CPU_ISA=%s holds oneDNN to older instructions, which changes the last "
              "bits of a run and its speed: unset it",
              isa);
    }
}

static void alike(const cli_machine *m, int ranks, int *count) {
    for (int i = 1; i < ranks; i++) {
        bool versions = strcmp(m[i].versions, m[0].versions) != 0;
        if (!versions && strcmp(m[i].device, m[0].device) == 0) continue;
        found(count, "rank %d on %s has \"%s\", rank 0 \"%s\": %s", i, m[i].host,
              versions ? m[i].versions : m[i].device, versions ? m[0].versions : m[0].device,
              versions ? "start all ranks from one installation"
                       : "a run may differ in the last bits from one on alike machines");
        return;
    }
}

int cli_advice_print(const cli_machine *m, int ranks) {
    int count = 0;
    idle_device(m, &count);
    device_ranks(m, &count);
    for (int i = 0; i < ranks; i++) {
        bool seen = false;
        for (int k = 0; k < i && !seen; k++) seen = strcmp(m[k].host, m[i].host) == 0;
        if (seen) continue;
        host h = look_at_host(m, ranks, i);
        binding(&h, &count);
        devices(h.first, &count);
        memory(&h, &count);
        locking(h.first, &count);
    }
    if ((ranks & (ranks - 1)) != 0) {
        int below = 1;
        while (2 * below < ranks) below *= 2;
        found(&count,
              "%d ranks can only use `reduce: \"fast\"`; the exact reduction takes a power of two: "
              "start %d or %d",
              ranks, below, 2 * below);
    }
    folder(m, &count);
    programs(&count);
    alike(m, ranks, &count);
    if (count == 0) printf("nothing is wrong\n");
    return count;
}
