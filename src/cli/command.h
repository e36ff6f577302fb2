/* What a command is: how it is called, its options, its exit codes. From this table the options are
 * parsed, and `gyre help` explains them. Internal to src/cli. */
#ifndef GYRE_CLI_COMMAND_H
#define GYRE_CLI_COMMAND_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
    const char *value; /* "DIR", or "crop|pad", words of which one is typed; NULL: it has none */
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

typedef struct {
    const char *name;
    const char *summary;       /* what it does, in a sentence without its dot */
    const cli_form *forms;     /* how it is called; ends with a row without operands */
    const cli_option *options; /* ends with a row without name */
    const char *notes;         /* what else a person must know, in paragraphs; or NULL */
    const gyre_status *exits;  /* exit codes besides 0; ends with GYRE_OK */
    /* argv[0] is the command's name. Returns the process's exit code; prints its own error, once,
     * on stderr as "gyre: error: ...". */
    int (*run)(int argc, char **argv);
} cli_command;

#endif
