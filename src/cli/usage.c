/* How a command is called, what its options do and which exit codes it has, from its table. */
#include "usage.h"

#include "gyre/text.h"
#include <stdarg.h>
#include <string.h>

enum { WIDTH = 80, HELP_AT = 24 };

/* ---- how a command is called */

static bool goes_with(const cli_form *form, const cli_option *o) {
    return o->id != 0 && (form->ids == NULL || strchr(form->ids, o->id) != NULL);
}

/* "--out DIR", "--hash[=KIND]", or an operand. */
static void name_option(const cli_option *o, char *out, size_t size) {
    snprintf(out, size, "%s%s%s%s%s", o->id == 0 ? "" : "--", o->name,
             o->value == NULL ? ""
             : o->optional    ? "[="
                              : " ",
             o->value == NULL ? "" : o->value, o->optional ? "]" : "");
}

static void print_option(FILE *out, const cli_option *o) {
    char name[80];
    name_option(o, name, sizeof name);
    fprintf(out, " %s%s%s%s", o->required ? "" : "[", name, o->required ? "" : "]",
            o->repeats ? "..." : "");
}

/* "train CONFIG --out DIR [OPTIONS]", or with every option. */
static void print_form(FILE *out, const cli_command *command, const cli_form *form, bool all) {
    bool more = false;
    fprintf(out, "gyre %s%s%s", command->name, *form->operands == '\0' ? "" : " ", form->operands);
    for (const cli_option *o = command->options; o->name != NULL; o++) {
        if (!goes_with(form, o)) continue;
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

/* ---- gyre help */

static void print_usage(FILE *out, const cli_command *command) {
    for (const cli_form *form = command->forms; form->operands != NULL; form++) {
        char text[2048] = "";
        FILE *f = fmemopen(text, sizeof text, "w");
        if (f == NULL) return;
        print_form(f, command, form, true);
        fclose(f);
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
        name_option(o, name, sizeof name);
        snprintf(whole, sizeof whole, "%s%s%.1s", name, o->letter == 0 ? "" : ", -", &o->letter);
        print_help(out, whole, o->help);
    }
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
    bool on_ranks = false;
    fputs("\nexit codes:\n", out);
    print_help(out, "0", gyre_status_text(GYRE_OK));
    for (const gyre_status *code = command->exits; *code != GYRE_OK; code++) {
        char number[8];
        snprintf(number, sizeof number, "%d", (int)*code);
        print_help(out, number, gyre_status_text(*code));
        on_ranks = on_ranks || *code == GYRE_EPEER;
    }
    if (!on_ranks) return;
    print_help(out, "137, 205",
               "mpirun's: a rank was killed (out of memory, as a rule); a node is "
               "gone");
    print_help(out, "1", "mpirun's: Ctrl-C or TERM stopped mpirun itself");
}

void cli_list(FILE *out, const cli_command *const commands[]) {
    fputs("usage: gyre COMMAND [ARGUMENTS]\n\n", out);
    for (size_t i = 0; commands[i] != NULL; i++) {
        int used = fprintf(out, "  %s", commands[i]->name);
        fprintf(out, "%*s", 12 - used, "");
        gyre_text_wrap(out, commands[i]->summary, 12, 12, WIDTH);
    }
    fputs("\n`gyre help COMMAND` explains a command and its options.\n", out);
}
