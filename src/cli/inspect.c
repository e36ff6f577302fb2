/* gyre inspect: what a file or run folder holds, in words; its checksums are verified. */
#include "cli.h"

#include "arguments.h"
#include "gyre/run.h"
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>

static gyre_status inspect(int argc, char **argv) {
    static const struct option options[] = {{"hash", no_argument, NULL, 'h'}, {0}};
    bool hash_only = false;
    uint64_t hash = 0;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":", options, NULL)) != -1;) {
        if (c != 'h') return gyre_cli_bad_option(c, argv, &gyre_command_inspect);
        hash_only = true;
    }
    if (argc - optind != 1) {
        return gyre_fail(GYRE_EUSAGE,
                         "one file or run folder was expected, found %d; usage: gyre %s",
                         argc - optind, gyre_command_inspect.usage);
    }
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

const gyre_command gyre_command_inspect = {
    "inspect",
    "inspect RUN|FILE [--hash]",
    "what a run folder, checkpoint, metrics file or dataset holds; verifies checksums",
    run,
};
