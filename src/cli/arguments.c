#include "arguments.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>

gyre_status gyre_cli_bad_option(int c, char **argv, const gyre_command *command) {
    return gyre_fail(GYRE_EUSAGE, "%s '%s'; usage: gyre %s",
                     c == ':' ? "missing value after" : "unknown option", argv[optind - 1],
                     command->usage);
}

gyre_status gyre_cli_whole(const char *option, const char *text, int64_t least, int64_t *out) {
    const long long most = (1LL << 53) - 1;
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < least || value > most) {
        return gyre_fail(GYRE_EUSAGE, "%s: expected whole number >= %" PRId64 ", found '%s'",
                         option, least, text);
    }
    *out = value;
    return GYRE_OK;
}

gyre_status gyre_cli_sets_open(int argc, gyre_cli_sets *out) {
    *out = (gyre_cli_sets){.items = calloc((size_t)argc, sizeof *out->items)};
    return out->items != NULL ? GYRE_OK : gyre_fail(GYRE_EIO, "no memory for the arguments");
}
