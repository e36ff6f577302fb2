/* Appending to log.jsonl; see events.h. */
#include "events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct gyre_events {
    FILE *file;
    char *path;
};

gyre_status gyre_events_open(const char *path, struct gyre_events **out) {
    *out = NULL;
    if (path == NULL) return GYRE_OK;
    struct gyre_events *e = calloc(1, sizeof *e);
    if (e != NULL) e->path = strdup(path);
    if (e == NULL || e->path == NULL) {
        free(e);
        return gyre_fail(GYRE_EDEVICE, "no memory for '%s'", path);
    }
    e->file = fopen(path, "ae");
    if (e->file == NULL) {
        gyre_status status = gyre_fail(GYRE_EIO, "cannot write '%s': %s", path, strerror(errno));
        free(e->path);
        free(e);
        return status;
    }
    *out = e;
    return GYRE_OK;
}

void gyre_events_close(struct gyre_events *e) {
    if (e == NULL) return;
    fclose(e->file); /* each event was flushed and checked */
    free(e->path);
    free(e);
}

gyre_json *gyre_event_begin(struct gyre_events *e, const char *name) {
    char text[40];
    time_t now = time(NULL);
    struct tm utc;
    if (e == NULL) return NULL;
    gmtime_r(&now, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    gyre_json *line = gyre_json_line_begin();
    if (line == NULL) return NULL;
    gyre_json_line_text(line, "time", text);
    gyre_json_line_text(line, "event", name);
    return line;
}

gyre_status gyre_event_end(struct gyre_events *e, gyre_json *line) {
    if (e == NULL) return GYRE_OK;
    char *text = line == NULL ? NULL : gyre_json_line_end(line);
    if (text == NULL) return gyre_fail(GYRE_EDEVICE, "no memory for a line of '%s'", e->path);
    bool ok = fprintf(e->file, "%s\n", text) >= 0 && fflush(e->file) == 0;
    free(text);
    return ok ? GYRE_OK : gyre_fail(GYRE_EIO, "cannot write '%s': %s", e->path, strerror(errno));
}
