/* The outputs of an evaluation as CSV. Internal to src/cli. */
#ifndef GYRE_CLI_PREDICTIONS_H
#define GYRE_CLI_PREDICTIONS_H

#include "gyre/run.h"

/* Before long work: whether the file can be written and holds nothing else. */
gyre_status cli_predictions_check(const char *path);
/* A line for each sample: its row in the part, its label, the class of its largest output, and the
 * outputs. */
gyre_status cli_predictions_write(const char *path, const gyre_evaluation *e);

#endif
