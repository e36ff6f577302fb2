#include "options.h"

#include "cli.h"
#include "gyre/config.h"
#include "gyre/names.h"
#include "gyre/text.h"
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

enum { OPTIONS_MAX = 40, WIDTH = 80, WORDS_AT = 24 };

const gyre_status gyre_cli_exits_reading[] = {GYRE_EUSAGE, GYRE_EIO, GYRE_EDEVICE, GYRE_OK};
const gyre_status gyre_cli_exits_importing[] = {GYRE_EUSAGE, GYRE_EIO, GYRE_EDEVICE,
                                                GYRE_EINTERRUPTED, GYRE_OK};
const gyre_status gyre_cli_exits_computing[] = {GYRE_EUSAGE, GYRE_EIO, GYRE_EDEVICE, GYRE_EPEER,
                                                GYRE_OK};
const gyre_status gyre_cli_exits_training[] = {GYRE_EUSAGE,       GYRE_EIO,       GYRE_EDEVICE,
                                               GYRE_EPEER,        GYRE_EDIVERGED, GYRE_EPREEMPTED,
                                               GYRE_EINTERRUPTED, GYRE_OK};

/* ---- the table for getopt_long */

typedef struct {
    struct option names[OPTIONS_MAX + 1];
    char letters[2 * OPTIONS_MAX + 2];
} known_options;

static known_options known_of(const gyre_command *command) {
    known_options k = {.letters = ":"};
    size_t count = 0, used = 1;
    for (const gyre_cli_option *o = command->options; o->name != NULL; o++) {
        if (o->id == 0 || count == OPTIONS_MAX) continue;
        int value = o->value == NULL ? no_argument
                    : o->optional    ? optional_argument
                                     : required_argument;
        k.names[count++] = (struct option){o->name, value, NULL, o->id};
        if (o->letter == 0) continue;
        k.letters[used++] = o->letter;
        if (o->value != NULL) k.letters[used++] = ':';
    }
    return k;
}

static const gyre_cli_option *option_of(const gyre_command *command, int id) {
    for (const gyre_cli_option *o = command->options; o->name != NULL; o++) {
        if (o->id != 0 && (o->id == id || o->letter == id)) return o;
    }
    return NULL;
}

/* ---- what was wrong with one */

/* The option that `name` may be meant for; NULL: none is near. */
static const char *nearest(const gyre_command *command, const char *name) {
    const char *names[OPTIONS_MAX + 1] = {NULL};
    int count = 0;
    for (const gyre_cli_option *o = command->options; o->name != NULL; o++) {
        if (o->id != 0 && count < OPTIONS_MAX) names[count++] = o->name;
    }
    return gyre_name_nearest(name, names);
}

static bool has_option(const gyre_command *command, const char *name) {
    const gyre_cli_option *o = command->options;
    while (o->name != NULL && (o->id == 0 || strcmp(o->name, name) != 0)) o++;
    return o->name != NULL;
}

/* What other commands and other programs call it; NULL: nothing is known of that kind. */
static const char *other_word(const gyre_command *command, const char *name) {
    static const char *const words[][2] = {
        {"output", "out"},      {"output-dir", "out"}, {"outdir", "out"},   {"dir", "out"},
        {"overwrite", "force"}, {"silent", "quiet"},   {"dataset", "data"},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i][0], name) == 0 && has_option(command, words[i][1])) return words[i][1];
    }
    return NULL;
}

/* A run and a study need no word for it. */
static bool means_resume(const gyre_command *command, const char *name) {
    static const char *const words[] = {"resume", "restore", "continue", "restart"};
    bool resumes = strcmp(command->name, "train") == 0 || strcmp(command->name, "study") == 0;
    for (size_t i = 0; resumes && i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i], name) == 0) return true;
    }
    return false;
}

