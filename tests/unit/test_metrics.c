/* metrics.h5: rows come back as written, a resume cuts exactly the rows after its checkpoint, and
 * damaged or foreign files are refused with a message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/metrics.h"

#include "gyre/file.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/gyre-metrics-XXXXXX";
static char path[64];

static gyre_train_row train_row(int64_t t) {
    double x = (double)t;
    return (gyre_train_row){.step = t,
                            .epoch = t / 7,
                            .cycle = t / 100,
                            .lr = 0.1 + x,
                            .momentum = 0.9,
                            .loss = 1 / (1 + x),
                            .grad_norm = x * x,
                            .samples_per_s = 1e4,
                            .seconds = 0.5 * (x + 1)};
}

/* Rows of updates first..last-1; an evaluation every 50 updates, a cycle every 100. */
static void write_rows(int64_t first, int64_t last) {
    gyre_metrics *m = NULL;
    assert_int_equal(gyre_metrics_open(path, gyre_metric_of_loss(NULL), 0, first, &m), GYRE_OK);
    assert_true(gyre_metrics_seconds(m) == 0.5 * (double)first);
    for (int64_t t = first; t < last; t++) {
        gyre_train_row row = train_row(t);
        assert_int_equal(gyre_metrics_train(m, &row), GYRE_OK);
        int64_t done = t + 1;
        gyre_validation_row v = {done, done / 7, done / 100, 0.5, 0.25, 1};
        if (done % 50 == 0) assert_int_equal(gyre_metrics_validation(m, &v), GYRE_OK);
        gyre_cycle_row c = {done / 100 - 1, done, 0.001, 0.5, NAN};
        if (done % 100 == 0) assert_int_equal(gyre_metrics_cycle(m, &c), GYRE_OK);
    }
    assert_int_equal(gyre_metrics_close(m), GYRE_OK);
}

static void check_train_rows(int64_t count) {
    gyre_tables t;
    assert_int_equal(gyre_tables_read(path, &t), GYRE_OK);
    assert_int_equal(t.train_count, count);
    gyre_tables_free(&t);
}

static void check_rows(int64_t count) {
    gyre_tables t;
    assert_int_equal(gyre_tables_read(path, &t), GYRE_OK);
    assert_int_equal(t.train_count, count);
    assert_int_equal(t.validation_count, count / 50);
    assert_int_equal(t.cycle_count, count / 100);
    for (int64_t i = 0; i < count; i++) {
        gyre_train_row row = train_row(i);
        assert_memory_equal(&t.train[i], &row, sizeof row);
    }
    for (int64_t i = 0; i < count / 50; i++) {
        assert_int_equal(t.validation[i].step, 50 * (i + 1));
    }
    for (int64_t i = 0; i < count / 100; i++) {
        assert_int_equal(t.cycles[i].end_step, 100 * (i + 1));
        assert_true(isnan(t.cycles[i].metric));
    }
    gyre_tables_free(&t);
}

static void rows_come_back(void **state) {
    (void)state;
    unlink(path);
    write_rows(0, 1000); /* more than wait in memory */
    check_rows(1000);
}

static void resume_cuts(void **state) {
    (void)state;
    unlink(path);
    write_rows(0, 731);
    const int64_t starts[] = {731, 730, 700, 699, 350, 1, 0};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++) {
        gyre_metrics *m = NULL;
        assert_int_equal(gyre_metrics_open(path, gyre_metric_of_loss(NULL), 0, starts[i], &m),
                         GYRE_OK);
        assert_int_equal(gyre_metrics_close(m), GYRE_OK);
        check_rows(starts[i]);
        if (starts[i] == 350) write_rows(350, 500);
        if (starts[i] == 350) check_rows(500);
    }
}

static void foreign_files_are_refused(void **state) {
    (void)state;
    gyre_metrics *m = NULL;
    gyre_tables t;
    assert_int_equal(gyre_file_write_atomic(path, "no HDF5", 7), GYRE_OK);
    assert_int_equal(gyre_metrics_open(path, gyre_metric_of_loss(NULL), 0, 0, &m), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), path));
    assert_int_equal(gyre_tables_read(path, &t), GYRE_EIO);
    unlink(path);
    assert_int_equal(gyre_tables_read(path, &t), GYRE_EIO);
    assert_non_null(strstr(gyre_error_text(), "No such file"));
    assert_int_equal(
        gyre_metrics_open("/proc/gyre/metrics.h5", gyre_metric_of_loss(NULL), 0, 0, &m),
        GYRE_EIO);
}

/* ---- bands */

static gyre_metrics *open_banded(int64_t completed) {
    gyre_metrics *m = NULL;
    const gyre_metric *metric = gyre_metric_of_loss(NULL);
    assert_int_equal(gyre_metrics_open(path, metric, GYRE_METRICS_BANDS, completed, &m), GYRE_OK);
    return m;
}

