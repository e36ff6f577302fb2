/* Averages of weights in checkpoints: they come back bit for bit, and who takes weights gets those
 * that are meant. */
#include "checkpoint_rig.h"

/* A file with averages gives them to whom they are meant for; one without gives the last weights,
 * unless the average is asked for. */
static void averages_are_taken_where_they_are_meant(void **state) {
    (void)state;
    static const struct {
        gyre_weights_choice weights;
        bool there, averaged, refused;
    } cases[] = {
        {GYRE_WEIGHTS_ANY, true, true, false},    {GYRE_WEIGHTS_AVERAGE, true, true, false},
        {GYRE_WEIGHTS_LAST, true, false, false},  {GYRE_WEIGHTS_ANY, false, false, false},
        {GYRE_WEIGHTS_LAST, false, false, false}, {GYRE_WEIGHTS_AVERAGE, false, false, true}};
    gyre_model m = small_model();
    gyre_snapshot both = averaged_snapshot(&m), last = filled_snapshot(&m);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const gyre_snapshot *from = cases[i].there ? &both : &last;
        gyre_snapshot s, imported = empty_snapshot(&m);
        char *path = save(&m, from);
        assert_int_equal(gyre_snapshot_open(&m, 0, &s), GYRE_OK);
        gyre_status status = gyre_checkpoint_load_weights(path, &m, cases[i].weights, &s);
        assert_int_equal(status, cases[i].refused ? GYRE_EIO : GYRE_OK);
        assert_int_equal(gyre_parameters_import(path, &m, 3, cases[i].weights, &imported), status);
        if (cases[i].refused) assert_non_null(strstr(gyre_error_text(), "has no average"));
        if (!cases[i].refused) {
            const float *p = cases[i].averaged ? both.averages : from->parameters;
            const float *q = cases[i].averaged ? both.averages + 30 : from->buffers;
            same_floats(s.parameters, p, m.parameters);
            same_floats(s.buffers, q, m.buffers);
            same_floats(imported.parameters, p, m.parameters);
            same_floats(imported.buffers, q, m.buffers);
            assert_true(s.averaged == cases[i].averaged && s.averages == NULL);
            assert_string_equal(s.average, cases[i].there ? "ema" : "");
        }
        gyre_snapshot_close(&s);
        gyre_snapshot_close(&imported);
        free(path);
    }
    gyre_snapshot_close(&both);
    gyre_snapshot_close(&last);
}

/* Who resumes gets weights and averages, each as they were; a file without them is refused. */
static void averages_come_back(void **state) {
    (void)state;
    gyre_model m = small_model();
    gyre_snapshot s = averaged_snapshot(&m), back = empty_snapshot(&m);
    uint64_t hash = 0, other = 0;
    char *path = save(&m, &s);
    assert_int_equal(gyre_snapshot_open_averages(&m, &back), GYRE_OK);
    assert_int_equal(gyre_checkpoint_load(path, &m, &back), GYRE_OK);
    same_floats(back.parameters, s.parameters, m.parameters);
    same_floats(back.averages, s.averages, m.parameters);
    same_floats(back.averages + m.parameters, s.averages + m.parameters, m.buffers);
    assert_int_equal(gyre_checkpoint_average_hash(path, &hash), GYRE_OK);
    s.averages[m.parameters + m.buffers - 1] += 1;
    free(save(&m, &s));
    assert_int_equal(gyre_checkpoint_average_hash(path, &other), GYRE_OK);
    assert_true(hash != other);
    free(s.averages);
    s.averages = NULL;
    s.average[0] = '\0';
    free(save(&m, &s));
    assert_int_equal(gyre_checkpoint_load(path, &m, &back), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "has no group /average"));
    assert_int_equal(gyre_checkpoint_average_hash(path, &hash), GYRE_EIO);
    free(path);
    gyre_snapshot_close(&s);
    gyre_snapshot_close(&back);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(averages_are_taken_where_they_are_meant),
        cmocka_unit_test(averages_come_back),
    };
    return checkpoint_main(tests, sizeof tests / sizeof *tests);
}
