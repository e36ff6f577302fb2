/* The options of a command: one table, from which they are parsed, and from which `gyre help`
 * explains them. Internal to src/cli. */
#ifndef GYRE_CLI_OPTIONS_H
#define GYRE_CLI_OPTIONS_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct cli_command cli_command;

/* What an option's value becomes: a member of the command's arguments. */
typedef enum {
    CLI_FLAG,    /* without a value: bool, true */
    CLI_TEXT,    /* const char * */
    CLI_WHOLE,   /* int64_t or uint64_t: a whole number of `least` to 2^53 - 1 */
    CLI_INTEGER, /* int: a whole number of `least` to 2^31 - 1 */
    CLI_RATE,    /* double above 0 */
    CLI_SETS,    /* cli_sets: one more KEY=VALUE */
    CLI_OWN      /* what the option's own `read` makes of it */
} cli_kind;

typedef struct {
    char id;           /* names it in the ids of a form; 0: an operand, which is explained only */
    const char *name;  /* "out" for --out; an operand as the usage shows it */
    char letter;       /* 'o' for -o as well; 0: none */
    const char *value; /* "DIR"; NULL: it has none */
    bool optional;     /* the value may be left out, and is given as --hash=state */
    bool required;     /* in every form that it goes with */
    bool repeats;
    cli_kind kind;
    size_t at; /* offset of the member that it sets */
    int64_t least;
    gyre_status (*read)(const char *value, void *arguments); /* of CLI_OWN */
    const char *help; /* what it does, its unit, its default */
} cli_option;

/* The KEY=VALUEs of --set in order; free(items). */
typedef struct {
    char **items;
    int count;
} cli_sets;

/* A way to call a command. */
typedef struct {
    const char *operands; /* "import folder DIR" */
    const char *ids;      /* of the options that go with it; NULL: all */
} cli_form;

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
