#include "cli.h"

#include <stdio.h>

int gyre_cli_fail(gyre_status status) {
    if (status != GYRE_OK) fprintf(stderr, "gyre: error: %s\n", gyre_error_text());
    return (int)status;
}
