/* gyre train: reads the config on every rank, then trains. */
#include "cli.h"

#include "arguments.h"
#include "gyre/comm.h"
#include "gyre/config.h"
#include "gyre/run.h"
#include <getopt.h>
#include <stdlib.h>

typedef struct {
    const char *config, *extend;
    gyre_cli_sets sets;
    gyre_train_options options;
} arguments;

static gyre_status parse(int argc, char **argv, arguments *a) {
    static const struct option options[] = {{"out", required_argument, NULL, 'o'},
                                            {"set", required_argument, NULL, 's'},
                                            {"stop-after", required_argument, NULL, 'n'},
                                            {"extend", required_argument, NULL, 'e'},
                                            {"allow-inexact", no_argument, NULL, 'i'},
                                            {"profile", no_argument, NULL, 'p'},
                                            {"quiet", no_argument, NULL, 'q'},
                                            {0}};
    opterr = 0;
    GYRE_TRY(gyre_cli_sets_open(argc, &a->sets));
    for (int c; (c = getopt_long(argc, argv, ":o:q", options, NULL)) != -1;) {
        switch (c) {
        case 'o': a->options.out = optarg; break;
        case 's': a->sets.items[a->sets.count++] = optarg; break;
        case 'n':
            GYRE_TRY(gyre_cli_whole("--stop-after", optarg, 1, &a->options.stop_after));
            break;
        case 'e':
            a->extend = optarg;
            a->options.extended = true;
            break;
        case 'i': a->options.allow_inexact = true; break;
        case 'p': a->options.profile = true; break;
        case 'q': a->options.quiet = true; break;
        default: return gyre_cli_bad_option(c, argv, &gyre_command_train);
        }
    }
    if (argc - optind != 1) {
        return gyre_fail(GYRE_EUSAGE, "one config was expected, found %d; usage: gyre %s",
                         argc - optind, gyre_command_train.usage);
    }
    a->config = argv[optind];
    return GYRE_OK;
}

static gyre_status train(int argc, char **argv, gyre_comm *comm) {
    arguments a = {0};
    gyre_settings *settings = NULL;
    gyre_status status = gyre_comm_agree(comm, parse(argc, argv, &a));
    if (status == GYRE_OK) {
        status = gyre_comm_agree(comm,
                                 gyre_config_open(a.config, a.sets.items, a.sets.count, &settings));
    }
    if (status == GYRE_OK && a.extend != NULL) {
        status = gyre_comm_agree(comm, gyre_config_extend(settings, a.extend));
    }
    if (status == GYRE_OK) status = gyre_train(settings, &a.options, comm);
    if (settings != NULL) gyre_config_close(settings);
    free(a.sets.items);
    return status;
}

static int run(int argc, char **argv) {
    return gyre_cli_on_ranks(argc, argv, train, true);
}

const gyre_command gyre_command_train = {
    "train",
    "train CONFIG --out DIR [--set KEY=VALUE]... [--stop-after N] [--extend STAGE] "
    "[--allow-inexact] [--profile] "
    "[--quiet]",
    "trains, on any number of ranks under mpirun; goes on when DIR holds this run",
    run,
};
