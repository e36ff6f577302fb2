/* The options of a command: one table, from which they are parsed, and from which `gyre help`
 * explains them. Internal to src/cli. */
#ifndef GYRE_CLI_OPTIONS_H
#define GYRE_CLI_OPTIONS_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stdio.h>

typedef struct gyre_command gyre_command;

typedef struct {
    int id;            /* what `take` is told; 0: an operand, which is explained only */
    const char *name;  /* "out" for --out; an operand as the usage shows it */
    char letter;       /* 'o' for -o as well; 0: none */
    const char *value; /* "DIR"; NULL: it has none */
    bool optional;     /* the value may be left out, and is given as --hash=state */
    bool required;     /* in every form that it goes with */
    bool repeats;
    const char *words; /* what it does, its unit, its default */
} gyre_cli_option;

/* A way to call a command. */
typedef struct {
    const char *operands; /* "import folder DIR" */
    const char *ids;      /* of the options that go with it; NULL: all */
} gyre_cli_form;

/* Gives each option, its value or NULL, to `take`; leaves the operands at argv[optind] and on.
 * GYRE_EUSAGE for an option that is unknown, a value that is missing, and an empty value or
 * operand. */
gyre_status gyre_cli_options_read(int argc, char **argv, const gyre_command *command,
                                  gyre_status (*take)(void *to, int id, char *value), void *to);

/* GYRE_EUSAGE with these words and how the command is called. */
gyre_status gyre_cli_usage_fail(const gyre_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The same when the operands are not exactly one, which is `what`. */
gyre_status gyre_cli_one_operand(int argc, const gyre_command *command, const char *what);

/* `gyre help`, and `gyre help COMMAND`: lines of at most 80 columns. */
void gyre_cli_list(FILE *out);
void gyre_cli_explain(FILE *out, const gyre_command *command);

#endif
