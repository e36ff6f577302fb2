/* Completes a command line from the tables that parse it: commands, operands, options, and the keys
 * and values of --set. */
#include "complete.h"

#include "cli.h"
#include "form.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/model.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* The word at the cursor: what stays, and the part that is completed. */
typedef struct {
    const char *head;
    int head_length;
    const char *part;
} cursor;

static cursor cursor_behind(cursor at, const char *part) {
    return (cursor){at.head, at.head_length + (int)(part - at.part), part};
}

static void offer(cursor at, const char *word, const char *suffix) {
    if (strncmp(word, at.part, strlen(at.part)) != 0) return;
    printf("%.*s%s%s\n", at.head_length, at.head, word, suffix);
}

static void offer_value(void *context, const char *value) {
    offer(*(const cursor *)context, value, "");
}

static void offer_key(void *context, const char *key) {
    offer(*(const cursor *)context, key, "=");
}

static void offer_commands(cursor at) {
    for (size_t i = 0; cli_commands[i] != NULL; i++) offer(at, cli_commands[i]->name, "");
}

static void offer_names(cursor at, const char *(*name)(int index)) {
    for (int i = 0; name(i) != NULL; i++) offer(at, name(i), "");
}

/* ---- operands, and values of options */

/* What stands for something else than a file; "" stands for what nobody can guess. */
static const struct {
    const char *word, *ask;
} placeholders[] = {
    {"CONFIG", ":files json"},
    {"DIR", ":folders"},
    {"RUN", ":folders"},
    {"N", ""},
    {"K", ""},
    {"R", ""},
    {"RATE", ""},
    {"FRACTION", ""},
    {"VALUE", ""},
    {"STAGE", ""},
    {"PAIR", ""},
    {"HxW", ""},
    {"HxWxC", ""},
    {"SECONDS", ""},
    {"LIST", ""},
    {"ETA", ""},
    {"CLASS", ""},
    {"W", ""},
};

static void ask_for_files(const char *word) {
    const char *dot = strrchr(word, '.');
    for (size_t i = 0; i < sizeof placeholders / sizeof *placeholders; i++) {
        if (strcmp(word, placeholders[i].word) != 0) continue;
        if (placeholders[i].ask[0] != '\0') puts(placeholders[i].ask);
        return;
    }
    printf(":files%s%s\n", dot == NULL ? "" : " ", dot == NULL ? "" : dot + 1);
}

/* The alternatives of a word of a form, or of an option's value. */
static void offer_word(cursor at, const char *word) {
    char alternative[CLI_WORD_MAX];
    for (int i = 0; cli_word_alternative(word, i, alternative); i++) {
        if (cli_word_is_literal(alternative))
            offer(at, alternative, "");
        else if (strcmp(alternative, "COMMAND") == 0)
            offer_commands(at);
        else if (strcmp(alternative, "NAME") == 0)
            offer_names(at, gyre_model_name);
        else
            ask_for_files(alternative);
    }
}

/* ---- --set KEY=VALUE */

static bool is_hidden(const char *name, const char *typed) {
    return name[0] == '.' && typed[0] != '.';
}

/* The files that a path of the config may mean: it is relative to the config's folder. */
static void offer_files(cursor at, const char *config) {
    const char *slash = strrchr(at.part, '/');
    char *folder = gyre_path_dir(config == NULL ? "" : config);
    char *typed = slash == NULL ? strdup(".") : strndup(at.part, (size_t)(slash - at.part) + 1);
    char *place = folder == NULL || typed == NULL ? NULL : gyre_path_join(folder, typed);
    DIR *dir = place == NULL ? NULL : opendir(place);
    if (slash != NULL) at = cursor_behind(at, slash + 1);
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        char *path = gyre_path_join(place, e->d_name);
        struct stat st;
        bool there = path != NULL && stat(path, &st) == 0 && !is_hidden(e->d_name, at.part);
        if (there && strchr(e->d_name, '\n') == NULL) {
            offer(at, e->d_name, S_ISDIR(st.st_mode) ? "/" : "");
        }
        free(path);
    }
    if (dir != NULL) closedir(dir);
    free(place);
    free(typed);
    free(folder);
}