static gyre_status unknown(const gyre_command *command, const char *given) {
    char name[64], advice[256];
    if (strncmp(given, "--", 2) != 0) {
        return gyre_cli_usage_fail(command, "unknown option '%s'", given);
    }
    snprintf(name, sizeof name, "%.*s", (int)strcspn(given + 2, "="), given + 2);
    if (means_resume(command, name)) {
        return gyre_cli_usage_fail(
            command,
            "unknown option '%s'; `gyre %s` with the same config and --out DIR resumes what "
            "DIR holds",
            given, command->name);
    }
    const char *near = other_word(command, name);
    if (near == NULL) near = nearest(command, name);
    if (near != NULL) {
        return gyre_cli_usage_fail(command, "unknown option '%s'; did you mean --%s?", given, near);
    }
    if (has_option(command, "set") && gyre_config_suggest(name, advice, sizeof advice)) {
        return gyre_cli_usage_fail(command,
                                   "unknown option '%s'; %s, and --set KEY=VALUE changes a key of "
                                   "the config",
                                   given, advice);
    }
    return gyre_cli_usage_fail(command, "unknown option '%s'", given);
}

/* For what getopt_long gave back: ':' or '?', while optind still points behind the option. */
static gyre_status bad_option(int c, char **argv, const gyre_command *command) {
    const char *given = argv[optind - 1];
    char letter[] = {'-', (char)optopt, '\0'};
    const gyre_cli_option *o = optopt == 0 ? NULL : option_of(command, optopt);
    if (c == ':') return gyre_cli_usage_fail(command, "missing value after '%s'", given);
    if (o == NULL || strncmp(given, "--", 2) != 0)
        return unknown(command, optopt == 0 ? given : letter);
    return gyre_cli_usage_fail(command, "--%s takes no value, found '%s'", o->name, given);
}

gyre_status gyre_cli_options_read(int argc, char **argv, const gyre_command *command,
                                  gyre_status (*take)(void *to, int id, char *value), void *to) {
    known_options known = known_of(command);
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, known.letters, known.names, NULL)) != -1;) {
        if (c == ':' || c == '?') return bad_option(c, argv, command);
        const gyre_cli_option *o = option_of(command, c);
        if (optarg != NULL && *optarg == '\0') {
            return gyre_fail(GYRE_EUSAGE,
                             "--%s: a value (%s) was expected, found nothing; an empty shell "
                             "variable?",
                             o->name, o->value);
        }
        GYRE_TRY(take(to, o->id, optarg));
    }
    for (int i = optind; i < argc; i++) {
        if (argv[i][0] != '\0') continue;
        return gyre_cli_usage_fail(command, "an empty name was given; an empty shell variable?");
    }
    return GYRE_OK;
}

/* ---- how a command is called */

static bool goes_with(const gyre_cli_form *form, const gyre_cli_option *o) {
    return o->id != 0 && (form->ids == NULL || strchr(form->ids, o->id) != NULL);
}

/* "--out DIR", "--hash[=KIND]", or an operand. */
static void name_option(const gyre_cli_option *o, char *out, size_t size) {
    snprintf(out, size, "%s%s%s%s%s", o->id == 0 ? "" : "--", o->name,
             o->value == NULL ? ""
             : o->optional    ? "[="
                              : " ",
             o->value == NULL ? "" : o->value, o->optional ? "]" : "");
}

static void print_option(FILE *out, const gyre_cli_option *o) {
    char name[80];
    name_option(o, name, sizeof name);
    fprintf(out, " %s%s%s%s", o->required ? "" : "[", name, o->required ? "" : "]",
            o->repeats ? "..." : "");
}

/* "train CONFIG --out DIR [OPTIONS]", or with every option. */
static void print_form(FILE *out, const gyre_command *command, const gyre_cli_form *form,
                       bool all) {
    bool more = false;
    fprintf(out, "gyre %s%s%s", command->name, *form->operands == '\0' ? "" : " ", form->operands);
    for (const gyre_cli_option *o = command->options; o->name != NULL; o++) {
        if (!goes_with(form, o)) continue;
        if (all || o->required)
            print_option(out, o);
        else
            more = true;
    }
    if (more) fputs(" [OPTIONS]", out);
}

