#include "arguments.h"

#include "gyre/file.h"
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

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
    return out->items != NULL ? GYRE_OK : gyre_no_memory("the arguments");
}

gyre_status gyre_cli_metrics_of(const char *run_dir, char **out) {
    char *metrics = gyre_path_join(run_dir, "metrics.h5");
    if (metrics == NULL) return gyre_no_memory("reading '%s'", run_dir);
    if (!gyre_file_exists(metrics)) {
        gyre_status status =
            gyre_fail(GYRE_EIO,
                      "'%s' holds no rows of a run: '%s' is not there; give the folder that "
                      "`gyre train --out` wrote",
                      run_dir, metrics);
        free(metrics);
        return status;
    }
    *out = metrics;
    return GYRE_OK;
}
