/* A run folder as readers of a run need it: config, schedule, tables. */
#include "gyre/run_folder.h"

#include "gyre/config.h"
#include "gyre/file.h"
#include <stdlib.h>

static gyre_status open_schedule(gyre_run_content *r) {
    const gyre_settings *s = r->settings;
    return gyre_schedule_open(&s->schedule, &s->length, gyre_config_momentum(&s->optimizer), 0,
                              &r->schedule);
}

gyre_status gyre_run_content_open(const char *dir, gyre_run_content *r) {
    gyre_status status = GYRE_OK;
    *r = (gyre_run_content){0};
    char *config = gyre_path_join(dir, GYRE_CONFIG_FILE);
    char *metrics = gyre_path_join(dir, GYRE_METRICS_FILE);
    if (config == NULL || metrics == NULL) {
        status = gyre_no_memory("reading the run '%s'", dir);
        goto out;
    }
    if (!gyre_file_exists(config) || !gyre_file_exists(metrics)) {
        status = gyre_fail(GYRE_EIO,
                           "'%s' holds no rows of a run: '%s' is not there; give the folder that "
                           "`gyre train --out` wrote",
                           dir, gyre_file_exists(config) ? metrics : config);
        goto out;
    }
    GYRE_GOTO(gyre_config_open(config, NULL, 0, &r->settings));
    GYRE_GOTO(open_schedule(r));
    GYRE_GOTO(gyre_tables_read(metrics, &r->tables));
    if (r->tables.train_count == 0) {
        status =
            gyre_fail(GYRE_EIO, "the run '%s' has no steps yet; wait for its first second", dir);
    }
out:
    free(config);
    free(metrics);
    return status;
}

void gyre_run_content_close(gyre_run_content *r) {
    if (r->settings != NULL) gyre_config_close(r->settings);
    if (r->schedule != NULL) gyre_schedule_close(r->schedule);
    gyre_tables_free(&r->tables);
    *r = (gyre_run_content){0};
}
