/* Opens and closes MPI, and finds out whether the launcher started what the program sees. */
#include "comm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The tasks of the step in which srun started us; 0 where mpirun started us, or no launcher did.
 * MPI_Init may change what is looked at here. */
static int tasks_of_step(void) {
    const char *tasks = getenv("SLURM_NTASKS");
    bool in_step = getenv("SLURM_STEP_ID") != NULL && getenv("SLURM_PROCID") != NULL;
    return tasks != NULL && in_step && getenv("OMPI_COMM_WORLD_SIZE") == NULL ? atoi(tasks) : 0;
}

/* The tasks of the job in whose batch script (or salloc's shell, which is no step either) mpirun
 * started us; 0 elsewhere. */
static int tasks_of_batch(void) {
    const char *tasks = getenv("SLURM_NTASKS");
    bool in_batch = getenv("SLURM_JOB_ID") != NULL && getenv("SLURM_STEP_ID") == NULL;
    return tasks != NULL && in_batch && getenv("OMPI_COMM_WORLD_SIZE") != NULL ? atoi(tasks) : 0;
}

static gyre_status bad_launch(int tasks, const char *found) {
    return gyre_fail(GYRE_EUSAGE,
                     "srun started %d task%s but %s: use `srun --mpi=pmix`, or mpirun inside the "
                     "allocation",
                     tasks, tasks == 1 ? "" : "s", found);
}

/* Open MPI 5 would give as many runs of one rank, Open MPI 4 ends the process inside MPI_Init, even
 * a single one. */
static gyre_status check_before(int tasks) {
    bool silent = getenv("PMIX_RANK") == NULL && getenv("PMI_RANK") == NULL;
    if (!silent || tasks == 0 || (tasks == 1 && OMPI_MAJOR_VERSION >= 5)) return GYRE_OK;
    return bad_launch(tasks, "without PMIx, by which the ranks of MPI find each other");
}

static gyre_status check_after(int tasks, int size) {
    char found[80];
    if (tasks == 0 || tasks == size) return GYRE_OK;
    snprintf(found, sizeof found, "MPI sees %d rank%s", size, size == 1 ? "" : "s");
    return bad_launch(tasks, found);
}

/* Before MPI_Init. */
static void set_environment(void) {
    /* "vader" single-copy needs ptrace rights that containers lack; without this it warns. */
    setenv("OMPI_MCA_btl_vader_single_copy_mechanism", "none", 0);
    /* Without mpirun, no daemon: it is looked for in PATH, needs ssh or rsh there, and may be left
     * behind by a kill. */
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    /* And no session folder: all such processes of a host would share one, and one that ends while
     * another starts takes it away (seen as a failing MPI_Init). A launcher makes its own. */
    if (getenv("OMPI_COMM_WORLD_SIZE") == NULL && getenv("PMIX_RANK") == NULL) {
        setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
    }
}

/* How the ranks lie on nodes: fewest and most on one, and the blocks that all of them consist of.
 * Their number is a power of two, so that the smallest divides all others. */
static gyre_status look_at_nodes(gyre_comm *c) {
    int mine[3] = {-dist_power_in(c->local_size), -c->local_size, c->local_size}, most[3];
    GYRE_TRY(
        DIST_WAIT(c, MPI_Allreduce(mine, most, 3, MPI_INT, MPI_MAX, c->world), "MPI_Allreduce"));
    c->block = -most[0];
    c->node_least = -most[1];
    c->node_most = most[2];
    return GYRE_OK;
}

/* Ranks are numbered by node: a node's ranks are neighbours, however the launcher dealt them out.
 * Nodes come in the order of their first ranks, so that rank 0 stays what the launcher calls it. */
static gyre_status open_communicators(gyre_comm *c) {
    int first = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &c->rank);
    GYRE_TRY(DIST_WAIT(c,
                       MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, c->rank,
                                           MPI_INFO_NULL, &c->local),
                       "MPI_Comm_split_type"));
    first = c->rank;
    GYRE_TRY(DIST_WAIT(c, MPI_Bcast(&first, 1, MPI_INT, 0, c->local), "MPI_Bcast"));
    GYRE_TRY(DIST_WAIT(c, MPI_Comm_split(MPI_COMM_WORLD, 0, first, &c->world), "MPI_Comm_split"));
    MPI_Comm_set_errhandler(c->world, MPI_ERRORS_RETURN);
    MPI_Comm_rank(c->world, &c->rank);
    MPI_Comm_size(c->world, &c->size);
    MPI_Comm_rank(c->local, &c->local_rank);
    MPI_Comm_size(c->local, &c->local_size);
    c->claim_request = MPI_REQUEST_NULL;
    return look_at_nodes(c);
}

