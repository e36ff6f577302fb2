/* gyre inspect: what a file or run folder holds; its checksums are verified. */
#include "cli.h"

#include "gyre/checkpoint.h"
#include "gyre/report.h"
#include "holds.h"
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

typedef enum { HASH_NONE, HASH_PARAMETERS, HASH_STATE, HASH_AVERAGE, NAMES } output_kind;

typedef struct {
    const char *path;
    output_kind kind;
} arguments;

static gyre_status read_hash(const char *value, void *to) {
    output_kind *kind = &((arguments *)to)->kind;
    *kind = HASH_PARAMETERS;
    if (value == NULL || strcmp(value, "parameters") == 0) return GYRE_OK;
    *kind = HASH_STATE;
    if (strcmp(value, "state") == 0) return GYRE_OK;
    *kind = HASH_AVERAGE;
    if (strcmp(value, "average") == 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--hash=%s: parameters, state or average was expected", value);
}

static gyre_status read_names(const char *value, void *to) {
    (void)value;
    ((arguments *)to)->kind = NAMES;
    return GYRE_OK;
}

static gyre_status inspect(int argc, char **argv) {
    arguments a = {.kind = HASH_NONE};
    uint64_t hash = 0;
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_inspect, &a, NULL));
    GYRE_TRY(cli_one_operand(argc, argv, &cli_command_inspect, "file or run folder", &a.path));
    const int known = CLI_HOLDS_RUN | CLI_HOLDS_CHECKPOINT | CLI_HOLDS_METRICS | CLI_HOLDS_DATASET |
                      CLI_HOLDS_FIND | CLI_HOLDS_FIND_FOLDER | CLI_HOLDS_TENSORS;
    gyre_status status = GYRE_OK;
    switch (a.kind) {
    case HASH_NONE: status = gyre_inspect(a.path, stdout); break;
    case HASH_PARAMETERS: status = gyre_newest_hash(a.path, &hash); break;
    case HASH_STATE: status = gyre_newest_state_hash(a.path, &hash); break;
    case HASH_AVERAGE: status = gyre_newest_average_hash(a.path, &hash); break;
    case NAMES: status = gyre_inspect_names(a.path, stdout); break;
    }
    GYRE_TRY(cli_other_kind(status, a.path, known));
    if (a.kind != HASH_NONE && a.kind != NAMES) printf("%016" PRIx64 "\n", hash);
    return cli_flush();
}

static int run(int argc, char **argv) {
    return cli_fail(inspect(argc, argv));
}

static const cli_form forms[] = {{"RUN|FILE", NULL}, {0}};

static const cli_option options[] = {
    {.name = "RUN|FILE",
     .help = "a run's folder, a checkpoint, metrics.h5, a dataset, or weights from elsewhere"},
    {.id = 'h',
     .name = "hash",
     .kind = CLI_OWN,
     .read = read_hash,
     .value = "parameters|state|average",
     .optional = true,
     .help =
         "prints a hash of the newest checkpoint alone. parameters (the default): runs of the "
         "same bits have the same; state: of all that a result hangs on, which is also the "
         "optimizer's state, running statistics, averages, normalisation and completed updates; "
         "average: of the averages of parameters and running statistics"},
    {.id = 'n',
     .name = "names",
     .kind = CLI_OWN,
     .read = read_names,
     .help =
         "name and shape of all that an HDF5 or safetensors file, or the newest checkpoint, holds"},
    {0}};

const cli_command cli_command_inspect = {
    .name = "inspect",
    .summary = "what a run folder, checkpoint, metrics file or dataset holds; verifies checksums",
    .forms = forms,
    .options = options,
    .exits = cli_exits_reading,
    .run = run,
};