gyre_status gyre_cli_usage_fail(const gyre_command *command, const char *format, ...) {
    char words[GYRE_ERROR_MAX], usage[GYRE_ERROR_MAX] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof words, format, args);
    va_end(args);
    FILE *f = fmemopen(usage, sizeof usage, "w");
    for (const gyre_cli_form *form = command->forms; f != NULL && form->operands != NULL; form++) {
        if (form != command->forms) fputs(" | ", f);
        print_form(f, command, form, false);
    }
    if (f != NULL) fclose(f);
    return gyre_fail(GYRE_EUSAGE, "%s; usage: %s; `gyre help %s` explains it", words, usage,
                     command->name);
}

gyre_status gyre_cli_one_operand(int argc, const gyre_command *command, const char *what) {
    if (argc - optind == 1) return GYRE_OK;
    return gyre_cli_usage_fail(command, "one %s was expected, found %d", what, argc - optind);
}

/* ---- gyre help */

static void print_usage(FILE *out, const gyre_command *command) {
    for (const gyre_cli_form *form = command->forms; form->operands != NULL; form++) {
        char text[2048] = "";
        FILE *f = fmemopen(text, sizeof text, "w");
        if (f == NULL) return;
        print_form(f, command, form, true);
        fclose(f);
        fputs(form == command->forms ? "usage: " : "       ", out);
        gyre_text_wrap(out, text, 7, 11, WIDTH);
    }
}

static void print_words(FILE *out, const char *name, const char *words) {
    int used = fprintf(out, "  %s", name);
    if (used > WORDS_AT - 2) {
        fputc('\n', out);
        used = 0;
    }
    fprintf(out, "%*s", WORDS_AT - used, "");
    gyre_text_wrap(out, words, WORDS_AT, WORDS_AT, WIDTH);
}

static void print_options(FILE *out, const gyre_command *command) {
    for (const gyre_cli_option *o = command->options; o->name != NULL; o++) {
        char name[80], whole[90];
        name_option(o, name, sizeof name);
        snprintf(whole, sizeof whole, "%s%s%.1s", name, o->letter == 0 ? "" : ", -", &o->letter);
        print_words(out, whole, o->words);
    }
}

void gyre_cli_explain(FILE *out, const gyre_command *command) {
    print_usage(out, command);
    fputc('\n', out);
    gyre_text_wrap(out, command->words, 0, 0, WIDTH);
    if (command->options->name != NULL) {
        fputc('\n', out);
        print_options(out, command);
    }
    if (command->more != NULL) {
        fputc('\n', out);
        gyre_text_wrap(out, command->more, 0, 0, WIDTH);
    }
    bool on_ranks = false;
    fputs("\nexit codes:\n", out);
    print_words(out, "0", gyre_status_text(GYRE_OK));
    for (const gyre_status *code = command->exits; *code != GYRE_OK; code++) {
        char number[8];
        snprintf(number, sizeof number, "%d", (int)*code);
        print_words(out, number, gyre_status_text(*code));
        on_ranks = on_ranks || *code == GYRE_EPEER;
    }
    if (!on_ranks) return;
    print_words(out, "137, 205",
                "mpirun's: a rank was killed (out of memory, as a rule); a node is "
                "gone");
    print_words(out, "1", "mpirun's: Ctrl-C or TERM stopped mpirun itself");
}

void gyre_cli_list(FILE *out) {
    fputs("usage: gyre COMMAND [ARGUMENTS]\n\n", out);
    for (size_t i = 0; gyre_commands[i] != NULL; i++) {
        int used = fprintf(out, "  %s", gyre_commands[i]->name);
        fprintf(out, "%*s", 12 - used, "");
        gyre_text_wrap(out, gyre_commands[i]->words, 12, 12, WIDTH);
    }
    fputs("\n`gyre help COMMAND` explains a command and its options.\n", out);
}