/* The watchdog learns who else there is. */
static gyre_status introduce(gyre_comm *c) {
    dist_board board = {0};
    char mine[64] = "", (*hosts)[64] = calloc((size_t)c->size, sizeof *hosts);
    if (hosts == NULL) gyre_comm_abort(c, gyre_no_memory("%d ranks", c->size));
    snprintf(mine, sizeof mine, "%.63s", c->host);
    gyre_status status = DIST_WAIT(
        c, MPI_Allgather(mine, sizeof mine, MPI_CHAR, hosts, sizeof mine, MPI_CHAR, c->world),
        "MPI_Allgather");
    dist_watchdog_wait(c->watchdog, true);
    if (status == GYRE_OK) status = dist_board_open(c->local, &board);
    dist_watchdog_wait(c->watchdog, false);
    if (status != GYRE_OK) {
        free(hosts);
        return status;
    }
    dist_watchdog_know(c->watchdog, &board, c->rank, c->size, c->host, hosts);
    gyre_watchdog_phase(c->watchdog, "start", -1);
    return GYRE_OK;
}

gyre_status gyre_comm_open(int *argc, char ***argv, gyre_comm **out) {
    int tasks = tasks_of_step(), batch = tasks_of_batch();
    GYRE_TRY(check_before(tasks));
    gyre_comm *c = calloc(1, sizeof *c);
    if (c == NULL) return gyre_no_memory("the communicator");
    c->batch = batch;
    c->piece = DIST_PIECE;
    int provided = 0, length = 0;
    gyre_status status = dist_watchdog_open(&c->watchdog);
    if (status != GYRE_OK) goto out;
    set_environment();
    gyre_watchdog_phase(c->watchdog, "MPI_Init", -1);
    GYRE_GOTO(DIST_WAIT(c, MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided),
                        "MPI_Init_thread"));
    gyre_watchdog_phase(c->watchdog, "start", -1);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Get_processor_name(c->host, &length);
    GYRE_GOTO(open_communicators(c));
    GYRE_GOTO(introduce(c));
    GYRE_GOTO(dist_comm_find_cores(c));
    GYRE_GOTO(check_after(tasks, c->size));
    *out = c;
    return GYRE_OK;
out:
    if (c->local_size > 0) { /* MPI is open, and so are both communicators */
        gyre_comm_close(c);
    } else {
        dist_watchdog_close(c->watchdog);
        free(c);
    }
    return status;
}

/* What the launcher says that it started, by the variable *name; 0: nothing is known. Open MPI's
 * own word is the one that counts: the others may be left over from what started mpirun. */
static int launched(const char **name) {
    static const char *const names[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MPI_LOCALNRANKS"};
    for (int i = 0; i < 3; i++) {
        const char *text = getenv(names[i]);
        if (text == NULL) continue;
        *name = names[i];
        return atoi(text);
    }
    return 0;
}

/* Each process would be a run of its own, side by side with the others. */
static gyre_status check_launcher(const gyre_comm *c) {
    const char *name = NULL;
    int count = launched(&name);
    if (c->size > 1 || count < 2) return GYRE_OK;
    return gyre_fail(
        GYRE_EUSAGE,
        "another MPI's launcher started %d processes (%s), but Open MPI, which gyre is "
        "built with, sees 1 rank in each: use Open MPI's own mpirun",
        count, name);
}

gyre_status gyre_comm_check_launch(gyre_comm *c) {
    gyre_status status = check_launcher(c);
    if (status == GYRE_OK && c->rank == 0 && c->batch != 0 && c->batch != c->size) {
        status = gyre_fail(GYRE_EUSAGE,
                           "mpirun started %d rank%s in a Slurm job of %d task%s (SLURM_NTASKS): "
                           "use `mpirun -np %d`; if it is meant, as for several runs side by side, "
                           "`unset SLURM_NTASKS` before",
                           c->size, c->size == 1 ? "" : "s", c->batch, c->batch == 1 ? "" : "s",
                           c->batch);
    }
    return gyre_comm_agree(c, status);
}

void gyre_comm_close(gyre_comm *c) {
    if (c == NULL) return;
    gyre_watchdog *w = c->watchdog;
    if (!c->part) gyre_watchdog_phase(w, "the barrier at the end", -1);
    dist_watchdog_wait(w, true);
    MPI_Barrier(c->world);
    MPI_Comm_free(&c->local);
    MPI_Comm_free(&c->world);
    if (c->part) {
        dist_watchdog_wait(w, false);
        dist_watchdog_group(w, 0);
    } else {
        gyre_watchdog_phase(w, "MPI_Finalize", -1);
        MPI_Finalize();
        dist_watchdog_close(w);
    }
    free(c);
}
