/* gyre help: what a config may say and which models there are, from the tables that read it. */
#include "cli.h"

#include "gyre/config.h"
#include "gyre/model.h"
#include "gyre/names.h"
#include "gyre/text.h"
#include <getopt.h>
#include <string.h>

static void print_models(void) {
    for (int i = 0; gyre_model_name(i) != NULL; i++) {
        int used = printf("%-16s ", gyre_model_name(i));
        gyre_text_wrap(stdout, gyre_model_words(i), used, used, 80);
    }
    puts("docs/models.md has their layers, names and paddings, as PyTorch code.");
}

static gyre_status take(void *to, int id, char *value) {
    (void)id;
    (void)value;
    *(bool *)to = true;
    return GYRE_OK;
}

static gyre_status unknown(const char *about, bool more) {
    const char *names[32] = {"config", "models"};
    for (int i = 0; gyre_commands[i] != NULL; i++) names[i + 2] = gyre_commands[i]->name;
    const char *near = gyre_name_nearest(about, names);
    return gyre_cli_usage_fail(&gyre_command_help,
                               "a command, config or models was expected, found '%s'%s%s%s%s; "
                               "`gyre help` lists the commands",
                               about, more ? " and more" : "",
                               near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                               near == NULL ? "" : "'?");
}

/* `gyre help COMMAND` is in main.c, beside --help. */
static gyre_status help(int argc, char **argv) {
    bool markdown = false;
    GYRE_TRY(gyre_cli_options_read(argc, argv, &gyre_command_help, take, &markdown));
    const char *about = argc - optind == 1 ? argv[optind] : "";
    if (strcmp(about, "models") == 0 && !markdown)
        print_models();
    else if (strcmp(about, "config") == 0 && markdown)
        gyre_config_help_markdown(stdout);
    else if (strcmp(about, "config") == 0)
        gyre_config_help(stdout);
    else
        return unknown(argc > optind ? argv[optind] : "", argc - optind > 1);
    return gyre_cli_flush();
}

static int run(int argc, char **argv) {
    return gyre_cli_fail(help(argc, argv));
}

static const gyre_cli_form forms[] = {{"[COMMAND]", ""}, {"config", NULL}, {"models", ""}, {0}};

static const gyre_cli_option options[] = {
    {.name = "COMMAND", .words = "explains a command with its options; without one, lists all"},
    {.name = "config", .words = "every key of a config with type, range, default and meaning"},
    {.name = "models", .words = "the networks"},
    {.id = 'm', .name = "markdown", .words = "the keys as tables, as in docs/config.md"},
    {0}};

const gyre_command gyre_command_help = {
    .name = "help",
    .words = "explains a command, every config key, or the models",
    .forms = forms,
    .options = options,
    .exits = gyre_cli_exits_reading,
    .run = run,
};
