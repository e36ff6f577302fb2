/* A figure of runs under way, drawn again as they grow. Internal to src/cli. */
#ifndef GYRE_CLI_FOLLOW_H
#define GYRE_CLI_FOLLOW_H

#include "gyre/status.h"

/* Draws `output`, waits `seconds`, and draws it again where a run has new rows, until no process
 * works in any of the folders. Prints the path when the figure is there first. GYRE_EINTERRUPTED: a
 * signal came. */
gyre_status cli_follow(char *const *runs, int count, const char *output, int seconds);

#endif
