/* gyre export tensorboard: a run's tables as an event file. */
#include "cli.h"
#include "export.h"
#include "gyre/file.h"
#include "gyre/run_folder.h"
#include "gyre/tensorboard.h"
#include "holds.h"
#include <stdlib.h>

static gyre_status write(const char *run_dir, gyre_weights_choice weights, const char *given) {
    gyre_run_content run = {0};
    const char *dir = given == NULL ? run_dir : given;
    (void)weights;
    char *path = NULL, *log = gyre_path_join(run_dir, GYRE_LOG_FILE);
    gyre_status status = GYRE_OK;
    if (log == NULL) GYRE_GOTO(gyre_no_memory("exporting '%s'", run_dir));
    GYRE_GOTO(gyre_run_content_open(run_dir, &run));
    GYRE_GOTO(gyre_dir_make(dir));
    GYRE_GOTO(gyre_tensorboard_export(&run, log, dir, &path));
    cli_print_path(path);
out:
    free(log);
    free(path);
    gyre_run_content_close(&run);
    return status;
}

const cli_export_format cli_export_tensorboard = {"tensorboard", CLI_HOLDS_RUN, write};
