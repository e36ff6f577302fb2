/* gyre inspect: what a file or run folder holds, in words; its checksums are verified. */
#include "cli.h"

#include "arguments.h"
#include "gyre/checkpoint.h"
#include "gyre/report.h"
#include "holds.h"
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef enum { HASH_NONE, HASH_PARAMETERS, HASH_STATE, NAMES } output_kind;

static gyre_status take(void *to, int id, char *value) {
    output_kind *kind = to;
    *kind = id == 'n' ? NAMES : HASH_PARAMETERS;
    if (value == NULL || strcmp(value, "parameters") == 0) return GYRE_OK;
    *kind = HASH_STATE;
    if (strcmp(value, "state") == 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--hash=%s: parameters or state was expected", value);
}

static gyre_status inspect(int argc, char **argv) {
    output_kind kind = HASH_NONE;
    uint64_t hash = 0;
    GYRE_TRY(gyre_cli_options_read(argc, argv, &gyre_command_inspect, take, &kind));
    GYRE_TRY(gyre_cli_one_operand(argc, &gyre_command_inspect, "file or run folder"));
    const int known = HOLDS_RUN | HOLDS_CHECKPOINT | HOLDS_METRICS | HOLDS_DATASET | HOLDS_FIND |
                      HOLDS_FIND_FOLDER;
    gyre_status status = GYRE_OK;
    switch (kind) {
    case HASH_NONE: status = gyre_inspect(argv[optind], stdout); break;
    case HASH_PARAMETERS: status = gyre_newest_hash(argv[optind], &hash); break;
    case HASH_STATE: status = gyre_newest_state_hash(argv[optind], &hash); break;
    case NAMES: status = gyre_inspect_names(argv[optind], stdout); break;
    }
    GYRE_TRY(gyre_cli_other_kind(status, argv[optind], known));
    if (kind == HASH_PARAMETERS || kind == HASH_STATE) printf("%016" PRIx64 "\n", hash);
    return gyre_cli_flush();
}

static int run(int argc, char **argv) {
    return gyre_cli_fail(inspect(argc, argv));
}

static const gyre_cli_form forms[] = {{"RUN|FILE", NULL}, {0}};

static const gyre_cli_option options[] = {
    {.name = "RUN|FILE",
     .words = "a run's folder, a checkpoint, metrics.h5, a dataset, or weights from elsewhere"},
    {.id = 'h',
     .name = "hash",
     .value = "KIND",
     .optional = true,
     .words = "prints a hash of the newest checkpoint alone. parameters (the default): runs of the "
              "same bits have the same; state: of all that a result hangs on, which is also the "
              "optimizer's state, running statistics, normalisation and completed updates"},
    {.id = 'n',
     .name = "names",
     .words = "name and shape of all that an HDF5 file, or the newest checkpoint, holds"},
    {0}};

const gyre_command gyre_command_inspect = {
    .name = "inspect",
    .words = "what a run folder, checkpoint, metrics file or dataset holds; verifies checksums",
    .forms = forms,
    .options = options,
    .exits = gyre_cli_exits_reading,
    .run = run,
};
