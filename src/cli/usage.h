/* How commands are called: `gyre help`, and the error of a command that was called otherwise.
 * Internal to src/cli. */
#ifndef GYRE_CLI_USAGE_H
#define GYRE_CLI_USAGE_H

#include "command.h"
#include <stdio.h>

/* GYRE_EUSAGE with this text and how the command is called. */
gyre_status cli_usage_fail(const cli_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* "--out DIR", "--hash[=parameters|state]", or an operand. */
void cli_name_option(const cli_option *o, char *out, size_t size);
/* "gyre train CONFIG --out DIR ...", with every option; "" when there is no memory. */
enum { CLI_FORM_TEXT = 2048 };
void cli_form_text(const cli_command *command, const cli_form *form, char out[CLI_FORM_TEXT]);

/* What the process's exit codes mean: gyre's, and mpirun's for a command that runs under it. */
typedef struct {
    char codes[12];
    const char *text;
} cli_exit;
enum { CLI_EXITS_MAX = 16 };
int cli_exits(const cli_command *command, cli_exit out[CLI_EXITS_MAX]);

/* `gyre help`, of commands whose list NULL ends, and `gyre help COMMAND`: lines of at most 80
 * columns. */
void cli_list(FILE *out, const cli_command *const commands[]);
void cli_explain(FILE *out, const cli_command *command);

#endif
