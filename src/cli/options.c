/* Parses the options of a command into its arguments, and says what is wrong with one. */
#include "options.h"

#include "gyre/config.h"
#include "gyre/names.h"
#include "usage.h"
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the table for getopt_long */

typedef struct {
    struct option names[CLI_OPTIONS_MAX + 1];
    char letters[2 * CLI_OPTIONS_MAX + 2];
} known_options;

static known_options known_of(const cli_command *command) {
    known_options k = {.letters = ":"};
    size_t count = 0, used = 1;
    for (const cli_option *o = command->options; o->name != NULL; o++) {
        if (o->id == 0 || count == CLI_OPTIONS_MAX) continue;
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

static const cli_option *option_of(const cli_command *command, int id) {
    for (const cli_option *o = command->options; o->name != NULL; o++) {
        if (o->id != 0 && (o->id == id || o->letter == id)) return o;
    }
    return NULL;
}

/* ---- what was wrong with one */

/* The option that `name` may be meant for; NULL: none is near. */
static const char *nearest(const cli_command *command, const char *name) {
    const char *names[CLI_OPTIONS_MAX + 1] = {NULL};
    int count = 0;
    for (const cli_option *o = command->options; o->name != NULL; o++) {
        if (o->id != 0 && count < CLI_OPTIONS_MAX) names[count++] = o->name;
    }
    return gyre_name_nearest(name, names);
}

static bool has_option(const cli_command *command, const char *name) {
    const cli_option *o = command->options;
    while (o->name != NULL && (o->id == 0 || strcmp(o->name, name) != 0)) o++;
    return o->name != NULL;
}

/* The command's name of what other commands and programs call so; NULL: not a known synonym. */
static const char *name_of_synonym(const cli_command *command, const char *name) {
    static const char *const synonyms[][2] = {
        {"output", "out"},      {"output-dir", "out"}, {"outdir", "out"},   {"dir", "out"},
        {"overwrite", "force"}, {"silent", "quiet"},   {"dataset", "data"},
    };
    for (size_t i = 0; i < sizeof synonyms / sizeof *synonyms; i++) {
        if (strcmp(synonyms[i][0], name) == 0 && has_option(command, synonyms[i][1]))
            return synonyms[i][1];
    }
    return NULL;
}

/* A run and a study resume without an option. */
static bool means_resume(const cli_command *command, const char *name) {
    static const char *const synonyms[] = {"resume", "restore", "continue", "restart"};
    bool resumes = strcmp(command->name, "train") == 0 || strcmp(command->name, "study") == 0;
    for (size_t i = 0; resumes && i < sizeof synonyms / sizeof *synonyms; i++) {
        if (strcmp(synonyms[i], name) == 0) return true;
    }
    return false;
}

static gyre_status unknown(const cli_command *command, const char *given) {
    char name[64], advice[256];
    if (strncmp(given, "--", 2) != 0) {
        return cli_usage_fail(command, "unknown option '%s'", given);
    }
    snprintf(name, sizeof name, "%.*s", (int)strcspn(given + 2, "="), given + 2);
    if (means_resume(command, name)) {
        return cli_usage_fail(
            command,
            "unknown option '%s'; `gyre %s` with the same config and --out DIR resumes what "
            "DIR holds",
            given, command->name);
    }
    const char *near = name_of_synonym(command, name);
    if (near == NULL) near = nearest(command, name);
    if (near != NULL) {
        return cli_usage_fail(command, "unknown option '%s'; did you mean --%s?", given, near);
    }
    if (has_option(command, "set") && gyre_config_suggest(name, advice, sizeof advice)) {
        return cli_usage_fail(command,
                              "unknown option '%s'; %s, and --set KEY=VALUE changes a key of "
                              "the config",
                              given, advice);
    }
    return cli_usage_fail(command, "unknown option '%s'", given);
}

/* For what getopt_long gave back: ':' or '?', while optind still points behind the option. */
static gyre_status bad_option(int c, char **argv, const cli_command *command) {
    const char *given = argv[optind - 1];
    char letter[] = {'-', (char)optopt, '\0'};
    const cli_option *o = optopt == 0 ? NULL : option_of(command, optopt);
    if (c == ':') return cli_usage_fail(command, "missing value after '%s'", given);
    if (o == NULL || strncmp(given, "--", 2) != 0)
        return unknown(command, optopt == 0 ? given : letter);
    return cli_usage_fail(command, "--%s takes no value, found '%s'", o->name, given);
}

/* ---- values */

static gyre_status read_whole(const cli_option *o, const char *text, int64_t *out) {
    const long long most = (1LL << 53) - 1;
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < o->least || value > most) {
        return gyre_fail(GYRE_EUSAGE, "--%s: expected whole number >= %" PRId64 ", found '%s'",
                         o->name, o->least, text);
    }
    *out = value;
    return GYRE_OK;
}

static gyre_status read_integer(const cli_option *o, const char *text, int *out) {
    int64_t value = 0;
    GYRE_TRY(read_whole(o, text, &value));
    if (value > INT32_MAX) {
        return gyre_fail(GYRE_EUSAGE, "--%s %s: at most %d was expected", o->name, text, INT32_MAX);
    }
    *out = (int)value;
    return GYRE_OK;
}

static gyre_status read_rate(const cli_option *o, const char *text, double *out) {
    char *end = NULL;
    double x = strtod(text, &end);
    if (end == text || *end != '\0' || !(x > 0) || !isfinite(x)) {
        return gyre_fail(GYRE_EUSAGE, "--%s: expected a rate above 0, found '%s'", o->name, text);
    }
    *out = x;
    return GYRE_OK;
}

static gyre_status add_set(char *text, cli_sets *out) {
    char **more = realloc(out->items, (size_t)(out->count + 1) * sizeof *more);
    if (more == NULL) return gyre_no_memory("the arguments");
    out->items = more;
    out->items[out->count++] = text;
    return GYRE_OK;
}

static gyre_status take(const cli_option *o, char *value, void *arguments) {
    void *to = (char *)arguments + o->at;
    switch (o->kind) {
    case CLI_FLAG: *(bool *)to = true; break;
    case CLI_TEXT: *(const char **)to = value; break;
    case CLI_WHOLE: return read_whole(o, value, to);
    case CLI_INTEGER: return read_integer(o, value, to);
    case CLI_RATE: return read_rate(o, value, to);
    case CLI_SETS: return add_set(value, to);
    case CLI_OWN: return o->read(value, arguments);
    }
    return GYRE_OK;
}

gyre_status cli_options_read(int argc, char **argv, const cli_command *command, void *arguments,
                             char given[CLI_OPTIONS_MAX + 1]) {
    known_options known = known_of(command);
    char ids[CLI_OPTIONS_MAX + 1] = "";
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, known.letters, known.names, NULL)) != -1;) {
        if (c == ':' || c == '?') return bad_option(c, argv, command);
        const cli_option *o = option_of(command, c);
        if (optarg != NULL && *optarg == '\0') {
            return gyre_fail(GYRE_EUSAGE,
                             "--%s: a value (%s) was expected, found nothing; an empty shell "
                             "variable?",
                             o->name, o->value);
        }
        GYRE_TRY(take(o, optarg, arguments));
        if (strchr(ids, o->id) == NULL) ids[strlen(ids)] = o->id;
    }
    for (int i = optind; i < argc; i++) {
        if (argv[i][0] != '\0') continue;
        return cli_usage_fail(command, "an empty name was given; an empty shell variable?");
    }
    if (given != NULL) memcpy(given, ids, sizeof ids);
    return GYRE_OK;
}

gyre_status cli_one_operand(int argc, char **argv, const cli_command *command, const char *what,
                            const char **out) {
    if (argc - optind != 1) {
        return cli_usage_fail(command, "one %s was expected, found %d", what, argc - optind);
    }
    *out = argv[optind];
    return GYRE_OK;
}
