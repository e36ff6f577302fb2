/* Checkpoints come back bit for bit, every damaged block is noticed, another model is refused by
 * name, and parameters from other HDF5 files are taken by name. */
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
static gyre_layer layers[] = {
    {.kind = GYRE_LAYER_CONV, .name = "conv1", .h = 4, .w = 4, .c = 2, .r = 3},
    {.kind = GYRE_LAYER_NORM, .name = "bn1", .h = 4, .w = 4, .c = 2, .moments = 0},
    {.kind = GYRE_LAYER_LINEAR, .name = "fc", .h = 1, .w = 1, .c = 3},
};
static gyre_param params[] = {
    {.name = "conv1.weight", .dims = {2, 3, 3, 1}, .rank = 4, .offset = 6, .count = 18},
    {.name = "bn1.weight", .dims = {2}, .rank = 1, .offset = 0, .count = 2},
    {.name = "bn1.bias", .dims = {2}, .rank = 1, .offset = 2, .count = 2},
    {.name = "fc.weight", .dims = {3, 2}, .rank = 2, .offset = 24, .count = 6},
};

static gyre_model small_model(void) {
    return (gyre_model){.name = "small",
                        .h = 4,
                        .w = 4,
                        .c = 1,
                        .classes = 3,
                        .layer_count = 3,
                        .param_count = 4,
                        .layers = layers,
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

static gyre_snapshot empty_snapshot(const gyre_model *m) {
    gyre_snapshot s;
    assert_int_equal(gyre_snapshot_open(m, 2, &s), GYRE_OK);
    strcpy(s.state_names[0], "exp_avg");
    strcpy(s.state_names[1], "exp_avg_sq");
    return s;
}

/* Only the floats that some array covers are stored; the model's vectors have a gap at 4..5. */
static void same_floats(const float *a, const float *b, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (n == 30 && (i == 4 || i == 5)) continue;
        assert_memory_equal(&a[i], &b[i], sizeof *a);
    }
}

static char *save(const gyre_model *m, gyre_snapshot *s) {
    char *path = NULL;
    assert_int_equal(gyre_checkpoint_save(folder, m, s), GYRE_OK);
    assert_int_equal(gyre_checkpoint_newest(folder, &path), GYRE_OK);
    assert_non_null(path);
    return path;
}

static void comes_back_bit_for_bit(void **state) {
    (void)state;
    gyre_model m = small_model();
    gyre_snapshot s = filled_snapshot(&m), back = empty_snapshot(&m);
    char *path = save(&m, &s);
    assert_string_equal(strrchr(path, '/'), "/step-000012000.h5");
    assert_int_equal(gyre_checkpoint_load(path, &m, &back), GYRE_OK);
    assert_int_equal(back.completed, s.completed);
    assert_true(back.config_hash == s.config_hash && back.data_hash == s.data_hash);
    assert_int_equal(back.ranks, 4);
    assert_int_equal(back.finished, 1);
    assert_string_equal(back.machine, s.machine);
    same_floats(back.parameters, s.parameters, m.parameters);
    same_floats(back.buffers, s.buffers, m.buffers);
    same_floats(back.states[0], s.states[0], m.parameters);
    same_floats(back.states[1], s.states[1], m.parameters);
    same_floats(back.mean, s.mean, 16);
    same_floats(back.scale, s.scale, 1);
    uint64_t hash = 0;
    int64_t completed = 0;
    assert_int_equal(gyre_checkpoint_hash(path, &hash, &completed), GYRE_OK);
    assert_true(hash == gyre_parameters_hash(&m, s.parameters));
    assert_int_equal(completed, 12000);
    free(path);
    gyre_snapshot_close(&s);
    gyre_snapshot_close(&back);
}

static void every_damaged_block_is_noticed(void **state) {
    (void)state;
    gyre_model m = small_model();
    gyre_snapshot s = filled_snapshot(&m), back = empty_snapshot(&m);
    char *path = save(&m, &s), *bytes = NULL;
    size_t size = 0;
    assert_int_equal(gyre_file_read(path, 1 << 20, &bytes, &size), GYRE_OK);
    for (size_t block = 0; block < size; block += 512) {
        size_t at = block + (block / 512 * 37) % 512; /* anywhere in the block, the seal too */
        if (at >= size) at = size - 1;
        bytes[at] ^= 1;
        assert_int_equal(gyre_file_write_atomic(path, bytes, size), GYRE_OK);
        assert_int_equal(gyre_checkpoint_load(path, &m, &back), GYRE_EIO);
        bytes[at] ^= 1;
    }
    for (size_t at = 0; at < 512; at += 7) { /* no byte of the seal is free */
        bytes[at] ^= 4;
        assert_int_equal(gyre_file_write_atomic(path, bytes, size), GYRE_OK);
        assert_int_equal(gyre_checkpoint_load(path, &m, &back), GYRE_EIO);
        bytes[at] ^= 4;
    }
    for (size_t length = 0; length < size; length += 509) {
        assert_int_equal(gyre_file_write_atomic(path, bytes, length), GYRE_OK);
        assert_int_equal(gyre_checkpoint_load(path, &m, &back), GYRE_EIO);
    }
    assert_int_equal(gyre_file_write_atomic(path, bytes, size), GYRE_OK);
    assert_int_equal(gyre_checkpoint_load(path, &m, &back), GYRE_OK);
    free(bytes);
    free(path);
    gyre_snapshot_close(&s);
    gyre_snapshot_close(&back);
}

static void another_model_is_refused(void **state) {
    (void)state;
    gyre_model m = small_model(), other = small_model();
    gyre_param changed[4];
    memcpy(changed, params, sizeof params);
    other.params = changed;
    gyre_snapshot s = filled_snapshot(&m), back = empty_snapshot(&m);
    char *path = save(&m, &s);
    strcpy(changed[3].name, "classifier.weight");
    assert_int_equal(gyre_checkpoint_load(path, &other, &back), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "classifier.weight"));
    changed[3] = params[3];
    changed[3].dims[0] = 2, changed[3].dims[1] = 3;
    assert_int_equal(gyre_checkpoint_load(path, &other, &back), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "(3, 2)"));
    other.param_count = 3;
    assert_int_equal(gyre_checkpoint_load(path, &other, &back), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "fc.weight"));
    free(path);
    gyre_snapshot_close(&s);
    gyre_snapshot_close(&back);
}

