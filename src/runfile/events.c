/* Appending to log.jsonl; see gyre/events.h. */
#include "gyre/events.h"

#include "gyre/file.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct gyre_events {
    FILE *file;
    char *path;
};

gyre_status gyre_events_open(const char *path, gyre_events **out) {
    *out = NULL;
    if (path == NULL) return GYRE_OK;
    gyre_events *e = calloc(1, sizeof *e);
    if (e != NULL) e->path = strdup(path);
    if (e == NULL || e->path == NULL) {
        free(e);
        return gyre_no_memory("'%s'", path);
    }
    gyre_status status = gyre_file_stream(path, true, &e->file);
    if (status != GYRE_OK) {
        free(e->path);
        free(e);
        return status;
    }
    *out = e;
    return GYRE_OK;
}

void gyre_events_close(gyre_events *e) {
    if (e == NULL) return;
    fclose(e->file); /* each event was flushed and checked */
    free(e->path);
    free(e);
}

gyre_json *gyre_event_begin(gyre_events *e, const char *name) {
    char text[40];
    time_t now = time(NULL);
    struct tm utc;
    if (e == NULL) return NULL;
    gmtime_r(&now, &utc);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    gyre_json *line = gyre_json_begin();
    if (line == NULL) return NULL;
    gyre_json_add_text(line, "time", text);
    gyre_json_add_text(line, "event", name);
    return line;
}

gyre_status gyre_event_end(gyre_events *e, gyre_json *line) {
    if (e == NULL) return GYRE_OK;
    char *text = line == NULL ? NULL : gyre_json_end(line);
    if (text == NULL) return gyre_no_memory("a line of '%s'", e->path);
    bool ok = fprintf(e->file, "%s\n", text) >= 0 && fflush(e->file) == 0;
    free(text);
    return ok ? GYRE_OK : gyre_fail(GYRE_EIO, "cannot write '%s': %s", e->path, strerror(errno));
}

/* *completed gets the updates that a line says were saved, when they are more. */
static gyre_status read_line(const char *line, int64_t *completed) {
    gyre_json_value *v = NULL;
    if (strstr(line, "checkpoint") == NULL && strstr(line, "\"end\"") == NULL) return GYRE_OK;
    gyre_status status = gyre_json_parse(line, "log.jsonl", &v);
    if (status == GYRE_EUSAGE) return GYRE_OK; /* cut off */
    GYRE_TRY(status);
    const char *event = gyre_json_text(gyre_json_get(v, "event"));
    double step = gyre_json_number(gyre_json_get(v, "step"));
    double code = gyre_json_number(gyre_json_get(v, "code"));
    const gyre_json_value *best = gyre_json_get(v, "best_only");
    bool written = event != NULL && strcmp(event, "checkpoint") == 0 &&
                   (best == NULL || !gyre_json_is_true(best));
    bool ended =
        event != NULL && strcmp(event, "end") == 0 && (code == GYRE_OK || code == GYRE_EPREEMPTED);
    if ((written || ended) && step > (double)*completed && step < 0x1p53) {
        *completed = (int64_t)step;
    }
    gyre_json_close(v);
    return GYRE_OK;
}

static gyre_status unreadable(const char *path) {
    return gyre_fail(errno == ENOMEM ? GYRE_EDEVICE : GYRE_EIO, "cannot read '%s': %s", path,
                     strerror(errno));
}

gyre_status gyre_events_checkpoint(const char *path, int64_t *completed, bool *found) {
    gyre_status status = GYRE_OK;
    char *line = NULL;
    size_t room = 0;
    *completed = 0;
    FILE *f = NULL;
    *found = gyre_file_exists(path);
    if (!*found) return GYRE_OK;
    GYRE_TRY(gyre_file_stream(path, false, &f));
    errno = 0;
    while (status == GYRE_OK && getline(&line, &room, f) > 0) status = read_line(line, completed);
    if (status == GYRE_OK && !feof(f)) {
        status = unreadable(path);
    }
    free(line);
    fclose(f);
    return status;
}

/* The time of a line as gyre_event_begin writes it; 0: it has none. */
static double time_of(const gyre_json_value *v) {
    struct tm utc = {0};
    const char *text = gyre_json_text(gyre_json_get(v, "time"));
    const char *end = text == NULL ? NULL : strptime(text, "%Y-%m-%dT%H:%M:%SZ", &utc);
    time_t t = end == NULL || *end != '\0' ? 0 : timegm(&utc);
    return t > 0 ? (double)t : 0;
}

static gyre_status read_time(const char *line, double *seconds) {
    gyre_json_value *v = NULL;
    gyre_status status = gyre_json_parse(line, "log.jsonl", &v);
    if (status == GYRE_EUSAGE) return GYRE_OK; /* cut off */
    GYRE_TRY(status);
    *seconds = time_of(v);
    gyre_json_close(v);
    return GYRE_OK;
}

gyre_status gyre_events_began(const char *path, double *seconds) {
    char *line = NULL;
    size_t room = 0;
    FILE *f = NULL;
    *seconds = 0;
    if (!gyre_file_exists(path)) return GYRE_OK;
    GYRE_TRY(gyre_file_stream(path, false, &f));
    gyre_status status = getline(&line, &room, f) > 0 ? read_time(line, seconds) : GYRE_OK;
    free(line);
    fclose(f);
    return status;
}

/* ---- scores of the test part */

typedef struct {
    const gyre_metric *metric;
    gyre_test_row *rows;
    size_t count;
} test_list;

static gyre_status add_test(test_list *l, const gyre_json_value *v) {
    const char *event = gyre_json_text(gyre_json_get(v, "event"));
    double step = gyre_json_number(gyre_json_get(v, "step"));
    if (event == NULL || strcmp(event, "test") != 0 || !(step >= 0 && step < 0x1p53)) {
        return GYRE_OK;
    }
    gyre_test_row *longer = realloc(l->rows, (l->count + 1) * sizeof *longer);
    if (longer == NULL) return gyre_no_memory("the scores of log.jsonl");
    l->rows = longer;
    longer[l->count++] =
        (gyre_test_row){.step = (int64_t)step,
                        .loss = gyre_json_number(gyre_json_get(v, "loss")),
                        .metric = gyre_json_number(gyre_json_get(v, l->metric->name)),
                        .time = time_of(v)};
    return GYRE_OK;
}

static gyre_status read_test(const char *line, test_list *l) {
    gyre_json_value *v = NULL;
    if (strstr(line, "\"test\"") == NULL) return GYRE_OK;
    gyre_status status = gyre_json_parse(line, "log.jsonl", &v);
    if (status == GYRE_EUSAGE) return GYRE_OK; /* cut off */
    if (status == GYRE_OK) status = add_test(l, v);
    gyre_json_close(v);
    return status;
}

gyre_status gyre_events_tests(const char *path, const gyre_metric *metric, gyre_test_row **rows,
                              size_t *count) {
    gyre_status status = GYRE_OK;
    test_list list = {.metric = metric};
    char *line = NULL;
    size_t room = 0;
    FILE *f = NULL;
    *rows = NULL;
    *count = 0;
    if (!gyre_file_exists(path)) return GYRE_OK;
    GYRE_TRY(gyre_file_stream(path, false, &f));
    errno = 0;
    while (status == GYRE_OK && getline(&line, &room, f) > 0) status = read_test(line, &list);
    if (status == GYRE_OK && !feof(f)) status = unreadable(path);
    if (status != GYRE_OK) {
        free(list.rows);
        list = (test_list){0};
    }
    *rows = list.rows;
    *count = list.count;
    free(line);
    fclose(f);
    return status;
}
