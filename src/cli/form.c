/* Takes the words of how a command is called apart. */
#include "form.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

bool cli_form_has_option(const cli_form *form, const cli_option *o) {
    return o->id != 0 && (form->ids == NULL || strchr(form->ids, o->id) != NULL);
}

bool cli_call_word(cli_call call, int k, char out[CLI_WORD_MAX]) {
    for (const char *at = call.form->operands; *at != '\0';) {
        int length = (int)strcspn(at, " "), bracket = *at == '[';
        int end = bracket ? (int)strcspn(at, "]") : length;
        bool repeats = length > 3 && strncmp(at + length - 3, "...", 3) == 0;
        if (!(bracket && call.shortened)) {
            if (k == 0 || repeats) {
                int dots = repeats && !bracket ? 3 : 0;
                snprintf(out, CLI_WORD_MAX, "%.*s", end - bracket - dots, at + bracket);
                return true;
            }
            k--;
        }
        at += length;
        at += strspn(at, " ");
    }
    return false;
}

bool cli_word_alternative(const char *word, int k, char out[CLI_WORD_MAX]) {
    for (; k > 0; k--) {
        word = strchr(word, '|');
        if (word == NULL) return false;
        word++;
    }
    snprintf(out, CLI_WORD_MAX, "%.*s", (int)strcspn(word, "|"), word);
    return true;
}

bool cli_word_is_literal(const char *alternative) {
    return !isupper((unsigned char)alternative[0]);
}

static bool may_be(const char *word, const char *operand) {
    char alternative[CLI_WORD_MAX];
    for (int i = 0; cli_word_alternative(word, i, alternative); i++) {
        if (!cli_word_is_literal(alternative) || strcmp(alternative, operand) == 0) return true;
    }
    return false;
}

bool cli_call_begins(cli_call call, const char *const *operands, int count) {
    char word[CLI_WORD_MAX];
    for (int i = 0; i < count; i++) {
        if (!cli_call_word(call, i, word) || !may_be(word, operands[i])) return false;
    }
    return true;
}
