/* gyre train: reads the config on every rank, then trains. */
#include "cli.h"

#include "gyre/comm.h"
#include "gyre/config.h"
#include "gyre/find.h"
#include "gyre/run.h"
#include "holds.h"
#include <stdlib.h>

typedef struct {
    const char *config, *extend;
    cli_sets sets;
    gyre_train_options options;
} arguments;

static gyre_status parse(int argc, char **argv, arguments *a) {
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_train, a, NULL));
    a->options.extended = a->extend != NULL;
    return cli_one_operand(argc, argv, &cli_command_train, "config", &a->config);
}

/* Rates that are "find" become numbers first; a signal during the search ends the whole. */
static gyre_status train_found(const gyre_settings *settings, const gyre_train_options *given,
                               gyre_comm *comm) {
    gyre_settings s = *settings;
    gyre_found_rates found;
    gyre_train_options options = *given;
    options.opened = gyre_found_rates_record;
    options.opened_context = &found;
    gyre_stop_catch();
    gyre_status status = gyre_found_rates_settle(&s, options.out, options.quiet, comm, &found);
    if (status == GYRE_OK) status = gyre_train(&s, &options, comm);
    gyre_stop_release(status == GYRE_EPREEMPTED);
    gyre_found_rates_close(&found);
    return status;
}

static gyre_status train(int argc, char **argv, gyre_comm *comm) {
    arguments a = {0};
    gyre_settings *settings = NULL;
    gyre_status status = gyre_comm_agree(comm, parse(argc, argv, &a));
    if (status == GYRE_OK) {
        status = gyre_config_open(a.config, a.sets.items, a.sets.count, &settings);
        status = gyre_comm_agree(comm, cli_other_kind(status, a.config, CLI_HOLDS_CONFIG));
    }
    if (status == GYRE_OK && a.extend != NULL) {
        status = gyre_comm_agree(comm, gyre_config_extend(settings, a.extend));
    }
    if (status == GYRE_OK) status = train_found(settings, &a.options, comm);
    if (settings != NULL) gyre_config_close(settings);
    free(a.sets.items);
    return status;
}

static int run(int argc, char **argv) {
    return cli_on_ranks(argc, argv, train, true);
}

static const cli_form forms[] = {{"CONFIG", NULL}, {0}};

static const cli_option options[] = {
    {.name = "CONFIG", .help = "a JSON file with comments; `gyre help config` explains every key"},
    {.id = 'o',
     .name = "out",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, options.out),
     .letter = 'o',
     .value = "DIR",
     .required = true,
     .help = "the run's folder: config, tables of every step, checkpoints, log. New or empty, or "
             "the folder of this run, which is then resumed from its newest checkpoint"},
    {.id = 's',
     .name = "set",
     .kind = CLI_SETS,
     .at = offsetof(arguments, sets),
     .value = "KEY=VALUE",
     .repeats = true,
     .help = "overrides a key of the config, as in --set length.epochs=5 or --set "
             "data.path=cifar10.h5 (a path is relative to the config's folder); null brings "
             "the default back"},
    {.id = 'n',
     .name = "stop-after",
     .kind = CLI_WHOLE,
     .at = offsetof(arguments, options.stop_after),
     .least = 1,
     .value = "N",
     .help = "ends with a checkpoint when N updates are done in all; a larger N, or none, resumes "
             "the run"},
    {.id = 'e',
     .name = "extend",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, extend),
     .value = "STAGE",
     .help = "adds a stage to a run, also to one that has ended: a JSON object with a length and "
             "a schedule of its own, such as '{\"policy\": \"constant\", \"base_lr\": "
             "0.001, \"length\": {\"epochs\": 2}}'"},
    {.id = 'i',
     .name = "allow-inexact",
     .at = offsetof(arguments, options.allow_inexact),
     .help = "lets a run be resumed where its bits would differ: on another kind of processor or "
             "device, or with other libraries"},
    {.id = 'p',
     .name = "profile",
     .at = offsetof(arguments, options.profile),
     .help = "writes to profile.txt where the time of steps goes, by phase and layer; steps "
             "become slower"},
    {.id = 'q',
     .name = "quiet",
     .at = offsetof(arguments, options.quiet),
     .letter = 'q',
     .help = "no progress on stderr; warnings stay"},
    {0}};

const cli_command cli_command_train = {
    .name = "train",
    .summary = "trains, on any number of ranks under mpirun; resumes the run that DIR holds",
    .forms = forms,
    .options = options,
    .notes = "Ctrl-C, TERM and USR1 end a run with a checkpoint (code 99). The result has the same "
             "bits on any number of ranks.",
    .exits = cli_exits_training,
    .run = run,
};
