/* How commands are called: `gyre help`, and the error of a command that was called otherwise.
 * Internal to src/cli. */
#ifndef GYRE_CLI_USAGE_H
#define GYRE_CLI_USAGE_H

#include "command.h"
#include <stdio.h>

/* GYRE_EUSAGE with this text and how the command is called. */
gyre_status cli_usage_fail(const cli_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* `gyre help`, of commands whose list NULL ends, and `gyre help COMMAND`: lines of at most 80
 * columns. */
void cli_list(FILE *out, const cli_command *const commands[]);
void cli_explain(FILE *out, const cli_command *command);

#endif
