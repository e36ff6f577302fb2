/* result.json: what became of a cell. Numbers that there are none of are null. */
#include "cell_result.h"

#include "gyre/file.h"
#include "gyre/json.h"
#include "gyre/run.h"
#include "gyre/run_folder.h"
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct {
    gyre_cell_state state;
    const char *name;
} states[] = {
    {GYRE_CELL_DONE, "done"}, {GYRE_CELL_DIVERGED, "diverged"}, {GYRE_CELL_FAILED, "failed"}};
enum { STATES = sizeof states / sizeof *states, RESULT_MAX = 1 << 16 };

/* The three values of a metric, and what their keys are made of. */
enum { VALUES = 3 };
static const char *const kinds[VALUES] = {"", "best_", "test_"};

typedef struct {
    char text[80];
} metric_key;

/* The key of a metric's value: "best_METRIC". */
static metric_key key_of(const gyre_metric *m, int kind) {
    metric_key k;
    snprintf(k.text, sizeof k.text, "%s%s", kinds[kind], m->name);
    return k;
}

/* "swa_METRIC", of the last weights "last_METRIC". */
static metric_key average_key(const gyre_metric *m, int kind) {
    metric_key k;
    snprintf(k.text, sizeof k.text, "%s_%s", gyre_average_or_last((gyre_average_kind)kind),
             m->name);
    return k;
}

static void add_samples(gyre_json *j, const gyre_cell_result *r) {
    gyre_json_add_integer(j, "samples", r->samples);
    gyre_json_add_number(j, "copying", r->copying);
    gyre_json_add_number(j, "copying_p", r->copying_p);
    if (r->features[0] == '\0') return;
    gyre_json_add_number(j, "kernel_distance", r->kernel_distance);
    gyre_json_add_number(j, "kernel_error", r->kernel_error);
    gyre_json_add_text(j, "features", r->features);
}

gyre_status study_result_write(const char *folder, const char *arm, uint64_t seed,
                               const gyre_cell_result *r) {
    const char *name = "failed";
    char hash[24];
    for (int i = 0; i < STATES; i++) {
        if (states[i].state == r->state) name = states[i].name;
    }
    snprintf(hash, sizeof hash, "%016llx", (unsigned long long)r->hash);
    gyre_json *j = gyre_json_begin();
    gyre_json_add_text(j, "arm", arm);
    gyre_json_add_integer(j, "seed", (int64_t)seed);
    gyre_json_add_text(j, "state", name);
    gyre_json_add_integer(j, "steps", r->steps);
    gyre_json_add_number(j, "loss", r->loss);
    gyre_json_add_number(j, key_of(r->of, 0).text, r->metric);
    gyre_json_add_number(j, key_of(r->of, 1).text, r->best_metric);
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) {
        if (isfinite(r->averages[kind]))
            gyre_json_add_number(j, average_key(r->of, kind).text, r->averages[kind]);
    }
    gyre_json_add_number(j, "test_loss", r->test_loss);
    gyre_json_add_number(j, key_of(r->of, 2).text, r->test_metric);
    if (r->samples > 0) add_samples(j, r);
    gyre_json_add_number(j, "seconds", r->seconds);
    gyre_json_add_text(j, "hash", hash);
    gyre_json_add_text(j, "message", r->message);
    char *line = gyre_json_end(j), *path = gyre_path_join(folder, GYRE_RESULT_FILE);
    gyre_status status = GYRE_OK;
    char *text = NULL;
    if (line == NULL || path == NULL || asprintf(&text, "%s\n", line) < 0) {
        text = NULL;
        status = gyre_no_memory("a cell's result");
    }
    /* not the folders above it: where they are missing the study was moved away */
    if (status == GYRE_OK && mkdir(folder, 0777) != 0 && errno != EEXIST) {
        status = gyre_fail(GYRE_EIO, "cannot make folder '%s': %s", folder, strerror(errno));
    }
    if (status == GYRE_OK) status = gyre_file_write_atomic(path, text, strlen(text));
    free(text);
    free(path);
    free(line);
    return status;
}

static double number(const gyre_json_value *tree, const char *key) {
    const gyre_json_value *v = gyre_json_get(tree, key);
    return v == NULL ? (double)NAN : gyre_json_number(v);
}

static const char *text(const gyre_json_value *tree, const char *key) {
    const gyre_json_value *v = gyre_json_get(tree, key);
    return v == NULL ? NULL : gyre_json_text(v);
}

/* The metric that has a key in it; NULL: none has. */
static const gyre_metric *metric_in(const gyre_json_value *tree) {
    const gyre_metric *m = NULL;
    for (int i = 0; (m = gyre_metric_at(i)) != NULL; i++) {
        for (int kind = 0; kind < VALUES; kind++) {
            if (gyre_json_get(tree, key_of(m, kind).text) != NULL) return m;
        }
    }
    return NULL;
}

static double value(const gyre_json_value *tree, const gyre_metric *m, int kind) {
    return m == NULL ? (double)NAN : number(tree, key_of(m, kind).text);
}

static void take_samples(const gyre_json_value *tree, gyre_cell_result *r) {
    const char *features = text(tree, "features");
    const double samples = number(tree, "samples");
    r->samples = samples >= 1 && samples <= GYRE_GENERATED_MOST ? (int)samples : 0;
    r->copying = number(tree, "copying");
    r->copying_p = number(tree, "copying_p");
    r->kernel_distance = number(tree, "kernel_distance");
    r->kernel_error = number(tree, "kernel_error");
    snprintf(r->features, sizeof r->features, "%s", features == NULL ? "" : features);
}

