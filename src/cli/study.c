/* gyre study: reads the study on every rank, then runs its cells. */
#include "cli.h"

#include "gyre/comm.h"
#include "gyre/study.h"
#include "holds.h"
#include <stdio.h>

typedef struct {
    const char *study;
    gyre_study_options options;
    bool count;
} arguments;

static gyre_status parse(int argc, char **argv, arguments *a) {
    gyre_study_options *o = &a->options;
    *o = (gyre_study_options){.cell = -1, .parallel = 1};
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_study, a, NULL));
    GYRE_TRY(cli_one_operand(argc, argv, &cli_command_study, "study file", &a->study));
    bool runs = o->out != NULL || o->cell >= 0 || o->parallel > 1 || o->allow_inexact;
    if (!a->count || !runs) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--count: it says how many cells there are and runs none, so --out, --cell, "
                     "--parallel-cells and --allow-inexact do not go with it; take them out");
}

/* A script that sends cells one by one with --quiet, as slurm/study.sh does, gets the warnings
 * here. */
static gyre_status count(const gyre_study *s, bool quiet) {
    printf("%d\n", gyre_study_cell_count(s));
    if (!quiet) gyre_study_warn(s);
    return cli_flush();
}

static gyre_status study(int argc, char **argv, gyre_comm *comm) {
    arguments a = {0};
    gyre_study *s = NULL;
    gyre_status status = gyre_comm_agree(comm, parse(argc, argv, &a));
    if (status == GYRE_OK) {
        status = cli_other_kind(gyre_study_open(a.study, &s), a.study, CLI_HOLDS_STUDY_FILE);
        status = gyre_comm_agree(comm, status);
    }
    if (status == GYRE_OK && a.count) {
        if (gyre_comm_rank(comm) == 0) status = count(s, a.options.quiet);
        status = gyre_comm_agree(comm, status);
    } else if (status == GYRE_OK) {
        status = gyre_study_run(s, &a.options, comm);
    }
    gyre_study_close(s);
    return status;
}

static int run(int argc, char **argv) {
    return cli_on_ranks(argc, argv, study, false);
}

static const cli_form forms[] = {{"STUDY.json", "ockiq"}, {"STUDY.json", "nq"}, {0}};

static const cli_option options[] = {
    {.name = "STUDY.json",
     .help = "a base config, arms and seeds, in JSON with comments (docs/studies.md)"},
    {.id = 'o',
     .name = "out",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, options.out),
     .letter = 'o',
     .value = "DIR",
     .required = true,
     .help =
         "the study's folder: new or empty, or the folder of this study, which is then resumed"},
    {.id = 'n',
     .name = "count",
     .at = offsetof(arguments, count),
     .required = true,
     .help = "prints how many cells (arm x seed) there are, and runs none"},
    {.id = 'c',
     .name = "cell",
     .kind = CLI_WHOLE,
     .at = offsetof(arguments, options.cell),
     .value = "N",
     .help = "runs cell N alone, counted from 0 (an array task's part); not with --parallel-cells"},
    {.id = 'k',
     .name = "parallel-cells",
     .kind = CLI_WHOLE,
     .at = offsetof(arguments, options.parallel),
     .least = 1,
     .value = "K",
     .help = "runs K cells at a time, each on a Kth of the ranks; default 1"},
    {.id = 'i',
     .name = "allow-inexact",
     .at = offsetof(arguments, options.allow_inexact),
     .help = "lets cells that were begun on another kind of processor or device be resumed here, "
             "where their bits may differ"},
    {.id = 'q',
     .name = "quiet",
     .at = offsetof(arguments, options.quiet),
     .letter = 'q',
     .help = "no table and no progress on stderr"},
    {0}};

const cli_command cli_command_study = {
    .name = "study",
    .summary = "compares arms over paired seeds at equal budget; resumes the study that DIR holds",
    .forms = forms,
    .options = options,
    .notes =
        "Finished cells are skipped, interrupted ones are resumed, failed ones are tried again. A "
        "cell that diverged is a result: code 0. `gyre report DIR` says what the study shows.",
    .exits = cli_exits_training,
    .run = run,
};