static void parameters_are_imported_by_name(void **state) {
    (void)state;
    gyre_model m = small_model();
    gyre_param changed[4];
    memcpy(changed, params, sizeof params);
    m.params = changed;
    char command[512], path[128];
    snprintf(path, sizeof path, "%s/other.h5", folder);
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c \"import h5py, numpy as np\n"
             "f = h5py.File('%s', 'w')\n"
             "f['parameters/bn1.weight'] = np.array([2.5, -1], 'f8')\n"
             "f['parameters/fc.weight'] = np.arange(6, dtype='f4').reshape(3, 2)\n"
             "f['parameters/conv1.weight'] = np.zeros((2, 1, 3, 3), 'f4')\n"
             "f['state/buffers/bn1.running_var'] = np.array([8, 9], 'f4')\"",
             path);
    if (system(command) != 0) skip();
    float parameters[30], buffers[4] = {0};
    int skipped = 0;
    fill(parameters, 30, 1);
    assert_int_equal(gyre_parameters_import(path, &m, parameters, buffers, &skipped), GYRE_OK);
    assert_int_equal(skipped, 2); /* conv1.weight in another layout, bn1.bias missing */
    assert_true(parameters[0] == 2.5f && parameters[1] == -1 && parameters[29] == 5);
    assert_true(parameters[6] == 3 && buffers[2] == 8 && buffers[3] == 9 && buffers[0] == 0);
    for (int i = 0; i < 4; i++) snprintf(changed[i].name, sizeof changed[i].name, "none%d", i);
    assert_int_equal(gyre_parameters_import(path, &m, parameters, buffers, &skipped), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "none0"));
    unlink(path);
}

static void the_newest_is_found(void **state) {
    (void)state;
    gyre_model m = small_model();
    gyre_snapshot s = filled_snapshot(&m);
    int64_t *list = NULL;
    size_t count = 0;
    s.completed = 5;
    free(save(&m, &s));
    s.completed = 2000000000;
    char *path = save(&m, &s);
    assert_string_equal(strrchr(path, '/'), "/step-2000000000.h5");
    assert_int_equal(gyre_checkpoint_list(folder, &list, &count), GYRE_OK);
    assert_int_equal(count, 3); /* with the one that the tests before left */
    assert_true(list[0] == 2000000000 && list[2] == 5);
    free(list);
    free(path);
    assert_int_equal(gyre_checkpoint_newest("/tmp/gyre-none", &path), GYRE_OK);
    assert_null(path);
    gyre_snapshot_close(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_bit_for_bit),
        cmocka_unit_test(every_damaged_block_is_noticed),
        cmocka_unit_test(another_model_is_refused),
        cmocka_unit_test(parameters_are_imported_by_name),
        cmocka_unit_test(the_newest_is_found),
    };
    char command[128];
    if (mkdtemp(folder) == NULL) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) != 0 ? 1 : failed;
}
