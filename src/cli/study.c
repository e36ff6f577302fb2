/* gyre study: reads the study on every rank, then runs its cells. */
#include "cli.h"

#include "arguments.h"
#include "gyre/comm.h"
#include "gyre/study.h"
#include <getopt.h>
#include <stdio.h>

typedef struct {
    const char *study;
    gyre_study_options options;
    bool count;
} arguments;

static gyre_status parse(int argc, char **argv, arguments *a) {
    static const struct option options[] = {{"out", required_argument, NULL, 'o'},
                                            {"count", no_argument, NULL, 'n'},
                                            {"cell", required_argument, NULL, 'c'},
                                            {"parallel-cells", required_argument, NULL, 'k'},
                                            {"allow-inexact", no_argument, NULL, 'i'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {0}};
    gyre_study_options *o = &a->options;
    *o = (gyre_study_options){.cell = -1, .parallel = 1};
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":o:q", options, NULL)) != -1;) {
        switch (c) {
        case 'o': o->out = optarg; break;
        case 'n': a->count = true; break;
        case 'c': GYRE_TRY(gyre_cli_whole("--cell", optarg, 0, &o->cell)); break;
        case 'k': GYRE_TRY(gyre_cli_whole("--parallel-cells", optarg, 1, &o->parallel)); break;
        case 'i': o->allow_inexact = true; break;
        case 'q': o->quiet = true; break;
        default: return gyre_cli_bad_option(c, argv, &gyre_command_study);
        }
    }
    if (argc - optind != 1) {
        return gyre_fail(GYRE_EUSAGE, "one study file was expected, found %d; usage: gyre %s",
                         argc - optind, gyre_command_study.usage);
    }
    a->study = argv[optind];
    bool runs = o->out != NULL || o->cell >= 0 || o->parallel > 1 || o->allow_inexact;
    if (!a->count || !runs) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--count: it says how many cells there are and runs none, so --out, --cell, "
                     "--parallel-cells and --allow-inexact do not go with it; take them out");
}

/* Who sends cells one by one with --quiet, as slurm/study.sh does, is warned here. */
static gyre_status count(const gyre_study *s, bool quiet) {
    printf("%d\n", gyre_study_cell_count(s));
    if (!quiet) gyre_study_warn(s);
    return gyre_cli_flush();
}

static gyre_status study(int argc, char **argv, gyre_comm *comm) {
    arguments a = {0};
    gyre_study *s = NULL;
    gyre_status status = gyre_comm_agree(comm, parse(argc, argv, &a));
    if (status == GYRE_OK) status = gyre_comm_agree(comm, gyre_study_open(a.study, &s));
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
    return gyre_cli_on_ranks(argc, argv, study, false);
}

const gyre_command gyre_command_study = {
    "study",
    "study STUDY.json --out DIR [--cell N | --parallel-cells K] [--allow-inexact] [--quiet], or "
    "--count",
    "compares arms over paired seeds at equal budget; goes on when DIR holds this study",
    run,
};
