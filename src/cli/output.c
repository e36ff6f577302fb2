/* The end of what a command prints: a full disk or a closed pipe behind stdout is an error, since
 * whoever reads the output would take a part for the whole. */
#include "cli.h"

#include "gyre/text.h"
#include <stdio.h>

void gyre_cli_print_path(const char *path) {
    gyre_text_print(stdout, path, 0);
    putchar('\n');
}

gyre_status gyre_cli_flush(void) {
    if (fflush(stdout) == 0 && !ferror(stdout)) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "cannot write to stdout");
}
