/* How a command is called, what its options do and which exit codes it has, from its table. */
#include "usage.h"

#include "form.h"
#include "gyre/place.h"
#include "gyre/text.h"
#include <stdarg.h>
#include <string.h>

enum { WIDTH = 80, HELP_AT = 24 };

/* ---- how a command is called */

void cli_name_option(const cli_option *o, char *out, size_t size) {
    snprintf(out, size, "%s%s%s%s%s", o->id == 0 ? "" : "--", o->name,
             o->value == NULL ? ""
             : o->optional    ? "[="
                              : " ",
             o->value == NULL ? "" : o->value, o->optional ? "]" : "");
}

static void print_option(FILE *out, const cli_option *o) {
    char name[80];
    cli_name_option(o, name, sizeof name);
    fprintf(out, " %s%s%s%s", o->required ? "" : "[", name, o->required ? "" : "]",
            o->repeats ? "..." : "");
}

static void print_form(FILE *out, const cli_command *command, const cli_form *form, bool all) {
    bool more = false;
    fprintf(out, "gyre %s%s%s", command->name, *form->operands == '\0' ? "" : " ", form->operands);
    for (const cli_option *o = command->options; o->name != NULL; o++) {
        if (!cli_form_has_option(form, o)) continue;
        if (all || o->required)
            print_option(out, o);
        else
            more = true;
    }
    if (more) fputs(" [OPTIONS]", out);
}

gyre_status cli_usage_fail(const cli_command *command, const char *format, ...) {
    char message[GYRE_ERROR_MAX], usage[GYRE_ERROR_MAX] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    FILE *f = fmemopen(usage, sizeof usage, "w");
    for (const cli_form *form = command->forms; f != NULL && form->operands != NULL; form++) {
        if (form != command->forms) fputs(" | ", f);
        print_form(f, command, form, false);
    }
    if (f != NULL) fclose(f);
    return gyre_fail(GYRE_EUSAGE, "%s; usage: %s; `gyre help %s` explains it", message, usage,
                     command->name);
}

void cli_form_text(const cli_command *command, const cli_form *form, char out[CLI_FORM_TEXT]) {
    FILE *f = fmemopen(out, CLI_FORM_TEXT, "w");
    out[0] = '\0';
    if (f == NULL) return;
    print_form(f, command, form, true);
    fclose(f);
}

/* ---- gyre help */

static void print_usage(FILE *out, const cli_command *command) {
    for (const cli_form *form = command->forms; form->operands != NULL; form++) {
        char text[CLI_FORM_TEXT];
        cli_form_text(command, form, text);
        fputs(form == command->forms ? "usage: " : "       ", out);
        gyre_text_wrap(out, text, 7, 11, WIDTH);
    }
}

static void print_help(FILE *out, const char *name, const char *help) {
    int used = fprintf(out, "  %s", name);
    if (used > HELP_AT - 2) {
        fputc('\n', out);
        used = 0;
    }
    fprintf(out, "%*s", HELP_AT - used, "");
    gyre_text_wrap(out, help, HELP_AT, HELP_AT, WIDTH);
}

static void print_options(FILE *out, const cli_command *command) {
    for (const cli_option *o = command->options; o->name != NULL; o++) {
        char name[80], whole[90];
        cli_name_option(o, name, sizeof name);
        snprintf(whole, sizeof whole, "%s%s%.1s", name, o->letter == 0 ? "" : ", -", &o->letter);
        print_help(out, whole, o->help);
    }
}

int cli_exits(const cli_command *command, cli_exit out[CLI_EXITS_MAX]) {
    int count = 0;
    bool on_ranks = false;
    out[count++] = (cli_exit){"0", gyre_status_text(GYRE_OK)};
    for (const gyre_status *code = command->exits; *code != GYRE_OK; code++) {
        out[count] = (cli_exit){"", gyre_status_text(*code)};
        snprintf(out[count].codes, sizeof out[count].codes, "%d", (int)*code);
        count++;
        on_ranks = on_ranks || *code == GYRE_EPEER;
    }
    if (!on_ranks) return count;
    out[count++] = (cli_exit){
        "137, 205", "mpirun's: a rank was killed (out of memory, as a rule); a node is gone"};
    out[count++] = (cli_exit){"1", "mpirun's: Ctrl-C or TERM stopped mpirun itself"};
    return count;
}

void cli_explain(FILE *out, const cli_command *command) {
    print_usage(out, command);
    fputc('\n', out);
    gyre_text_wrap(out, command->summary, 0, 0, WIDTH);
    if (command->options->name != NULL) {
        fputc('\n', out);
        print_options(out, command);
    }
    if (command->notes != NULL) {
        fputc('\n', out);
        gyre_text_wrap(out, command->notes, 0, 0, WIDTH);
    }
    cli_exit exits[CLI_EXITS_MAX];
    int count = cli_exits(command, exits);
    fputs("\nexit codes:\n", out);
    for (int i = 0; i < count; i++) print_help(out, exits[i].codes, exits[i].text);
}

/* The folder of what messages and docs name by `file`. */
static void print_place(FILE *out, const char *what, const char *file) {
    char folder[4096];
    if (!gyre_place_find(file, folder, sizeof folder)) return;
    fprintf(out, "%s ", what);
    gyre_text_print(out, folder, 0);
    fprintf(out, "/%.*s\n", (int)strcspn(file, "/"), file);
}

void cli_list(FILE *out, const cli_command *const commands[]) {
    fputs("usage: gyre COMMAND [ARGUMENTS]\n\n", out);
    for (size_t i = 0; commands[i] != NULL; i++) {
        int used = fprintf(out, "  %s", commands[i]->name);
        fprintf(out, "%*s", 12 - used, "");
        gyre_text_wrap(out, commands[i]->summary, 12, 12, WIDTH);
    }
    fputs("\n`gyre help COMMAND` explains a command and its options.\n", out);
    print_place(out, "Docs are in", "docs/config.md");
    print_place(out, "Example configs are in", "configs/demo.json");
    print_place(out, "Batch scripts are in", "slurm/study.sh");
}
