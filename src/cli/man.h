/* Manual pages of the commands, from their tables. Internal to src/cli. */
#ifndef GYRE_CLI_MAN_H
#define GYRE_CLI_MAN_H

#include "command.h"
#include <stdio.h>

/* gyre(1), of commands whose list NULL ends, and gyre-COMMAND(1): roff source for man. */
void cli_man_list(FILE *out, const cli_command *const commands[]);
void cli_man_command(FILE *out, const cli_command *command);

#endif
