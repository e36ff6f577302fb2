/* gyre export tensorboard: a run's tables as an event file. */
#include "cli.h"
#include "export.h"
#include "gyre/events.h"
#include "gyre/file.h"
#include "gyre/run_folder.h"
#include "gyre/tensorboard.h"
#include "holds.h"
#include <stdlib.h>

/* When the run began, as its log says. */
static gyre_status began(const char *run_dir, double *seconds) {
    char *log = gyre_path_join(run_dir, GYRE_LOG_FILE);
    if (log == NULL) return gyre_no_memory("exporting '%s'", run_dir);
    gyre_status status = gyre_events_began(log, seconds);
    free(log);
    return status;
}

static gyre_status write(const char *run_dir, const char *given) {
    gyre_run_content run = {0};
    const char *dir = given == NULL ? run_dir : given;
    double seconds = 0;
    char *path = NULL;
    gyre_status status = GYRE_OK;
    GYRE_GOTO(gyre_run_content_open(run_dir, &run));
    GYRE_GOTO(began(run_dir, &seconds));
    GYRE_GOTO(gyre_dir_make(dir));
    GYRE_GOTO(gyre_tensorboard_export(&run, seconds, dir, &path));
    cli_print_path(path);
out:
    free(path);
    gyre_run_content_close(&run);
    return status;
}

const cli_export_format cli_export_tensorboard = {"tensorboard", CLI_HOLDS_RUN, write};
