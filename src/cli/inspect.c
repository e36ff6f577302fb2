/* gyre inspect: what a file or run folder holds, in words; its checksums are verified. */
#include "cli.h"

#include "arguments.h"
#include "gyre/run.h"
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

static gyre_status take(void *to, int id, char *value) {
    (void)id;
    (void)value;
    *(bool *)to = true;
    return GYRE_OK;
}

static gyre_status inspect(int argc, char **argv) {
    bool hash_only = false;
    uint64_t hash = 0;
    GYRE_TRY(gyre_cli_options_read(argc, argv, &gyre_command_inspect, take, &hash_only));
    GYRE_TRY(gyre_cli_one_operand(argc, &gyre_command_inspect, "file or run folder"));
    if (hash_only) {
        GYRE_TRY(gyre_inspect_hash(argv[optind], &hash));
        printf("%016" PRIx64 "\n", hash);
    } else {
        GYRE_TRY(gyre_inspect(argv[optind], stdout));
    }
    return gyre_cli_flush();
}

static int run(int argc, char **argv) {
    return gyre_cli_fail(inspect(argc, argv));
}

static const gyre_cli_form forms[] = {{"RUN|FILE", NULL}, {0}};

static const gyre_cli_option options[] = {
    {.name = "RUN|FILE", .words = "a run's folder, a checkpoint, metrics.h5, or a dataset"},
    {.id = 'h',
     .name = "hash",
     .words = "prints the hash of the newest checkpoint's parameters alone: runs of the same bits "
              "have the same"},
    {0}};

const gyre_command gyre_command_inspect = {
    .name = "inspect",
    .words = "what a run folder, checkpoint, metrics file or dataset holds; verifies checksums",
    .forms = forms,
    .options = options,
    .exits = gyre_cli_exits_reading,
    .run = run,
};
