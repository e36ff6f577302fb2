/* The option --weights of commands that take the weights of a checkpoint. Internal to src/cli. */
#ifndef GYRE_CLI_WEIGHTS_H
#define GYRE_CLI_WEIGHTS_H

#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>

#define CLI_WEIGHTS_VALUE "average|last|ema|swa|minima"
#define CLI_WEIGHTS_HELP                                                                           \
    "the average of the weights, of a run with average.kind, or the last weights, or one of the "  \
    "kinds that a run keeps (average.beside); without it the "                                     \
    "average where there is one"

/* Which of its weights were taken of a checkpoint: ", the average of its weights", ", its last
 * weights"; "" where it has but one kind. */
const char *cli_weights_text(bool has_average, bool averaged);

/* GYRE_EUSAGE: it is none of them. */
gyre_status cli_weights_read(const char *value, gyre_weights_choice *out);

#endif
