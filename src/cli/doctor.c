/* gyre doctor: what this machine offers a run, and what is wrong with it. */
#include "cli.h"

#include "advice.h"
#include "gyre/backend.h"
#include "gyre/comm.h"
#include "gyre/text.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is wrong comes later, with the advice. */
static void print_survey(const cli_machine *m) {
    for (const char *line = m->survey; *line != '\0'; line += strspn(line, "\n")) {
        int length = (int)strcspn(line, "\n");
        if (strncmp(line, "! ", 2) != 0) printf("%.*s\n", length, line);
        line += length;
    }
}

static void print_machine(const cli_machine *m) {
    const double gib = 1024.0 * 1024 * 1024;
    char gnuplot[4096];
    printf("device    %s\n", m->device);
    print_survey(m);
    printf("memory    %.1f GiB, %.1f available", (double)m->total / gib,
           (double)m->available / gib);
    if (m->limit > 0) printf(", %.1f allowed to this container or job", (double)m->limit / gib);
    printf("; /dev/shm %.1f GiB", (double)m->shared / gib);
    if (m->infiniband && m->lockable != UINT64_MAX) {
        printf("; lockable %.1f GiB", (double)m->lockable / gib);
    }
    printf("\n");
    printf("folder    %s, %.1f GiB free\n", m->filesystem, (double)m->disk_free / gib);
    bool draws = cli_machine_program("gnuplot", gnuplot, sizeof gnuplot);
    printf("figures   ");
    gyre_text_print(stdout, draws ? gnuplot : "no gnuplot", 0);
    printf("\n");
}

/* Where no device opened there are none. */
static void print_threads(const cli_machine *m, int ranks) {
    int least = m[0].threads, most = least;
    if (most == 0) return;
    for (int i = 1; i < ranks; i++) {
        if (m[i].threads < least) least = m[i].threads;
        if (m[i].threads > most) most = m[i].threads;
    }
    printf("threads   %d", least);
    if (most != least) printf(" to %d", most);
    printf("%s\n", ranks > 1 ? " in each rank" : "");
}

static bool has_gpu(const cli_machine *m) {
    return strncmp(m->survey, "gpu ", 4) == 0 || strstr(m->survey, "\ngpu ") != NULL;
}

static gyre_status open_device(gyre_comm *comm, cli_machine *m) {
    const gyre_backend_options options = {
        .reduce = GYRE_REDUCE_FAST, .deterministic = true, .deadline_seconds = 60};
    gyre_backend *backend = NULL;
    GYRE_TRY(gyre_backend_open(GYRE_BACKEND_AUTO, &options, comm, &backend));
    snprintf(m->device, sizeof m->device, "%s: %s%s%.400s", backend->ops->name,
             backend->ops->describe(backend),
             backend->no_gpu[0] == '\0' ? "" : "; no GPU: ", backend->no_gpu);
    if (has_gpu(m)) snprintf(m->problem, sizeof m->problem, "%s", backend->no_gpu);
    snprintf(m->advice, sizeof m->advice, "%s", backend->advice);
    m->threads = backend->lanes;
    backend->ops->close(backend);
    return GYRE_OK;
}

/* One verdict for all ranks. A device that does not open is what the rest is looked at for, so it
 * continues from there. Collective. */
static gyre_status read_device(gyre_comm *comm, cli_machine *m) {
    gyre_status status = gyre_comm_agree(comm, open_device(comm, m));
    if (status == GYRE_OK) return GYRE_OK;
    m->threads = 0;
    snprintf(m->problem, sizeof m->problem, "%s", gyre_error_text());
    snprintf(m->device, sizeof m->device, "none could be opened: %.980s", m->problem);
    return status;
}

static void print_all(const cli_machine *all, int ranks, const char *places) {
    printf("%s\n", all[0].versions);
    printf("ranks     %d; %s\n", ranks, places);
    print_threads(all, ranks);
    print_machine(&all[0]);
    cli_advice_print(all, ranks);
}

static gyre_status examine(int argc, char **argv, gyre_comm *comm) {
    (void)argc;
    (void)argv;
    cli_machine mine, *all = NULL;
    char places[2048];
    int ranks = gyre_comm_size(comm);
    gyre_status status = GYRE_OK, opened;
    cli_machine_read(&mine);
    gyre_backend_list_devices(mine.survey, sizeof mine.survey);
    snprintf(mine.host, sizeof mine.host, "%s", gyre_comm_host(comm));
    opened = read_device(comm, &mine);
    if (gyre_comm_rank(comm) == 0) {
        all = calloc((size_t)ranks, sizeof *all);
        if (all == NULL) status = gyre_no_memory("%d ranks", ranks);
    }
    GYRE_GOTO(gyre_comm_agree(comm, status));
    GYRE_GOTO(gyre_comm_describe(comm, places, sizeof places));
    GYRE_GOTO(gyre_comm_gather_text(comm, (const char *)&mine, sizeof mine, (char *)all));
    if (gyre_comm_rank(comm) == 0) {
        print_all(all, ranks, places);
        status = cli_flush();
    }
    if (status == GYRE_OK && opened != GYRE_OK) status = gyre_fail(opened, "%s", mine.problem);
out:
    free(all);
    return gyre_comm_agree(comm, status);
}

static int run(int argc, char **argv) {
    if (argc != 1) {
        return cli_fail(cli_usage_fail(&cli_command_doctor, "'%s' was not expected", argv[1]));
    }
    return cli_on_ranks(argc, argv, examine, false);
}

static const cli_form forms[] = {{"", NULL}, {0}};

static const cli_option options[] = {{0}};

const cli_command cli_command_doctor = {
    .name = "doctor",
    .summary =
        "what this machine, or these ranks under mpirun, offer a run, and what is wrong with them",
    .forms = forms,
    .options = options,
    .exits = cli_exits_computing,
    .run = run,
};
