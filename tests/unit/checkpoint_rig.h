/* A small model and its checkpoints, for the tests of them. */
#ifndef GYRE_CHECKPOINT_RIG_H
#define GYRE_CHECKPOINT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/checkpoint.h"

#include "gyre/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/gyre-checkpoint-XXXXXX";

/* A conv, its batch norm and a classifier, with the flat layout in another order than the layers.
 */
static gyre_statistic statistics[] = {
    {.name = "bn1.running_mean", .node = 1, .offset = 0, .count = 2},
    {.name = "bn1.running_var", .node = 1, .offset = 2, .count = 2, .initial = 1},
};
static gyre_param params[] = {
    {.name = "conv1.weight", .dims = {2, 3, 3, 1}, .ndim = 4, .offset = 6, .count = 18},
    {.name = "bn1.weight", .dims = {2}, .ndim = 1, .offset = 0, .count = 2},
    {.name = "bn1.bias", .dims = {2}, .ndim = 1, .offset = 2, .count = 2},
    {.name = "fc.weight", .dims = {3, 2}, .ndim = 2, .offset = 24, .count = 6},
};

static gyre_model small_model(void) {
    return (gyre_model){.name = "small",
                        .h = 4,
                        .w = 4,
                        .c = 1,
                        .classes = 3,
                        .statistic_count = 2,
                        .param_count = 4,
                        .statistics = statistics,
                        .params = params,
                        .parameters = 30,
                        .buffers = 4};
}

static void fill(float *x, size_t n, float start) {
    for (size_t i = 0; i < n; i++) x[i] = start + (float)i / 3;
}

static gyre_snapshot filled_snapshot(const gyre_model *m) {
    gyre_snapshot s;
    assert_int_equal(gyre_snapshot_open(m, 2, &s), GYRE_OK);
    s.completed = 12000;
    s.config_hash = 0xfedcba9876543210u;
    s.data_hash = 7;
    s.ranks = 4;
    s.finished = 1;
    strcpy(s.machine, "a machine");
    strcpy(s.state_names[0], "exp_avg");
    strcpy(s.state_names[1], "exp_avg_sq");
    fill(s.parameters, m->parameters, 1);
    fill(s.buffers, m->buffers, 2);
    fill(s.states[0], m->parameters, 3);
    fill(s.states[1], m->parameters, 4);
    fill(s.mean, 16, 5);
    fill(s.scale, 1, 6);
    return s;
}

static inline gyre_snapshot empty_snapshot(const gyre_model *m) {
    gyre_snapshot s;
    assert_int_equal(gyre_snapshot_open(m, 2, &s), GYRE_OK);
    strcpy(s.state_names[0], "exp_avg");
    strcpy(s.state_names[1], "exp_avg_sq");
    return s;
}

/* Only the floats that some array covers are stored; the model's vectors have a gap at 4..5. */
static inline void same_floats(const float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (n == 30 && (i == 4 || i == 5)) continue;
        assert_memory_equal(&a[i], &b[i], sizeof *a);
    }
}

static void write_to(const char *path, const gyre_model *m, const gyre_snapshot *s) {
    void *image = NULL;
    size_t size = 0;
    assert_int_equal(gyre_checkpoint_image(m, s, &image, &size), GYRE_OK);
    assert_int_equal(gyre_file_write_atomic(path, image, size), GYRE_OK);
    free(image);
}

/* As a run saves it. */
static inline char *save(const gyre_model *m, const gyre_snapshot *s) {
    char *path = gyre_checkpoint_path(folder, s->completed), *dir = gyre_path_dir(path);
    assert_int_equal(gyre_dir_make(dir), GYRE_OK);
    write_to(path, m, s);
    free(dir);
    free(path);
    assert_int_equal(gyre_checkpoint_newest(folder, &path), GYRE_OK);
    assert_non_null(path);
    return path;
}

static inline gyre_snapshot averaged_snapshot(const gyre_model *m) {
    gyre_snapshot s = filled_snapshot(m);
    assert_int_equal(gyre_snapshot_open_averages(m, &s), GYRE_OK);
    strcpy(s.average, "ema");
    fill(s.averages, m->parameters, 7);
    fill(s.averages + m->parameters, m->buffers, 8);
    return s;
}

/* In a folder of their own. */
static int checkpoint_main(const struct CMUnitTest *tests, size_t count) {
    char command[128];
    if (mkdtemp(folder) == NULL) return 1;
    int failed = _cmocka_run_group_tests("checkpoints", tests, count, NULL, NULL);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) != 0 ? 1 : failed;
}

#endif
