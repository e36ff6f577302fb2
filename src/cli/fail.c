#include "cli.h"

#include "gyre/log.h"
#include <stdio.h>

int gyre_cli_fail(gyre_status status) {
    if (status == GYRE_EPREEMPTED) { /* a run that was asked to stop has not failed */
        fprintf(stderr, "gyre: %s\n", gyre_error_text());
    } else if (status != GYRE_OK) {
        gyre_error_print("");
    }
    return (int)status;
}
