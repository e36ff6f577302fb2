/* What gyre doctor finds wrong, each with what to do about it. */
#ifndef GYRE_CLI_ADVICE_H
#define GYRE_CLI_ADVICE_H

#include "machine.h"

/* Prints what is wrong with the ranks' machines m[0..ranks-1] and returns the number of things. */
int cli_advice_print(const cli_machine *m, int ranks);

#endif
