/* gyre help: what a config may say and which models there are, from the tables that read it. */
#include "cli.h"

#include "gyre/config.h"
#include "gyre/model.h"
#include <string.h>

static void print_models(void) {
    for (int i = 0; gyre_model_name(i) != NULL; i++) {
        printf("%-16s %s\n", gyre_model_name(i), gyre_model_words(i));
    }
}

static int run(int argc, char **argv) {
    const char *about = argc > 1 ? argv[1] : "";
    bool config = strcmp(about, "config") == 0, models = strcmp(about, "models") == 0;
    bool markdown = config && argc == 3 && strcmp(argv[2], "--markdown") == 0;
    if ((!config && !models) || (argc != 2 && !markdown)) {
        return gyre_cli_fail(gyre_fail(GYRE_EUSAGE, "usage: gyre %s", gyre_command_help.usage));
    }
    if (models)
        print_models();
    else if (markdown)
        gyre_config_help_markdown(stdout);
    else
        gyre_config_help(stdout);
    return gyre_cli_fail(gyre_cli_flush());
}

const gyre_command gyre_command_help = {
    "help",
    "help [COMMAND] | help config [--markdown] | help models",
    "a command in words; every config field with type, range, default and meaning; the models",
    run,
};
