/* Checkpoints come back bit for bit, every damaged block is noticed, another model is refused by
 * name, and parameters from other HDF5 files are taken by name. */
#include "checkpoint_rig.h"
#include <xxhash.h>

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
    uint64_t hash = 0, want = 0;
    int64_t completed = 0;
    for (int i = 0; i < m.param_count; i++) {
        const float *values = s.parameters + m.params[i].offset;
        want = XXH3_64bits_withSeed(values, m.params[i].count * sizeof *values, want);
    }
    assert_int_equal(gyre_checkpoint_hash(path, &hash, &completed), GYRE_OK);
    assert_true(hash == want);
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

/* A file "w.h5" in the folder, made by these lines of Python on the open file `f`; its path. */
static const char *write_weights(const char *lines) {
    static char path[128];
    char command[1024];
    snprintf(path, sizeof path, "%s/w.h5", folder);
    snprintf(command, sizeof command,
             "/usr/bin/python3 -c \"import h5py, numpy as np\nf = h5py.File('%s', 'w')\n%s\"", path,
             lines);
    if (system(command) != 0) skip();
    return path;
}

static void weights_are_taken_by_name(void **state) {
    (void)state;
    gyre_model m = small_model();
    gyre_snapshot s = filled_snapshot(&m);
    const char *path =
        write_weights("f['parameters/bn1.weight'] = np.array([2.5, -1], 'f8')\n"
                      "f['parameters/fc.weight'] = np.arange(6, dtype='f4').reshape(3, 2)\n"
                      "f['parameters/bn1.running_mean'] = np.array([4, 5], 'f4')\n"
                      "f['state/buffers/bn1.running_var'] = np.array([8, 9], 'f4')\n"
                      "f['parameters/bn1.running_var'] = np.array([6, 7], 'f4')");
    float kept = s.parameters[6];
    assert_int_equal(gyre_parameters_import(path, &m, GYRE_NEED_STATISTICS, GYRE_WEIGHTS_ANY, &s),
                     GYRE_OK);
    assert_true(s.parameters[0] == 2.5f && s.parameters[1] == -1 && s.parameters[29] == 5);
    assert_true(s.parameters[6] == kept && s.buffers[0] == 4 && s.buffers[1] == 5);
    assert_true(s.buffers[2] == 8 && s.buffers[3] == 9); /* where checkpoints have it, first */
    assert_int_equal(gyre_parameters_import(path, &m, GYRE_NEED_PARAMETERS, GYRE_WEIGHTS_ANY, &s),
                     GYRE_EIO);
    assert_non_null(
        strstr(gyre_error_text(), "lacks parameters: conv1.weight (2, 3, 3, 1), bn1.b"));
    gyre_param changed[4];
    memcpy(changed, params, sizeof params);
    m.params = changed;
    for (int i = 0; i < 4; i++) snprintf(changed[i].name, sizeof changed[i].name, "none%d", i);
    assert_int_equal(gyre_parameters_import(path, &m, 0, GYRE_WEIGHTS_ANY, &s), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "none0"));
    gyre_statistic frozen[2]; /* the mean alone: the variance may begin anew */
    memcpy(frozen, statistics, sizeof frozen);
    frozen[0].frozen = true;
    m.statistics = frozen;
    path = write_weights("f['parameters/none1'] = np.zeros(2)");
    assert_int_equal(gyre_parameters_import(path, &m, 0, GYRE_WEIGHTS_ANY, &s), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "lacks running statistics: bn1.running_mean (2); "));
    gyre_snapshot_close(&s);
    unlink(path);
}

