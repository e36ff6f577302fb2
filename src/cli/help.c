/* gyre help: what a config may say, from the same table that reads it. */
#include "cli.h"

#include "gyre/config.h"
#include <string.h>

static int run(int argc, char **argv) {
    bool markdown = argc == 3 && strcmp(argv[2], "--markdown") == 0;
    if (argc < 2 || strcmp(argv[1], "config") != 0 || (argc != 2 && !markdown)) {
        return gyre_cli_fail(gyre_fail(GYRE_EUSAGE, "usage: gyre %s", gyre_command_help.usage));
    }
    if (markdown)
        gyre_config_help_markdown(stdout);
    else
        gyre_config_help(stdout);
    if (fflush(stdout) == 0 && !ferror(stdout)) return GYRE_OK;
    return gyre_cli_fail(gyre_fail(GYRE_EIO, "cannot write the help text"));
}

const gyre_command gyre_command_help = {
    "help",
    "help [COMMAND] | help config [--markdown]",
    "a command in words; every config field with type, range, default and meaning",
    run,
};
