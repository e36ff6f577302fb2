/* gyre train: reads the config on every rank, then trains. */
#include "cli.h"

#include "gyre/comm.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/find.h"
#include "gyre/run.h"
#include "gyre/run_folder.h"
#include "holds.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

typedef struct {
    const char *config, *extend;
    int64_t from_step;
    cli_sets sets;
    gyre_train_options options;
} arguments;

static gyre_status parse(int argc, char **argv, arguments *a) {
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_train, a, NULL));
    a->options.extended = a->extend != NULL;
    GYRE_TRY(cli_one_operand(argc, argv, &cli_command_train, "config", &a->config));
    if (a->extend == NULL || a->from_step == 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--extend adds to a run, --from-step leaves it and begins another "
                     "one; one of the two was expected");
}

/* ---- a branch of a run */

typedef struct {
    char *folder, *config; /* of the run that is left */
} origin;

static void close_origin(origin *o) {
    free(o->folder);
    free(o->config);
}

/* The run's folder was given, or its config.json. */
static gyre_status find_origin(const char *given, origin *out) {
    struct stat st;
    const bool folder = stat(given, &st) == 0 && S_ISDIR(st.st_mode);
    out->folder = folder ? strdup(given) : gyre_path_dir(given);
    if (out->folder != NULL) out->config = gyre_path_join(out->folder, GYRE_CONFIG_FILE);
    if (out->config == NULL) return gyre_no_memory("the path '%s'", given);
    if (gyre_run_folder_is_run(out->folder)) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--from-step: '%s' is no run; the folder of one was expected",
                     given);
}

/* "length" is set by length.epochs=2, too. */
static bool sets_key(const cli_sets *sets, const char *key) {
    for (int i = 0; i < sets->count; i++) {
        if (strncmp(sets->items[i], key, strlen(key)) == 0) return true;
    }
    return false;
}

/* The settings of the branch, and where it begins. */
static gyre_status open_branch(arguments *a, origin *o, gyre_settings **out) {
    gyre_settings *run = NULL;
    GYRE_TRY(find_origin(a->config, o));
    if (sets_key(&a->sets, "schedule.stages") || sets_key(&a->sets, "schedule=")) {
        return gyre_fail(GYRE_EUSAGE,
                         "--from-step: the stages up to there are the run's, and the branch is one "
                         "more; give its schedule key by key, as --set schedule.policy=linear");
    }
    GYRE_TRY(gyre_config_open(o->config, NULL, 0, &run));
    gyre_status status = gyre_config_open(o->config, a->sets.items, a->sets.count, out);
    if (status == GYRE_OK)
        status = gyre_config_branch(*out, run, a->from_step, sets_key(&a->sets, "length"));
    gyre_config_close(run);
    a->options.branch = (gyre_branch){o->folder, a->from_step};
    return status;
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
    origin o = {0};
    gyre_settings *settings = NULL;
    gyre_status status = gyre_comm_agree(comm, parse(argc, argv, &a));
    if (status == GYRE_OK && a.from_step > 0) {
        status = gyre_comm_agree(comm, open_branch(&a, &o, &settings));
    } else if (status == GYRE_OK) {
        status = gyre_config_open(a.config, a.sets.items, a.sets.count, &settings);
        status = gyre_comm_agree(comm, cli_other_kind(status, a.config, CLI_HOLDS_CONFIG));
    }
    if (status == GYRE_OK && a.extend != NULL) {
        status = gyre_comm_agree(comm, gyre_config_extend(settings, a.extend));
    }
    if (status == GYRE_OK) status = train_found(settings, &a.options, comm);
    if (settings != NULL) gyre_config_close(settings);
    free(a.sets.items);
    close_origin(&o);
    return status;
}

static int run(int argc, char **argv) {
    return cli_on_ranks(argc, argv, train, true);
}

static const cli_form forms[] = {{"CONFIG", "osneipq"}, {"RUN", "fosnipq"}, {0}};

static const cli_option options[] = {
    {.name = "CONFIG", .help = "a JSON file with comments; `gyre help config` explains every key"},
    {.name = "RUN", .help = "with --from-step, the folder of a run"},
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
    {.id = 'f',
     .name = "from-step",
     .kind = CLI_WHOLE,
     .at = offsetof(arguments, from_step),
     .least = 1,
     .value = "K",
     .help = "branches a run: a new one in --out has the first K steps of RUN, from its checkpoint "
             "there, and then another schedule, as --set schedule.policy=linear gives one. "
             "--set length.steps=N: N steps from there on; without it, to where RUN ends"},
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
