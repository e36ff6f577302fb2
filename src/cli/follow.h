/* A figure of runs under way, drawn again as they grow. Internal to src/cli. */
#ifndef GYRE_CLI_FOLLOW_H
#define GYRE_CLI_FOLLOW_H

#include "gyre/status.h"

/* Waits until every run has begun, with a line on stderr that names the one that it waits for; one
 * whose folder is there is not waited for. GYRE_EINTERRUPTED: a signal came. */
gyre_status cli_follow_await(char *const *runs, int count);
/* Draws `output`, waits `seconds`, and draws it again where a run has new rows, until no process
 * works in any of the folders. Prints the path when the figure is there first. GYRE_EINTERRUPTED: a
 * signal came. */
gyre_status cli_follow(char *const *runs, int count, const char *output, int seconds);

#endif
