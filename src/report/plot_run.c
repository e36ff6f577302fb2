/* Reads what a figure shows of a run: config, schedule, tables. */
#include "plot_run.h"

#include "gyre/config.h"
#include "gyre/file.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The last `parts` parts of a folder's real path, so that "." has a name too. */
static char *last_parts(const char *dir, int parts) {
    char *whole = realpath(dir, NULL);
    const char *text = whole == NULL ? dir : whole, *from = text + strlen(text);
    while (from > text && parts > 0) {
        from--;
        if (*from == '/') parts--;
    }
    char *name = strdup(*from == '/' && from[1] != '\0' ? from + 1 : from);
    free(whole);
    return name;
}

static bool is_shared(const gyre_plot_run *runs, int count, int index) {
    for (int i = 0; i < count; i++) {
        if (i != index && strcmp(runs[i].name, runs[index].name) == 0) return true;
    }
    return false;
}

gyre_status gyre_plot_runs_name(gyre_plot_run *runs, int count) {
    enum { DEEPEST = 8 };
    for (int parts = 2; parts <= DEEPEST; parts++) {
        bool shared[64] = {false};
        for (int i = 0; i < count && i < 64; i++) shared[i] = is_shared(runs, count, i);
        for (int i = 0; i < count && i < 64; i++) {
            if (!shared[i]) continue;
            free(runs[i].name);
            runs[i].name = last_parts(runs[i].dir, parts);
            if (runs[i].name == NULL) return gyre_no_memory("naming the runs");
        }
    }
    return GYRE_OK;
}

static gyre_status open_schedule(gyre_plot_run *r) {
    const gyre_settings *s = r->settings;
    return gyre_schedule_open(&s->schedule, &s->length, gyre_config_momentum(&s->optimizer), 0,
                              &r->schedule);
}

gyre_status gyre_plot_run_open(const char *dir, gyre_plot_run *r) {
    gyre_status status = GYRE_OK;
    *r = (gyre_plot_run){.dir = dir, .name = last_parts(dir, 1)};
    char *config = gyre_path_join(dir, "config.json");
    char *metrics = gyre_path_join(dir, "metrics.h5");
    if (r->name == NULL || config == NULL || metrics == NULL) {
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

void gyre_plot_run_close(gyre_plot_run *r) {
    free(r->name);
    if (r->settings != NULL) gyre_config_close(r->settings);
    if (r->schedule != NULL) gyre_schedule_close(r->schedule);
    gyre_tables_free(&r->tables);
    *r = (gyre_plot_run){0};
}
