/* The subcommands: each in a file of its own, all in the table of commands.c. */
#ifndef GYRE_CLI_H
#define GYRE_CLI_H

#include "command.h"
#include "gyre/comm.h"
#include "gyre/status.h"
#include "options.h"
#include "usage.h"
#include <stdbool.h>

/* Prints the recorded error as "gyre: error: ..." and returns the status as exit code. */
int cli_fail(gyre_status status);
/* The line on stdout that tells where a result lies. */
void cli_print_path(const char *path);
/* Every command that prints ends with this: GYRE_EIO unless stdout took all of it. A full disk or a
 * closed pipe is an error, since a reader of the output would take a part for the whole. */
gyre_status cli_flush(void);

/* The `run` of a command that many ranks carry out together: MPI around `work`, whose status all
 * ranks agree on, and whose error rank 0 prints. With `mute` the other ranks say nothing. */
int cli_on_ranks(int argc, char **argv, gyre_status (*work)(int argc, char **argv, gyre_comm *comm),
                 bool mute);

/* Exit codes of commands that only read files, that import, that compute, and that train. */
extern const gyre_status cli_exits_reading[], cli_exits_importing[], cli_exits_computing[],
    cli_exits_training[];

/* RUN/metrics.h5 (free() it); GYRE_EIO when `run_dir` holds no run. */
gyre_status cli_metrics_of(const char *run_dir, char **out);

/* All commands, in the order in which a person needs them. */
#define CLI_COMMANDS(X)                                                                            \
    X(data)                                                                                        \
    X(find)                                                                                        \
    X(model)                                                                                       \
    X(schedule)                                                                                    \
    X(train)                                                                                       \
    X(study)                                                                                       \
    X(plot)                                                                                        \
    X(report)                                                                                      \
    X(sample)                                                                                      \
    X(eval)                                                                                        \
    X(inspect)                                                                                     \
    X(export)                                                                                      \
    X(help)                                                                                        \
    X(doctor)

#define CLI_DECLARE(name) extern const cli_command cli_command_##name;
CLI_COMMANDS(CLI_DECLARE)
#undef CLI_DECLARE

#define CLI_ONE(name) +1
enum { CLI_COMMAND_COUNT = 0 CLI_COMMANDS(CLI_ONE) };
#undef CLI_ONE
extern const cli_command *const cli_commands[];         /* NULL ends them */
const cli_command *cli_command_named(const char *name); /* NULL: there is none of this name */

#endif
