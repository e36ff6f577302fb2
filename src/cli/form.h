/* The words of how a command is called: "import cifar|idx DIR" has three, of which "cifar|idx" is
 * two alternatives. A word in capitals stands for something, any other is typed as it is. A word in
 * brackets may be left out. Internal to src/cli. */
#ifndef GYRE_CLI_FORM_H
#define GYRE_CLI_FORM_H

#include "command.h"

enum { CLI_WORD_MAX = 48 };

/* Does the option go with this way to call the command? Not an operand. */
bool cli_form_has_option(const cli_form *form, const cli_option *o);

/* A form, with the words in brackets or without. */
typedef struct {
    const cli_form *form;
    bool shortened;
} cli_call;

/* The k-th word of a call, without brackets and dots; past the end the last one where it may repeat
 * ("RUN..."). False: there is none. */
bool cli_call_word(cli_call call, int k, char out[CLI_WORD_MAX]);

/* The k-th alternative of a word, as of an option's value. False past the end. */
bool cli_word_alternative(const char *word, int k, char out[CLI_WORD_MAX]);

/* Is an alternative typed as it is? */
bool cli_word_is_literal(const char *alternative);

/* May `count` operands stand at the beginning of the call? */
bool cli_call_begins(cli_call call, const char *const *operands, int count);

#endif
