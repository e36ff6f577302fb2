/* The events of log.jsonl that a report tells of; see cell_log.h. */
#include "cell_log.h"

#include "gyre/file.h"
#include "gyre/json.h"
#include "gyre/run_folder.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void take_machine(const gyre_json_value *line, gyre_cell_log *out) {
    const char *machine = gyre_json_text(gyre_json_get(line, "machine"));
    if (machine == NULL) return;
    if (out->machine == NULL) out->machine = strdup(machine); /* without memory it is not known */
    if (out->machine != NULL && strcmp(out->machine, machine) != 0) out->moved = true;
    if (strstr(machine, "ranks on unlike machines") != NULL) out->moved = true;
}

static void take_end(const gyre_json_value *line, gyre_cell_log *out) {
    const gyre_json_value *beats = gyre_json_get(line, "beats_most_frequent_class");
    if (beats == NULL) return;
    out->chance = gyre_json_number(gyre_json_get(line, "most_frequent_class"));
    out->guesses = !gyre_json_is_true(beats);
}

static void take_test(const gyre_json_value *line, const gyre_metric *metric, gyre_cell_log *out) {
    double step = gyre_json_number(gyre_json_get(line, "step"));
    if (!(step >= 0 && step < 0x1p53) || metric == NULL) return;
    out->test_step = (int64_t)step;
    out->test_loss = gyre_json_number(gyre_json_get(line, "loss"));
    out->test_metric = gyre_json_number(gyre_json_get(line, metric->name));
}

static void take_line(const char *text, const gyre_metric *metric, gyre_cell_log *out) {
    gyre_json_value *line = NULL;
    if (gyre_json_parse(text, "log.jsonl", &line) != GYRE_OK) return; /* cut off */
    const char *event = gyre_json_text(gyre_json_get(line, "event"));
    if (event == NULL) event = "";
    if (strcmp(event, "start") == 0 || strcmp(event, "resume") == 0) take_machine(line, out);
    if (strcmp(event, "end") == 0) take_end(line, out);
    if (strcmp(event, "test") == 0) take_test(line, metric, out);
    gyre_json_close(line);
}

void study_cell_log_read(const char *folder, const gyre_metric *metric, gyre_cell_log *out) {
    char *path = gyre_path_join(folder, GYRE_LOG_FILE), *line = NULL;
    size_t room = 0;
    FILE *f = NULL;
    *out = (gyre_cell_log){0};
    if (path != NULL && gyre_file_stream(path, false, &f) != GYRE_OK) f = NULL; /* none is told */
    while (f != NULL && getline(&line, &room, f) > 0) take_line(line, metric, out);
    if (f != NULL) fclose(f);
    free(line);
    free(path);
}

void study_cell_log_close(gyre_cell_log *log) {
    free(log->machine);
    *log = (gyre_cell_log){0};
}
