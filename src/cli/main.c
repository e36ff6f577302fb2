/* The dispatcher: finds the subcommand in one table and turns its status into the exit code. */
#include "cli.h"

#include "complete.h"
#include "gyre/names.h"
#include "gyre/version.h"
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Is it a word of how the command is called, as the "import" of `gyre data import`? */
static bool has_word(const cli_command *command, const char *word) {
    for (const cli_form *f = command->forms; f->operands != NULL; f++) {
        for (const char *at = f->operands; *at != '\0';) {
            size_t length = strcspn(at, " |[]");
            if (length == strlen(word) && strncmp(at, word, length) == 0) return true;
            at += length + (at[length] != '\0');
        }
    }
    return false;
}

/* `gyre help`, `gyre help COMMAND`, `gyre help data import`, and --help anywhere; `gyre help
 * config` is a command's own. */
static bool asks_for_help(int argc, char **argv, const cli_command **about) {
    *about = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "-h") != 0) continue;
        *about = cli_command_named(argv[1]);
        return true;
    }
    if (strcmp(argv[1], "help") != 0) return false;
    if (argc >= 3) *about = cli_command_named(argv[2]);
    for (int i = 3; i < argc && *about != NULL; i++) {
        if (!has_word(*about, argv[i])) *about = NULL;
    }
    return argc == 2 || *about != NULL;
}

/* gyre's name of what other programs call so; NULL: not a known synonym. */
static const char *name_of_synonym(const char *name) {
    static const char *const synonyms[][2] = {
        {"-V", "--version"},      {"-v", "--version"},
        {"version", "--version"}, {"evaluate", "eval"},
        {"test", "eval"},         {"validate", "eval"},
        {"predict", "eval"},      {"score", "eval"},
        {"resume", "train"},      {"continue", "train"},
        {"fit", "train"},         {"run", "train"},
        {"lr-find", "find"},      {"lr_find", "find"},
        {"lrfind", "find"},       {"range", "find"},
        {"range-test", "find"},   {"import", "data import"},
        {"info", "data info"},    {"manifest", "data manifest"},
        {"show", "inspect"},      {"hash", "inspect"},
        {"compare", "study"},     {"sweep", "study"},
        {"draw", "plot"},
    };
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
        if (strcmp(synonyms[i][0], name) == 0) return synonyms[i][1];
    }
    return NULL;
}

static gyre_status unknown(const char *name) {
    const char *names[CLI_COMMAND_COUNT + 1] = {NULL};
    for (size_t i = 0; cli_commands[i] != NULL; i++) names[i] = cli_commands[i]->name;
    const char *near = name_of_synonym(name);
    if (near == NULL) near = gyre_name_nearest(name, names);
    return gyre_fail(GYRE_EUSAGE, "unknown command '%s'%s%s%s; `gyre --help` lists them", name,
                     near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                     near == NULL ? "" : "'?");
}

int main(int argc, char **argv) {
    const cli_command *about;
    signal(SIGXFSZ, SIG_IGN); /* a write past a file-size limit fails, and says which file */
    if (argc < 2) {
        cli_list(stderr, cli_commands);
        return GYRE_EUSAGE;
    }
    if (strcmp(argv[1], "--complete") == 0) { /* the scripts of packaging/completion ask so */
        if (argc > 2) cli_complete(argc - 2, (const char *const *)(argv + 2));
        return cli_fail(cli_flush());
    }
    if (asks_for_help(argc, argv, &about)) {
        if (about == NULL)
            cli_list(stdout, cli_commands);
        else
            cli_explain(stdout, about);
        return cli_fail(cli_flush());
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("gyre " GYRE_VERSION);
        return cli_fail(cli_flush());
    }
    const cli_command *command = cli_command_named(argv[1]);
    if (command != NULL) return command->run(argc - 1, argv + 1);
    return cli_fail(unknown(argv[1]));
}
