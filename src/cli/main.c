/* The dispatcher: finds the subcommand in one table and turns its status into the exit code. */
#include "cli.h"

#include "gyre/version.h"
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* In the order in which a person needs them. */
/* clang-format off */
static const gyre_command *const commands[] = {
    &gyre_command_data,
    &gyre_command_find,
    &gyre_command_schedule,
    &gyre_command_train,
    &gyre_command_study,
    &gyre_command_plot,
    &gyre_command_report,
    &gyre_command_eval,
    &gyre_command_inspect,
    &gyre_command_export,
    &gyre_command_help,
    &gyre_command_doctor,
    NULL,
};
/* clang-format on */

static void print_command(FILE *out, const gyre_command *c) {
    fprintf(out, "  gyre %s\n      %s\n", c->usage, c->words);
}

static void print_usage(FILE *out) {
    fprintf(out, "usage: gyre COMMAND [ARGUMENTS]\n\n");
    for (size_t i = 0; commands[i] != NULL; i++) print_command(out, commands[i]);
}

static const gyre_command *find(const char *name) {
    for (size_t i = 0; commands[i] != NULL; i++) {
        if (strcmp(name, commands[i]->name) == 0) return commands[i];
    }
    return NULL;
}

/* `gyre help`, `gyre help COMMAND`, and --help anywhere; `gyre help config` is a command's own. */
static bool asks_for_help(int argc, char **argv, const gyre_command **about) {
    *about = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "-h") != 0) continue;
        *about = find(argv[1]);
        return true;
    }
    if (strcmp(argv[1], "help") != 0 || argc > 3) return false;
    if (argc == 3) *about = find(argv[2]);
    return argc == 2 || *about != NULL;
}

int main(int argc, char **argv) {
    const gyre_command *about;
    signal(SIGXFSZ, SIG_IGN); /* a write past a file-size limit fails, and says which file */
    if (argc < 2) {
        print_usage(stderr);
        return GYRE_EUSAGE;
    }
    if (asks_for_help(argc, argv, &about)) {
        if (about == NULL)
            print_usage(stdout);
        else
            print_command(stdout, about);
        return gyre_cli_fail(gyre_cli_flush());
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("gyre " GYRE_VERSION);
        return gyre_cli_fail(gyre_cli_flush());
    }
    const gyre_command *command = find(argv[1]);
    if (command != NULL) return command->run(argc - 1, argv + 1);
    return gyre_cli_fail(
        gyre_fail(GYRE_EUSAGE, "unknown command '%s'; `gyre --help` lists them", argv[1]));
}
