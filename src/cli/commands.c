/* The table of commands. */
#include "cli.h"

#include <string.h>

#define COMMAND_ROW(name) &cli_command_##name,
const cli_command *const cli_commands[] = {CLI_COMMANDS(COMMAND_ROW) NULL};

const cli_command *cli_command_named(const char *name) {
    for (size_t i = 0; cli_commands[i] != NULL; i++) {
        if (strcmp(name, cli_commands[i]->name) == 0) return cli_commands[i];
    }
    return NULL;
}
