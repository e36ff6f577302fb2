#include "cli.h"

#include <stdio.h>

int gyre_cli_fail(gyre_status status) {
    /* a run that was asked to stop has not failed */
    const char *prefix = status == GYRE_EPREEMPTED ? "gyre: " : "gyre: error: ";
    if (status != GYRE_OK) fprintf(stderr, "%s%s\n", prefix, gyre_error_text());
    return (int)status;
}
