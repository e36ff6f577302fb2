/* Opening MPI, agreement on errors, and the small collectives. */
#include "comm.h"

#include "gyre/log.h"
#include "gyre/size.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ABORT_SECONDS = 30 };

gyre_status gyre_mpi_check(int code, const char *what) {
    if (code == MPI_SUCCESS) return GYRE_OK;
    char text[MPI_MAX_ERROR_STRING] = "";
    int length = 0;
    MPI_Error_string(code, text, &length);
    return gyre_fail(GYRE_EPEER, "%s failed: %s", what, text);
}

gyre_status gyre_mpi_waited(gyre_comm *c, int code, const char *what) {
    gyre_watchdog_wait(c->watchdog, false);
    return gyre_mpi_check(code, what);
}

/* The tasks of the step in which srun started us; 0 where mpirun or nobody did. MPI_Init may change
 * what is looked at here. */
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
    /* Without mpirun, no daemon: it is looked for in PATH, wants ssh or rsh there, and may be left
     * behind by a kill. */
    setenv("OMPI_MCA_ess_singleton_isolated", "1", 0);
    /* And no session folder: all such processes of a host would share one, and one that ends while
     * another starts takes it away (seen as a failing MPI_Init). A launcher makes its own. */
    if (getenv("OMPI_COMM_WORLD_SIZE") == NULL && getenv("PMIX_RANK") == NULL) {
        setenv("OMPI_MCA_orte_create_session_dirs", "0", 0);
    }
}

static gyre_status open_communicators(gyre_comm *c) {
    GYRE_TRY(GYRE_WAIT(c, MPI_Comm_dup(MPI_COMM_WORLD, &c->world), "MPI_Comm_dup"));
    MPI_Comm_set_errhandler(c->world, MPI_ERRORS_RETURN);
    MPI_Comm_rank(c->world, &c->rank);
    MPI_Comm_size(c->world, &c->size);
    GYRE_TRY(GYRE_WAIT(
        c, MPI_Comm_split_type(c->world, MPI_COMM_TYPE_SHARED, c->rank, MPI_INFO_NULL, &c->local),
        "MPI_Comm_split_type"));
    MPI_Comm_rank(c->local, &c->local_rank);
    MPI_Comm_size(c->local, &c->local_size);
    c->claim_request = MPI_REQUEST_NULL;
    return GYRE_OK;
}

/* The watchdog learns who else there is. */
static gyre_status introduce(gyre_comm *c) {
    gyre_board board = {0};
    char mine[64] = "", (*hosts)[64] = calloc((size_t)c->size, sizeof *hosts);
    if (hosts == NULL) gyre_comm_abort(c, gyre_no_memory("%d ranks", c->size));
    snprintf(mine, sizeof mine, "%.63s", c->host);
    gyre_status status = GYRE_WAIT(
        c, MPI_Allgather(mine, sizeof mine, MPI_CHAR, hosts, sizeof mine, MPI_CHAR, c->world),
        "MPI_Allgather");
    gyre_watchdog_wait(c->watchdog, true);
    if (status == GYRE_OK) status = gyre_board_open(c->local, &board);
    gyre_watchdog_wait(c->watchdog, false);
    if (status != GYRE_OK) {
        free(hosts);
        return status;
    }
    gyre_watchdog_know(c->watchdog, &board, c->rank, c->size, c->host, hosts);
    gyre_watchdog_phase(c->watchdog, "start", -1);
    return GYRE_OK;
}

gyre_status gyre_comm_open(int *argc, char ***argv, gyre_comm **out) {
    int tasks = tasks_of_step(), batch = tasks_of_batch();
    GYRE_TRY(check_before(tasks));
    gyre_comm *c = calloc(1, sizeof *c);
    if (c == NULL) return gyre_no_memory("the communicator");
    c->batch = batch;
    c->piece = GYRE_PIECE;
    int provided = 0, length = 0;
    gyre_status status = gyre_watchdog_open(&c->watchdog);
    if (status != GYRE_OK) goto out;
    set_environment();
    gyre_watchdog_phase(c->watchdog, "MPI_Init", -1);
    GYRE_GOTO(GYRE_WAIT(c, MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided),
                        "MPI_Init_thread"));
    gyre_watchdog_phase(c->watchdog, "start", -1);
    MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN);
    MPI_Get_processor_name(c->host, &length);
    GYRE_GOTO(open_communicators(c));
    GYRE_GOTO(introduce(c));
    GYRE_GOTO(gyre_comm_find_cores(c));
    GYRE_GOTO(check_after(tasks, c->size));
    *out = c;
    return GYRE_OK;
out:
    if (c->local_size > 0) { /* MPI is open, and so are both communicators */
        gyre_comm_close(c);
    } else {
        gyre_watchdog_close(c->watchdog);
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
    gyre_watchdog_wait(w, true);
    MPI_Barrier(c->world);
    MPI_Comm_free(&c->local);
    MPI_Comm_free(&c->world);
    if (c->part) {
        gyre_watchdog_wait(w, false);
        gyre_watchdog_group(w, 0);
    } else {
        gyre_watchdog_phase(w, "MPI_Finalize", -1);
        MPI_Finalize();
        gyre_watchdog_close(w);
    }
    free(c);
}

gyre_watchdog *gyre_comm_watchdog(const gyre_comm *c) {
    return c->watchdog;
}

