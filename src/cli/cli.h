/* The subcommands: each in a file of its own, all in the table of main.c. */
#ifndef GYRE_CLI_H
#define GYRE_CLI_H

#include "gyre/comm.h"
#include "gyre/status.h"
#include "options.h"
#include <stdbool.h>

struct gyre_command {
    const char *name;
    const char *words;              /* what it does, in a sentence without its dot */
    const gyre_cli_form *forms;     /* how it is called; ends with a row without operands */
    const gyre_cli_option *options; /* ends with a row without name */
    const char *more;               /* what else a person must know, in paragraphs; or NULL */
    const gyre_status *exits;       /* exit codes besides 0; ends with GYRE_OK */
    /* argv[0] is the command's name. Returns the process's exit code; prints its own error, once,
     * on stderr as "gyre: error: ...". */
    int (*run)(int argc, char **argv);
};

/* Prints the recorded error as "gyre: error: ..." and returns the status as exit code. */
int gyre_cli_fail(gyre_status status);
/* The line on stdout that tells where a result lies. */
void gyre_cli_print_path(const char *path);
/* Every command that prints ends with this: GYRE_EIO unless stdout took all of it. */
gyre_status gyre_cli_flush(void);

/* The `run` of a command that many ranks carry out together: MPI around `work`, whose status all
 * ranks agree on, and whose error rank 0 prints. With `mute` the other ranks say nothing. */
int gyre_cli_on_ranks(int argc, char **argv,
                      gyre_status (*work)(int argc, char **argv, gyre_comm *comm), bool mute);

/* Exit codes of commands that only read files, that import, that compute, and that train. */
extern const gyre_status gyre_cli_exits_reading[], gyre_cli_exits_importing[],
    gyre_cli_exits_computing[], gyre_cli_exits_training[];

/* All commands, in the order in which a person needs them; NULL ends them. */
extern const gyre_command *const gyre_commands[];
const gyre_command *gyre_cli_find(const char *name); /* NULL: there is none of this name */

extern const gyre_command gyre_command_train, gyre_command_schedule, gyre_command_data;
extern const gyre_command gyre_command_plot, gyre_command_eval, gyre_command_inspect;
extern const gyre_command gyre_command_export, gyre_command_help, gyre_command_doctor;
extern const gyre_command gyre_command_report;
extern const gyre_command gyre_command_study;
extern const gyre_command gyre_command_find;

#endif
