/* The dispatcher: finds the subcommand in one table and turns its status into the exit code. */
#include "cli.h"

#include <stdio.h>
#include <string.h>

/* In the order in which a person needs them. */
/* clang-format off */
static const gyre_command *const commands[] = {
    &gyre_command_data,
    &gyre_command_schedule,
    &gyre_command_train,
    &gyre_command_plot,
    &gyre_command_eval,
    &gyre_command_inspect,
    &gyre_command_export,
    &gyre_command_help,
    &gyre_command_doctor,
    NULL,
};
/* clang-format on */

static void print_usage(FILE *out) {
    fprintf(out, "usage: gyre COMMAND [ARGUMENTS]\n\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        fprintf(out, "  gyre %s\n      %s\n", commands[i]->usage, commands[i]->words);
    }
}

int main(int argc, char **argv) {
    if (argc < 2) {
        print_usage(stderr);
        return GYRE_EUSAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_usage(stdout);
        return GYRE_OK;
    }
    for (size_t i = 0; commands[i] != NULL; i++) {
        if (strcmp(argv[1], commands[i]->name) == 0) return commands[i]->run(argc - 1, argv + 1);
    }
    fprintf(stderr, "gyre: unknown command '%s'; `gyre --help` lists them\n", argv[1]);
    return GYRE_EUSAGE;
}