int gyre_comm_rank(const gyre_comm *c) {
    return c->rank;
}
int gyre_comm_size(const gyre_comm *c) {
    return c->size;
}
int gyre_comm_local_rank(const gyre_comm *c) {
    return c->local_rank;
}
int gyre_comm_local_size(const gyre_comm *c) {
    return c->local_size;
}
const char *gyre_comm_host(const gyre_comm *c) {
    return c->host;
}

/* Messages of a device say themselves whose they are. */
static bool names_rank(const char *text, int rank) {
    char name[32];
    int length = snprintf(name, sizeof name, "rank %d", rank);
    return strncmp(text, name, (size_t)length) == 0 && strchr(":,", text[length]) != NULL;
}

gyre_status gyre_comm_agree(gyre_comm *c, gyre_status mine) {
    struct {
        int code, rank;
    } in = {(int)mine, c->rank}, worst;
    GYRE_TRY(GYRE_WAIT(c, MPI_Allreduce(&in, &worst, 1, MPI_2INT, MPI_MAXLOC, c->world),
                       "the agreement on errors"));
    if (worst.code == GYRE_OK) return GYRE_OK;
    char text[GYRE_ERROR_MAX + 1] = ""; /* the last byte: it is on stderr already */
    if (worst.rank == c->rank) {
        snprintf(text, GYRE_ERROR_MAX, "%s", gyre_error_text());
        text[GYRE_ERROR_MAX] = gyre_error_printed();
    }
    GYRE_TRY(GYRE_WAIT(c, MPI_Bcast(text, sizeof text, MPI_CHAR, worst.rank, c->world),
                       "the broadcast of an error"));
    bool named = worst.rank == 0 || names_rank(text, worst.rank);
    gyre_status status = named
                             ? gyre_fail((gyre_status)worst.code, "%s", text)
                             : gyre_fail((gyre_status)worst.code, "rank %d: %s", worst.rank, text);
    if (text[GYRE_ERROR_MAX] != 0) gyre_error_set_printed();
    return status;
}

void gyre_comm_abort(gyre_comm *c, gyre_status code) {
    char place[sizeof c->host + 40];
    snprintf(place, sizeof place, " (rank %d on %s)", c->rank, c->host);
    gyre_error_print(place);
    fflush(NULL);
    gyre_watchdog_limits(c->watchdog, ABORT_SECONDS, ABORT_SECONDS);
    gyre_watchdog_phase(c->watchdog, "MPI_Abort", -1);
    MPI_Abort(MPI_COMM_WORLD, (int)code);
    abort(); /* MPI_Abort does not return */
}

gyre_status gyre_comm_barrier(gyre_comm *c) {
    return GYRE_WAIT(c, MPI_Barrier(c->world), "MPI_Barrier");
}

/* One reduction in place, in pieces. */
static gyre_status reduce(gyre_comm *c, void *x, size_t n, size_t each, MPI_Datatype type,
                          MPI_Op op) {
    for (size_t at = 0; at < n; at += c->piece) {
        int part = gyre_mpi_part(c, n, at);
        GYRE_TRY(GYRE_WAIT(
            c, MPI_Allreduce(MPI_IN_PLACE, (char *)x + at * each, part, type, op, c->world),
            "MPI_Allreduce"));
    }
    return GYRE_OK;
}

int gyre_mpi_part(const gyre_comm *c, size_t n, size_t at) {
    if (at >= n) return 0;
    return (int)(n - at < c->piece ? n - at : c->piece);
}

gyre_status gyre_comm_broadcast(gyre_comm *c, void *data, size_t bytes, int root) {
    for (size_t at = 0; at < bytes; at += c->piece) {
        int part = gyre_mpi_part(c, bytes, at);
        GYRE_TRY(GYRE_WAIT(c, MPI_Bcast((char *)data + at, part, MPI_BYTE, root, c->world),
                           "MPI_Bcast"));
    }
    return GYRE_OK;
}

gyre_status gyre_comm_sum_f64(gyre_comm *c, double *x, size_t n) {
    return reduce(c, x, n, sizeof *x, MPI_DOUBLE, MPI_SUM);
}

gyre_status gyre_comm_max_u64(gyre_comm *c, uint64_t *x, size_t n) {
    return reduce(c, x, n, sizeof *x, MPI_UINT64_T, MPI_MAX);
}

gyre_status gyre_comm_gather_text(gyre_comm *c, const char *mine, size_t bytes, char *all) {
    int n = 0;
    GYRE_TRY(gyre_size_narrow(GYRE_EPEER, "the length of a text", bytes, GYRE_PIECE, &n));
    return GYRE_WAIT(c, MPI_Gather(mine, n, MPI_CHAR, all, n, MPI_CHAR, 0, c->world), "MPI_Gather");
}

gyre_status gyre_comm_gather_local(gyre_comm *c, const void *mine, size_t bytes, void *all) {
    int n = 0;
    GYRE_TRY(gyre_size_narrow(GYRE_EPEER, "what a rank tells its host", bytes, GYRE_PIECE, &n));
    return GYRE_WAIT(c, MPI_Allgather(mine, n, MPI_BYTE, all, n, MPI_BYTE, c->local),
                     "MPI_Allgather");
}

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
const char *gyre_mpi_version(void) {
    return "Open MPI " TEXT(OMPI_MAJOR_VERSION) "." TEXT(OMPI_MINOR_VERSION) "." TEXT(
        OMPI_RELEASE_VERSION);
}