static void check_bands(size_t count) {
    gyre_tables t;
    assert_int_equal(gyre_tables_read(path, &t), GYRE_OK);
    assert_int_equal(t.bands_count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(t.bands[i].step, 10 * (i + 1));
        assert_true(t.bands[i].bands[3] == 0.5 + (double)i);
        assert_true(isnan(t.bands[i].bands[9]));
    }
    gyre_tables_free(&t);
}

/* A run that an older gyre began, without the table, goes on with it. */
static void bands_come_back_and_are_cut(void **state) {
    (void)state;
    unlink(path);
    write_rows(0, 5);
    check_bands(0);
    gyre_metrics *m = open_banded(5);
    for (int64_t i = 0; i < 6; i++) {
        gyre_bands_row row = {.step = 10 * (i + 1), .bands = {[3] = 0.5 + (double)i, [9] = NAN}};
        assert_int_equal(gyre_metrics_bands(m, &row), GYRE_OK);
    }
    assert_int_equal(gyre_metrics_close(m), GYRE_OK);
    check_bands(6);
    check_train_rows(5);
    assert_int_equal(gyre_metrics_close(open_banded(49)), GYRE_OK);
    check_bands(4);
}

/* Beside bands, or alone. */
static void averages_come_back(void **state) {
    (void)state;
    const gyre_metric *metric = gyre_metric_of_loss(NULL);
    for (unsigned others = 0; others <= GYRE_METRICS_BANDS; others++) {
        gyre_metrics *m = NULL;
        gyre_tables t;
        unlink(path);
        assert_int_equal(
            gyre_metrics_open(path, metric, GYRE_METRICS_AVERAGES | others, 0, &m), GYRE_OK);
        for (int64_t i = 1; i < 4; i++) {
            const gyre_averages_row row = {.step = i,
                                           .loss = {0.5, 0.25, NAN, 4},
                                           .metric = {0.75, (double)i / 8, NAN, 0.5}};
            assert_int_equal(gyre_metrics_averages(m, &row), GYRE_OK);
        }
        assert_int_equal(gyre_metrics_close(m), GYRE_OK);
        assert_int_equal(gyre_tables_read(path, &t), GYRE_OK);
        assert_true((t.bands != NULL) == (others != 0));
        assert_int_equal(t.averages_count, 3);
        const gyre_averages_row *last = &t.averages[2];
        assert_int_equal(last->step, 3);
        assert_true(last->loss[GYRE_AVERAGE_MINIMA] == 4 && last->loss[GYRE_AVERAGE_NONE] == 0.5);
        assert_true(last->metric[GYRE_AVERAGE_EMA] == 0.375);
        assert_true(isnan(last->metric[GYRE_AVERAGE_SWA]));
        gyre_tables_free(&t);
    }
}

static void append_byte(void) {
    FILE *f = fopen(path, "ab");
    assert_non_null(f);
    assert_int_equal(fputc(0, f), 0);
    assert_int_equal(fclose(f), 0);
}

/* Another program writes into the file of a run that is working. When gyre makes it anew, that one
 * is kept. */
static void what_came_meanwhile_is_kept(void **state) {
    char before[80];
    gyre_metrics *m = NULL;
    (void)state;
    unlink(path);
    snprintf(before, sizeof before, "%s.before", path);
    assert_int_equal(gyre_metrics_open(path, gyre_metric_of_loss(NULL), 0, 0, &m), GYRE_OK);
    for (int64_t t = 0; t < 1000; t++) {
        gyre_train_row row = train_row(t);
        assert_int_equal(gyre_metrics_train(m, &row), GYRE_OK);
        assert_false(gyre_file_exists(before));
        if (t == 600) assert_int_equal(gyre_metrics_flush(m), GYRE_OK); /* a chunk of 2048 rows */
        if (t == 601) append_byte();
        if (t == 601) assert_int_equal(gyre_metrics_flush(m), GYRE_OK);
    }
    for (int64_t t = 1000; t < 3000; t++) {
        gyre_train_row row = train_row(t);
        assert_int_equal(gyre_metrics_train(m, &row), GYRE_OK);
    }
    assert_int_equal(gyre_metrics_close(m), GYRE_OK);
    assert_true(gyre_file_exists(before));
    check_train_rows(3000);
    assert_int_equal(unlink(before), 0);
    assert_int_equal(gyre_metrics_open(path, gyre_metric_of_loss(NULL), 0, 3000, &m),
                     GYRE_OK); /* and not twice */
    assert_int_equal(gyre_metrics_close(m), GYRE_OK);
    assert_false(gyre_file_exists(before));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back),
        cmocka_unit_test(resume_cuts),
        cmocka_unit_test(foreign_files_are_refused),
        cmocka_unit_test(bands_come_back_and_are_cut),
        cmocka_unit_test(averages_come_back),
        cmocka_unit_test(what_came_meanwhile_is_kept),
    };
    if (mkdtemp(folder) == NULL) return 1;
    snprintf(path, sizeof path, "%s/metrics.h5", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    rmdir(folder);
    return failed;
}
