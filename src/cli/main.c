/* The dispatcher: finds the subcommand in one table and turns its status into the exit code. */
#include "cli.h"

#include "gyre/names.h"
#include "gyre/version.h"
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
const gyre_command *const gyre_commands[] = {
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

const gyre_command *gyre_cli_find(const char *name) {
    for (size_t i = 0; gyre_commands[i] != NULL; i++) {
        if (strcmp(name, gyre_commands[i]->name) == 0) return gyre_commands[i];
    }
    return NULL;
}

/* Is it a word of how the command is called, as the "import" of `gyre data import`? */
static bool has_word(const gyre_command *command, const char *word) {
    for (const gyre_cli_form *f = command->forms; f->operands != NULL; f++) {
        for (const char *at = f->operands; *at != '\0';) {
            size_t length = strcspn(at, " |");
            if (length == strlen(word) && strncmp(at, word, length) == 0) return true;
            at += length + (at[length] != '\0');
        }
    }
    return false;
}

/* `gyre help`, `gyre help COMMAND`, `gyre help data import`, and --help anywhere; `gyre help
 * config` is a command's own. */
static bool asks_for_help(int argc, char **argv, const gyre_command **about) {
    *about = NULL;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") != 0 && strcmp(argv[i], "-h") != 0) continue;
        *about = gyre_cli_find(argv[1]);
        return true;
    }
    if (strcmp(argv[1], "help") != 0) return false;
    if (argc >= 3) *about = gyre_cli_find(argv[2]);
    for (int i = 3; i < argc && *about != NULL; i++) {
        if (!has_word(*about, argv[i])) *about = NULL;
    }
    return argc == 2 || *about != NULL;
}

/* What others call a command; NULL: nothing is known of that kind. */
static const char *other_word(const char *name) {
    static const char *const words[][2] = {
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
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i][0], name) == 0) return words[i][1];
    }
    return NULL;
}

static gyre_status unknown(const char *name) {
    const char *names[sizeof gyre_commands / sizeof *gyre_commands] = {NULL};
    for (size_t i = 0; gyre_commands[i] != NULL; i++) names[i] = gyre_commands[i]->name;
    const char *near = other_word(name);
    if (near == NULL) near = gyre_name_nearest(name, names);
    return gyre_fail(GYRE_EUSAGE, "unknown command '%s'%s%s%s; `gyre --help` lists them", name,
                     near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                     near == NULL ? "" : "'?");
}

int main(int argc, char **argv) {
    const gyre_command *about;
    signal(SIGXFSZ, SIG_IGN); /* a write past a file-size limit fails, and says which file */
    if (argc < 2) {
        gyre_cli_list(stderr);
        return GYRE_EUSAGE;
    }
    if (asks_for_help(argc, argv, &about)) {
        if (about == NULL)
            gyre_cli_list(stdout);
        else
            gyre_cli_explain(stdout, about);
        return gyre_cli_fail(gyre_cli_flush());
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("gyre " GYRE_VERSION);
        return gyre_cli_fail(gyre_cli_flush());
    }
    const gyre_command *command = gyre_cli_find(argv[1]);
    if (command != NULL) return command->run(argc - 1, argv + 1);
    return gyre_cli_fail(unknown(argv[1]));
}
