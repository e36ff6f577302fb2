/* What a network gives for each sample, as CSV: a line with the sample's row in the part, its
 * label, the class of its largest output, and the outputs. Internal to src/cli. */
#ifndef GYRE_CLI_PREDICTIONS_H
#define GYRE_CLI_PREDICTIONS_H

#include "gyre/run.h"
#include <stdio.h>

typedef struct {
    const char *path;
    char *temporary;
    FILE *file;
} cli_predictions;

/* Opens a temporary file beside `path`, which a signal removes. A file of another kind at `path` is
 * refused. */
gyre_status cli_predictions_open(const char *path, cli_predictions *out);
/* A gyre_output_reader's, whose context is the cli_predictions. */
gyre_status cli_predictions_take(void *context, const gyre_evaluation *e, const gyre_outputs *o);
/* Where `status` is GYRE_OK the file becomes `path`, else it is removed; returns `status`, or why
 * that failed. Nothing is done where nothing was opened. */
gyre_status cli_predictions_close(cli_predictions *p, gyre_status status);

#endif