static void take_result(const gyre_json_value *tree, gyre_cell_state state, gyre_cell_result *r) {
    const gyre_metric *m = metric_in(tree);
    *r = (gyre_cell_result){.state = state,
                            .of = m,
                            .steps = (int64_t)number(tree, "steps"),
                            .loss = number(tree, "loss"),
                            .metric = value(tree, m, 0),
                            .best_metric = value(tree, m, 1),
                            .test_loss = number(tree, "test_loss"),
                            .test_metric = value(tree, m, 2),
                            .seconds = number(tree, "seconds"),
                            .hash = strtoull(text(tree, "hash"), NULL, 16)};
    snprintf(r->message, sizeof r->message, "%s", text(tree, "message"));
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) {
        r->averages[kind] = m == NULL ? (double)NAN : number(tree, average_key(m, kind).text);
    }
    take_samples(tree, r);
}

/* A share is no number, or one from 0 to 1. */
static bool are_possible(const gyre_json_value *tree, const gyre_metric *m) {
    if (m == NULL || !m->is_share) return true;
    for (int kind = 0; kind < VALUES; kind++) {
        double x = value(tree, m, kind);
        if (x < 0 || x > 1) return false;
    }
    return true;
}

/* A folder that was copied, restored or renamed by hand is not the cell of its place. */
static gyre_status check_place(const gyre_json_value *tree, const char *path, const gyre_study *s,
                               int arm, int seed) {
    const char *name = text(tree, "arm");
    double its_seed = number(tree, "seed");
    if (name == NULL || isnan(its_seed)) return GYRE_OK;
    if (strcmp(name, s->arms[arm].name) == 0 && its_seed == (double)s->seeds[seed]) return GYRE_OK;
    return gyre_fail(
        GYRE_EIO,
        "'%s' is the result of %s with seed %.0f; put the folders of the cells back in "
        "their places",
        path, name, its_seed);
}

static gyre_status read_result(const char *path, const gyre_study *s, int arm, int seed,
                               gyre_cell_result *r, bool *damaged) {
    gyre_json_value *tree = NULL;
    gyre_status status = gyre_json_read(path, &tree);
    *damaged = status == GYRE_EUSAGE;
    if (*damaged) return gyre_fail(GYRE_EIO, "%s", gyre_error_text());
    GYRE_TRY(status);
    const char *state = text(tree, "state");
    double steps = number(tree, "steps");
    int found = STATES;
    for (int i = 0; i < STATES && state != NULL; i++) {
        if (strcmp(state, states[i].name) == 0) found = i;
    }
    *damaged = found == STATES || text(tree, "hash") == NULL || text(tree, "message") == NULL ||
               !(steps >= 0 && steps < 0x1p53) || !are_possible(tree, metric_in(tree));
    if (*damaged)
        status = gyre_fail(GYRE_EIO, "'%s' is not what gyre writes", path);
    else
        status = check_place(tree, path, s, arm, seed);
    if (status == GYRE_OK) take_result(tree, states[found].state, r);
    gyre_json_close(tree);
    return status;
}

/* A damaged one is GYRE_EIO here. */
static gyre_status find_result(const gyre_study *s, int arm, int seed, gyre_cell_result *out,
                               bool *damaged) {
    gyre_status status = GYRE_OK;
    char *folder = gyre_study_cell_folder(s, arm, seed);
    char *path = folder == NULL ? NULL : gyre_path_join(folder, GYRE_RESULT_FILE);
    char *config = folder == NULL ? NULL : gyre_path_join(folder, GYRE_CONFIG_FILE);
    *damaged = false;
    *out = (gyre_cell_result){.loss = (double)NAN,
                              .metric = (double)NAN,
                              .best_metric = (double)NAN,
                              .test_loss = (double)NAN,
                              .test_metric = (double)NAN,
                              .copying = (double)NAN,
                              .copying_p = (double)NAN,
                              .kernel_distance = (double)NAN,
                              .kernel_error = (double)NAN};
    gyre_cell_has_no_averages(out);
    if (path == NULL || config == NULL) {
        status = gyre_no_memory("reading a cell's result");
    } else if (gyre_file_exists(path)) {
        status = read_result(path, s, arm, seed, out, damaged);
    } else {
        out->state = gyre_file_exists(config) ? GYRE_CELL_INTERRUPTED : GYRE_CELL_MISSING;
    }
    free(config);
    free(path);
    free(folder);
    return status;
}

gyre_status study_result_look(const gyre_study *s, int arm, int seed, gyre_cell_result *out,
                              bool *damaged) {
    gyre_status status = find_result(s, arm, seed, out, damaged);
    if (!*damaged) return status;
    out->state = GYRE_CELL_INTERRUPTED;
    return GYRE_OK;
}

gyre_status gyre_study_result(const gyre_study *s, int arm, int seed, gyre_cell_result *out) {
    bool damaged;
    gyre_status status = find_result(s, arm, seed, out, &damaged);
    if (!damaged) return status;
    return gyre_fail(GYRE_EIO, "%s; `gyre study` runs this cell again", gyre_error_text());
}
