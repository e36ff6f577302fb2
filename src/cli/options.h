/* Parses the options of a command. Internal to src/cli. */
#ifndef GYRE_CLI_OPTIONS_H
#define GYRE_CLI_OPTIONS_H

#include "command.h"

enum { CLI_OPTIONS_MAX = 40 }; /* of a command */

/* Puts the value of each option into `arguments`, a struct that the command's table describes;
 * leaves the operands at argv[optind] and on. `given` gets the ids of the options that were given,
 * unless NULL. GYRE_EUSAGE for an option that is unknown, a value that is missing or wrong, and an
 * empty value or operand. */
gyre_status cli_options_read(int argc, char **argv, const cli_command *command, void *arguments,
                             char given[CLI_OPTIONS_MAX + 1]);

/* The operand of a command that takes exactly one, which is `what`. GYRE_EUSAGE. */
gyre_status cli_one_operand(int argc, char **argv, const cli_command *command, const char *what,
                            const char **out);

#endif
