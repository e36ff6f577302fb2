/* gyre help: what a config may say and which models there are, from the tables that read it. */
#include "cli.h"

#include "gyre/config.h"
#include "gyre/model.h"
#include "gyre/names.h"
#include "gyre/text.h"
#include "man.h"
#include <getopt.h>
#include <string.h>

static void print_models(void) {
    for (int i = 0; gyre_model_name(i) != NULL; i++) {
        int used = printf("%-16s ", gyre_model_name(i));
        gyre_text_wrap(stdout, gyre_model_summary(i), used, used, 80);
    }
    puts("\nLosses (model.loss):");
    for (int i = 0; gyre_model_loss(i) != NULL; i++) {
        int used = printf("%-20s ", gyre_model_loss(i));
        gyre_text_wrap(stdout, gyre_model_loss_summary(i), used, used, 80);
    }
    puts("\ndocs/models.md has the models' layers, names and paddings, as PyTorch code.");
}

typedef struct {
    bool markdown, man;
} arguments;

static gyre_status unknown(const char *about, bool more) {
    const char *names[3 + CLI_COMMAND_COUNT + 1] = {"config", "models", "nodes"};
    for (int i = 0; cli_commands[i] != NULL; i++) names[i + 3] = cli_commands[i]->name;
    const char *near = gyre_name_nearest(about, names);
    return cli_usage_fail(&cli_command_help,
                          "a command, config, models or nodes was expected, found '%s'%s%s%s%s; "
                          "`gyre help` lists the commands",
                          about, more ? " and more" : "", near == NULL ? "" : "; did you mean '",
                          near == NULL ? "" : near, near == NULL ? "" : "'?");
}

/* False: there is no manual page of this name. */
static bool print_man(const char *about) {
    const cli_command *command = cli_command_named(about);
    if (about[0] == '\0')
        cli_man_list(stdout, cli_commands);
    else if (command != NULL)
        cli_man_command(stdout, command);
    else if (strcmp(about, "config") == 0)
        gyre_config_help_man(stdout);
    else
        return false;
    return true;
}

static bool print(const char *about, bool markdown) {
    if (strcmp(about, "models") == 0 && !markdown)
        print_models();
    else if (strcmp(about, "config") == 0 && markdown)
        gyre_config_help_markdown(stdout);
    else if (strcmp(about, "config") == 0)
        gyre_config_help(stdout);
    else if (strcmp(about, "nodes") == 0 && markdown)
        gyre_node_types_help_markdown(stdout);
    else if (strcmp(about, "nodes") == 0)
        gyre_node_types_help(stdout);
    else
        return false;
    return true;
}

/* `gyre help COMMAND` is in main.c, beside --help. */
static gyre_status help(int argc, char **argv) {
    arguments a = {0};
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_help, &a, NULL));
    int count = argc - optind;
    const char *about = count > 0 ? argv[optind] : "";
    bool one_form = count <= 1 && !(a.man && a.markdown);
    bool known = one_form && (a.man ? print_man(about) : print(about, a.markdown));
    return known ? cli_flush() : unknown(about, count > 1);
}

static int run(int argc, char **argv) {
    return cli_fail(help(argc, argv));
}

static const cli_form forms[] = {
    {"[COMMAND]", "p"}, {"config", "mp"}, {"nodes", "m"}, {"models", ""}, {0}};

static const cli_option options[] = {
    {.name = "COMMAND", .help = "explains a command with its options; without one, lists all"},
    {.name = "config", .help = "every key of a config with type, range, default and meaning"},
    {.name = "nodes", .help = "the nodes that networks are made of, with their options"},
    {.name = "models", .help = "the networks"},
    {.id = 'm',
     .name = "markdown",
     .at = offsetof(arguments, markdown),
     .help = "as tables, as in docs/config.md and docs/nodes.md"},
    {.id = 'p',
     .name = "man",
     .at = offsetof(arguments, man),
     .help = "as the source of a manual page, which `man -l` shows"},
    {0}};

const cli_command cli_command_help = {
    .name = "help",
    .summary = "explains a command, every config key, the models, or their nodes",
    .forms = forms,
    .options = options,
    .exits = cli_exits_reading,
    .run = run,
};
