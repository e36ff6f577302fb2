/* Runs as figures name them; see plot_run.h. */
#include "plot_run.h"

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

static bool is_shared(const report_run *runs, int count, int index) {
    for (int i = 0; i < count; i++) {
        if (i != index && strcmp(runs[i].name, runs[index].name) == 0) return true;
    }
    return false;
}

gyre_status report_runs_name(report_run *runs, int count) {
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

gyre_status report_runs_units(const report_run *runs, int count, const gyre_metric **metric,
                              char loss_unit[REPORT_UNIT_MAX]) {
    report_losses losses = {.count = 0};
    *metric = runs[0].content.tables.metric;
    for (int i = 0; i < count; i++) {
        const gyre_run_content *c = &runs[i].content;
        report_losses_add(&losses, c->settings->model.loss);
        if (gyre_metric_same(*metric, c->tables.metric)) continue;
        return gyre_fail(GYRE_EUSAGE,
                         "'%s' is judged by its %s, but '%s' by its %s; draw them in figures of "
                         "their own",
                         runs[i].dir, gyre_metric_prose(c->tables.metric).text, runs[0].dir,
                         gyre_metric_prose(*metric).text);
    }
    report_losses_unit(&losses, loss_unit);
    return GYRE_OK;
}

gyre_status report_run_open(const char *dir, report_run *r) {
    *r = (report_run){.dir = dir, .name = last_parts(dir, 1)};
    if (r->name == NULL) return gyre_no_memory("reading the run '%s'", dir);
    return gyre_run_content_open(dir, &r->content);
}

void report_run_close(report_run *r) {
    free(r->name);
    gyre_run_content_close(&r->content);
    *r = (report_run){0};
}