static void offer_set(cursor at, const char *config) {
    const char *equals = strchr(at.part, '=');
    char key[128];
    if (equals == NULL) {
        gyre_config_each_key(offer_key, &at);
        return;
    }
    snprintf(key, sizeof key, "%.*s", (int)(equals - at.part), at.part);
    at = cursor_behind(at, equals + 1);
    bool text = gyre_config_each_value(key, offer_value, &at);
    if (strcmp(key, "model.name") == 0)
        offer_names(at, gyre_model_name);
    else if (strcmp(key, "model.loss") == 0)
        offer_names(at, gyre_model_loss);
    else if (text)
        offer_files(at, config);
}

/* ---- the words before the cursor */

typedef struct {
    const cli_command *command;
    const char *operands[16];
    int operand_count;
    const cli_option *waits; /* the option whose value the next word is; or NULL */
    char given[CLI_OPTIONS_MAX + 1];
} line;

/* The option that a word names, as --out, --out=DIR or -o. */
static const cli_option *option_of(const cli_command *command, const char *word) {
    size_t length = strcspn(word, "=");
    for (const cli_option *o = command->options; o->name != NULL; o++) {
        bool is_letter = o->letter != 0 && word[1] == o->letter && word[2] == '\0';
        bool is_name = word[1] == '-' && length == strlen(o->name) + 2 &&
                       strncmp(word + 2, o->name, length - 2) == 0;
        if (o->id != 0 && (is_letter || is_name)) return o;
    }
    return NULL;
}

static void take(line *l, const char *word) {
    const int most = sizeof l->operands / sizeof *l->operands;
    if (l->waits != NULL) {
        l->waits = NULL;
    } else if (word[0] == '-' && word[1] != '\0') {
        const cli_option *o = option_of(l->command, word);
        if (o == NULL) return;
        if (strchr(l->given, o->id) == NULL) l->given[strlen(l->given)] = o->id;
        if (o->value != NULL && !o->optional && strchr(word, '=') == NULL) l->waits = o;
    } else if (l->operand_count < most) {
        l->operands[l->operand_count++] = word;
    }
}

static void offer_option_value(const line *l, const cli_option *o, cursor at) {
    if (o->kind == CLI_SETS)
        offer_set(at, l->operand_count > 0 ? l->operands[0] : NULL);
    else
        offer_word(at, o->value);
}

/* Does the option go with a form that the operands begin? */
static bool fits(const line *l, const cli_option *o) {
    for (const cli_form *f = l->command->forms; f->operands != NULL; f++) {
        bool begins = cli_call_begins((cli_call){f, false}, l->operands, l->operand_count) ||
                      cli_call_begins((cli_call){f, true}, l->operands, l->operand_count);
        if (begins && cli_form_has_option(f, o)) return true;
    }
    return false;
}

static void offer_options(const line *l, cursor at) {
    for (const cli_option *o = l->command->options; o->name != NULL; o++) {
        char name[64];
        snprintf(name, sizeof name, "--%s", o->name);
        bool again = o->id != 0 && strchr(l->given, o->id) != NULL && !o->repeats;
        if (!again && fits(l, o)) offer(at, name, "");
    }
    offer(at, "--help", "");
}

static void offer_operand(const line *l, cursor at, cli_call call) {
    char word[CLI_WORD_MAX];
    if (!cli_call_begins(call, l->operands, l->operand_count)) return;
    if (cli_call_word(call, l->operand_count, word)) offer_word(at, word);
}

static void offer_operands(const line *l, cursor at) {
    for (const cli_form *f = l->command->forms; f->operands != NULL; f++) {
        offer_operand(l, at, (cli_call){f, false});
        if (strchr(f->operands, '[') != NULL) offer_operand(l, at, (cli_call){f, true});
    }
}

void cli_complete(int count, const char *const *words) {
    const char *last = words[count - 1], *equals = strchr(last, '=');
    cursor at = {last, 0, last};
    line l = {.command = cli_command_named(words[0])};
    if (count == 1) {
        offer_commands(at);
        if (last[0] == '-') offer(at, "--help", "");
        if (last[0] == '-') offer(at, "--version", "");
        return;
    }
    if (l.command == NULL) return;
    for (int i = 1; i < count - 1; i++) take(&l, words[i]);
    const cli_option *named = last[0] == '-' ? option_of(l.command, last) : NULL;
    if (l.waits != NULL)
        offer_option_value(&l, l.waits, at);
    else if (named != NULL && named->value != NULL && equals != NULL)
        offer_option_value(&l, named, cursor_behind(at, equals + 1));
    else if (last[0] == '-')
        offer_options(&l, at);
    else
        offer_operands(&l, at);
}
