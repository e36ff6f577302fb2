/* The ranks of a run: the only code that knows MPI is behind this header (src/dist).
 *
 * Failing on one rank must not hang the others: set-up code ends its phases with gyre_comm_agree;
 * inside a step, where peers may already wait in a collective, code calls gyre_comm_abort. */
#ifndef GYRE_COMM_H
#define GYRE_COMM_H

#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gyre_comm gyre_comm;

/* Initialises MPI (MPI_THREAD_FUNNELED) under a watchdog. Ranks are numbered by node: those of a
 * node are neighbours, whatever the launcher calls them; rank 0 is the launcher's. GYRE_EUSAGE
 * where srun started us and MPI's size is not SLURM_NTASKS, since a launcher without PMIx would
 * give N runs of one rank. A failure leaves nothing to close. Collective. */
gyre_status gyre_comm_open(int *argc, char ***argv, gyre_comm **out);
/* GYRE_EUSAGE where mpirun, in a Slurm batch script, started another number of ranks than the job
 * has tasks. Only rank 0's environment tells: it is mpirun's own, while other hosts' ranks have
 * that of the step of Open MPI's daemons. Collective. */
gyre_status gyre_comm_check_launch(gyre_comm *c);
/* Barrier, then MPI_Finalize. After it a process only returns. Collective. */
void gyre_comm_close(gyre_comm *c);

/* Cuts the ranks into `groups` equal parts of neighbours, each a communicator of its own; *group is
 * this rank's part, from 0. Cores and local ranks stay as they are, since the other parts' ranks
 * live on the same hosts. GYRE_EUSAGE unless `groups` divides the size. Close the part first.
 * Collective. */
gyre_status gyre_comm_split(gyre_comm *c, int groups, gyre_comm **out, int *group);
/* A barrier for ranks that may have to wait for hours: sleeps between looks, and leaves the core to
 * those who work. Collective. */
gyre_status gyre_comm_settle(gyre_comm *c);

int gyre_comm_rank(const gyre_comm *c);
int gyre_comm_size(const gyre_comm *c);
int gyre_comm_local_rank(const gyre_comm *c); /* among the ranks of this host */
int gyre_comm_local_size(const gyre_comm *c);
/* The largest power of two of neighbours such that all ranks fall into blocks of so many, each on
 * one node: a subtree of the exact reduction. */
int gyre_comm_block(const gyre_comm *c);
/* Blocks are less than nodes, whose ranks are from *least to *most: more than one copy of a vector
 * crosses between nodes in an exact reduction. */
bool gyre_comm_uneven(const gyre_comm *c, int *least, int *most);
const char *gyre_comm_host(const gyre_comm *c);
/* The cores this rank may use (gyre/cores.h), divided by the ranks of this host that may use just
 * the same ones; at least 1. */
int gyre_comm_cores(const gyre_comm *c);
/* For a rank that has left some of its cores: its share is now another. */
void gyre_comm_set_cores(gyre_comm *c, int cores);
/* One line for rank 0, "vm: rank 0 on core 0, rank 1 on core 1"; "" on the others. Neighbours that
 * share their cores are one entry. Cut when it does not fit. Collective. */
gyre_status gyre_comm_describe(gyre_comm *c, char *text, size_t bytes);

/* One verdict for all: when any rank's `mine` is not OK, every rank gets the worst one's status,
 * and its text as error text ("rank 2 on host: ..."). Collective. */
gyre_status gyre_comm_agree(gyre_comm *c, gyre_status mine);

/* Prints the calling thread's error text with rank and phase, and ends all ranks with `code`. */
_Noreturn void gyre_comm_abort(gyre_comm *c, gyre_status code);

gyre_status gyre_comm_barrier(gyre_comm *c);                                       /* Collective. */
gyre_status gyre_comm_broadcast(gyre_comm *c, void *data, size_t bytes, int root); /* Collective. */
/* Elementwise sums of doubles in place. Exact (and so the same bits on any number of ranks) when
 * at most one rank holds a non-zero in each place, which is how it is used. Collective. */
gyre_status gyre_comm_sum_f64(gyre_comm *c, double *x, size_t n);
gyre_status gyre_comm_max_u64(gyre_comm *c, uint64_t *x, size_t n); /* Collective. */
/* Rank 0 gets `bytes` bytes of every rank, in rank order, in `all`. Collective. */
gyre_status gyre_comm_gather_text(gyre_comm *c, const char *mine, size_t bytes, char *all);
/* Every rank gets `bytes` bytes of every rank of its host, in the order of local ranks, in `all`.
 * Of a part of a communicator too, it is all ranks of the host that must call it. Collective. */
gyre_status gyre_comm_gather_local(gyre_comm *c, const void *mine, size_t bytes, void *all);

/* GYRE_EUSAGE where these ranks cannot reduce exactly: their number is no power of two. */
gyre_status gyre_comm_check_exact(const gyre_comm *c);
/* Sum over ranks of n floats in place, continuing the fixed binary tree whose leaves are shards:
 * ranks 2k and 2k+1 are added first, then pairs of pairs. Recursive halving with the nearest
 * neighbour first, then doubling: 2(p-1)/p n words per rank. `work` has room for n floats.
 * Collective. */
gyre_status gyre_comm_reduce_exact(gyre_comm *c, float *x, size_t n, float *work);

/* MPI_Iallreduce; `wait` completes all that were begun, in order. Collective. */
gyre_status gyre_comm_reduce_fast_begin(gyre_comm *c, float *x, size_t n);
gyre_status gyre_comm_reduce_fast_wait(gyre_comm *c);

/* The per-step agreement: MAX over {x, ~x} of what all ranks must hold alike, plus stop flags that
 * any rank may raise. Begun at the step's start, waited for at its end. */
typedef struct {
    uint64_t lr_bits, step, config_hash;
    uint64_t leaves; /* 1: this rank makes no such step, since it has diverged */
    uint64_t stop;   /* MAX over ranks after the wait; need not be alike */
} gyre_step_claim;
gyre_status gyre_comm_step_begin(gyre_comm *c, const gyre_step_claim *mine); /* Collective. */
/* GYRE_EPEER when the ranks differ, naming what differs. Collective. */
gyre_status gyre_comm_step_end(gyre_comm *c, uint64_t *stop);

/* GYRE_EPEER unless every rank passes the same hash: "rank 2 (node7) holds other WHAT than the 3
 * other ranks: WHY", by majority; without one all are named as having parted. Collective. */
gyre_status gyre_comm_same(gyre_comm *c, uint64_t hash, const char *what, const char *why);

/* The watchdog: a thread of each rank, from before MPI_Init to after MPI_Finalize. When a rank has
 * not moved for the time limit, it names the rank that stands still and what that one is doing, and
 * ends all ranks with GYRE_EPEER. A rank moves when it says a phase, or shows life (gyre/alive.h).
 * Until limits are set there is one for the start: GYRE_START_SECONDS, else 600. */
typedef struct gyre_watchdog gyre_watchdog;
gyre_watchdog *gyre_comm_watchdog(const gyre_comm *c);
/* From now on `first_seconds` until the second step, then `seconds`. */
void gyre_watchdog_limits(gyre_watchdog *w, double seconds, double first_seconds);
/* What the rank does now, as a short text. Cheap. `step` < 0 outside steps. */
void gyre_watchdog_phase(gyre_watchdog *w, const char *phase, int64_t step);
void gyre_watchdog_beat(gyre_watchdog *w);

const char *gyre_mpi_version(void);

#endif
