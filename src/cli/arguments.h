/* What the subcommands' argument parsers share. Internal to src/cli. */
#ifndef GYRE_CLI_ARGUMENTS_H
#define GYRE_CLI_ARGUMENTS_H

#include "cli.h"

#include <stdint.h>

/* `text` as a whole number in least..2^53 - 1; `option` names it in the error. */
gyre_status gyre_cli_whole(const char *option, const char *text, int64_t least, int64_t *out);

/* The KEY=VALUEs of --set in order. `items` has room for every argument of the command line. */
typedef struct {
    char **items;
    int count;
} gyre_cli_sets;
gyre_status gyre_cli_sets_open(int argc, gyre_cli_sets *out); /* free(items) */

/* RUN/metrics.h5 (free() it); GYRE_EIO when `run_dir` holds no run. */
gyre_status gyre_cli_metrics_of(const char *run_dir, char **out);

#endif