/* One array may fit in several orders by accident: all of the file tell which was meant. */
static void orders_are_judged_over_the_whole_file(void **state) {
    (void)state;
    static gyre_param convs[] = {
        {.name = "a", .dims = {3, 3, 3, 5}, .ndim = 4, .offset = 0, .count = 135},
        {.name = "b", .dims = {4, 3, 3, 8}, .ndim = 4, .offset = 135, .count = 288},
        {.name = "c", .dims = {3, 3, 3, 3}, .ndim = 4, .offset = 423, .count = 81},
    };
    static const struct {
        const char *shapes, *words; /* NULL: taken */
    } cases[] = {
        {"a=(3, 5, 3, 3), b=(4, 8, 3, 3), c=(3, 3, 3, 3)",
         "/parameters/a has the shape (3, 5, 3, 3), the network's is (3, 3, 3, 5): its axes have "
         "another order; write w.transpose(0, 2, 3, 1), as docs/formats.md shows (2 of the file's "
         "arrays need it; so do, by this, 1 whose shape does not tell (c))"},
        {"a=(3, 3, 5, 3), b=(3, 3, 8, 4), c=(3, 3, 3, 3)", "w.transpose(3, 0, 1, 2)"},
        {"a=(3, 3, 3, 5), b=(3, 8, 4, 3)",
         "w.transpose(2, 0, 3, 1), as"}, /* no one's, but the only one */
        {"a=(3, 3, 3, 5), b=(4, 3, 3, 8), c=(3, 3, 3, 3)", NULL},
        {"a=(3, 3, 3, 5), b=(4, 3, 3, 9)", NULL}, /* fits in no order: drawn */
    };
    gyre_model m = small_model();
    m.params = convs;
    m.param_count = 3;
    m.statistic_count = 0;
    m.parameters = 504;
    gyre_snapshot s;
    assert_int_equal(gyre_snapshot_open(&m, 0, &s), GYRE_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char lines[256];
        snprintf(lines, sizeof lines,
                 "for k, v in dict(%s).items(): f['parameters/' + k] = np.ones(v)",
                 cases[i].shapes);
        const char *path = write_weights(lines);
        gyre_status status = gyre_parameters_import(path, &m, 0, GYRE_WEIGHTS_ANY, &s);
        if (status != (cases[i].words == NULL ? GYRE_OK : GYRE_EIO)) {
            fail_msg("%s: %d %s", cases[i].shapes, status, gyre_error_text());
        }
        if (cases[i].words != NULL && strstr(gyre_error_text(), cases[i].words) == NULL) {
            fail_msg("%s: %s", cases[i].shapes, gyre_error_text());
        }
        unlink(path);
    }
    gyre_snapshot_close(&s);
}

static uint64_t state_hash(const gyre_model *m, gyre_snapshot *s, uint64_t *parameters) {
    uint64_t hash = 0;
    int64_t completed = 0;
    char path[128];
    snprintf(path, sizeof path, "%s/one.h5", folder);
    write_to(path, m, s);
    assert_int_equal(gyre_checkpoint_state_hash(path, &hash), GYRE_OK);
    assert_int_equal(gyre_checkpoint_hash(path, parameters, &completed), GYRE_OK);
    unlink(path);
    return hash;
}

/* The hash of the state sees each number that the next update or a score is made of, once; that of
 * the parameters sees them alone. Neither sees who wrote the file, nor what classes are called. */
static void the_state_hash_sees_everything(void **state) {
    (void)state;
    gyre_model m = small_model();
    gyre_snapshot s = averaged_snapshot(&m);
    uint64_t parameters = 0, other = 0, whole = state_hash(&m, &s, &parameters);
    float *const numbers[] = {&s.parameters[29], &s.buffers[0],    &s.buffers[3],
                              &s.states[0][0],   &s.states[1][29], &s.mean[15],
                              &s.scale[0],       &s.averages[29],  &s.averages[33]};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        float kept = *numbers[i];
        *numbers[i] += 1;
        assert_true(state_hash(&m, &s, &other) != whole);
        assert_true((other != parameters) == (i == 0));
        *numbers[i] = kept;
    }
    s.completed++;
    assert_true(state_hash(&m, &s, &other) != whole);
    s.completed--;
    strcpy(s.state_names[0], "momentum");
    assert_true(state_hash(&m, &s, &other) != whole);
    strcpy(s.state_names[0], "exp_avg");
    char names[3][GYRE_NAME_SIZE] = {"a", "b", "c"};
    s.names = (gyre_class_names){3, names};
    s.ranks = 1;
    s.finished = 0;
    strcpy(s.machine, "another");
    assert_true(state_hash(&m, &s, &other) == whole && other == parameters);
    gyre_snapshot_close(&s);
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
        cmocka_unit_test(weights_are_taken_by_name),
        cmocka_unit_test(orders_are_judged_over_the_whole_file),
        cmocka_unit_test(the_state_hash_sees_everything),
        cmocka_unit_test(the_newest_is_found),
    };
    return checkpoint_main(tests, sizeof tests / sizeof *tests);
}
