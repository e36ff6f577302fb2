/* The subcommands: each in a file of its own, all in the table of main.c. */
#ifndef GYRE_CLI_H
#define GYRE_CLI_H

#include "gyre/comm.h"
#include "gyre/status.h"
#include <stdbool.h>

typedef struct {
    const char *name;
    const char *usage; /* "train CONFIG --out DIR [--set KEY=VALUE]..." */
    const char *words; /* one line */
    /* argv[0] is the command's name. Returns the process's exit code; prints its own error, once,
     * on stderr as "gyre: error: ...". */
    int (*run)(int argc, char **argv);
} gyre_command;

/* Prints the recorded error as "gyre: error: ..." and returns the status as exit code. */
int gyre_cli_fail(gyre_status status);
/* Every command that prints ends with this: GYRE_EIO unless stdout took all of it. */
gyre_status gyre_cli_flush(void);

/* The `run` of a command that many ranks carry out together: MPI around `work`, whose status all
 * ranks agree on, and whose error rank 0 prints. With `mute` the other ranks say nothing. */
int gyre_cli_on_ranks(int argc, char **argv,
                      gyre_status (*work)(int argc, char **argv, gyre_comm *comm), bool mute);

extern const gyre_command gyre_command_train, gyre_command_schedule, gyre_command_data;
extern const gyre_command gyre_command_plot, gyre_command_eval, gyre_command_inspect;
extern const gyre_command gyre_command_export, gyre_command_help, gyre_command_doctor;
extern const gyre_command gyre_command_report;
extern const gyre_command gyre_command_study;
extern const gyre_command gyre_command_find;

#endif
