/* Manual pages of the commands, from the tables that parse their options. */
#include "man.h"

#include "gyre/roff.h"
#include "usage.h"

static void print_synopsis(FILE *out, const cli_command *command) {
    gyre_roff_heading(out, "synopsis");
    for (const cli_form *form = command->forms; form->operands != NULL; form++) {
        char text[CLI_FORM_TEXT];
        cli_form_text(command, form, text);
        if (form != command->forms) fputs(".br\n", out);
        gyre_roff_text(out, text);
    }
}

static void print_options(FILE *out, const cli_command *command) {
    if (command->options->name == NULL) return;
    gyre_roff_heading(out, "options");
    for (const cli_option *o = command->options; o->name != NULL; o++) {
        char name[80], whole[90];
        cli_name_option(o, name, sizeof name);
        snprintf(whole, sizeof whole, "%s%s%.1s", name, o->letter == 0 ? "" : ", -", &o->letter);
        gyre_roff_entry(out, whole);
        gyre_roff_text(out, o->help);
    }
}

static void print_exits(FILE *out, const cli_command *command) {
    cli_exit exits[CLI_EXITS_MAX];
    int count = cli_exits(command, exits);
    gyre_roff_heading(out, "exit status");
    for (int i = 0; i < count; i++) {
        gyre_roff_entry(out, exits[i].codes);
        gyre_roff_text(out, exits[i].text);
    }
}

void cli_man_command(FILE *out, const cli_command *command) {
    char title[64];
    snprintf(title, sizeof title, "gyre-%s", command->name);
    gyre_roff_begin(out, title, 1, command->summary);
    print_synopsis(out, command);
    if (command->notes != NULL) {
        gyre_roff_heading(out, "description");
        gyre_roff_text(out, command->notes);
    }
    print_options(out, command);
    print_exits(out, command);
    gyre_roff_heading(out, "see also");
    fputs(".BR gyre (1),\n.BR gyre\\-config (5)\n", out);
}

void cli_man_list(FILE *out, const cli_command *const commands[]) {
    gyre_roff_begin(out, "gyre", 1, "trains neural networks under cyclical learning rates");
    gyre_roff_heading(out, "synopsis");
    gyre_roff_text(out,
                   "`gyre` COMMAND [ARGUMENTS]\n`mpirun -np N gyre` COMMAND [ARGUMENTS]\n`gyre "
                   "help` [COMMAND]\n`gyre --version`");
    gyre_roff_heading(out, "description");
    gyre_roff_text(out,
                   "A run is a pure function of its config and its dataset; the machine is not an "
                   "input. 1, 2 or 4 ranks give the same bits, and so does a run that was stopped "
                   "and resumed.\n\nA config is JSON with comments. `gyre help config` explains "
                   "every key, `gyre help models` lists the networks, and `gyre help` says where "
                   "docs, example configs and batch scripts lie.");
    gyre_roff_heading(out, "commands");
    for (size_t i = 0; commands[i] != NULL; i++) {
        fprintf(out, ".TP\n.BR gyre\\-%s (1)\n", commands[i]->name);
        gyre_roff_text(out, commands[i]->summary);
    }
    gyre_roff_heading(out, "see also");
    fputs(".BR gyre\\-config (5)\n", out);
}
