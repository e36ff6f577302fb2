/* A dataset that is too large to be read as a whole at each start: opened by what its seal says,
 * and read by verification. The file has holes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/data/write.h"
#include "dataset_rig.h"
#include "gyre/loader.h"
#include <fcntl.h>

enum { SIDE = 128, ROW = SIDE * SIDE * 3, ROWS = GYRE_DATASET_LARGE / ROW + 100 };

static const char *path;
static int32_t labels[ROWS];

static int write_large(void **state) {
    (void)state;
    const int32_t *const parts[DATA_PARTS] = {labels, NULL, NULL};
    const data_rows_shape shape = {
        .counts = {ROWS, 0, 0}, .h = SIDE, .w = SIDE, .c = 3, .classes = 10};
    data_rows *rows = NULL;
    uint8_t white[ROW];
    if (mkdtemp(scratch) == NULL) return 1;
    path = in_scratch("large.h5");
    memset(white, 255, sizeof white);
    for (int i = 0; i < ROWS; i++) labels[i] = i % 10;
    gyre_status status = data_rows_open(path, false, &shape, &rows);
    if (status == GYRE_OK) status = data_rows_put(rows, DATA_PART_TRAIN, ROWS - 1, 1, white);
    if (status == GYRE_OK) status = data_rows_finish(rows, parts);
    data_rows_close(rows);
    return status != GYRE_OK;
}

static int clean_up(void **state) {
    (void)state;
    return remove_scratch();
}

/* The byte of the file at `at` from its end on, changed or changed back. */
static void flip(off_t at) {
    uint8_t byte;
    int fd = open(path, O_RDWR);
    off_t place = lseek(fd, -at, SEEK_END);
    assert_int_equal(pread(fd, &byte, 1, place), 1);
    byte ^= 1;
    assert_int_equal(pwrite(fd, &byte, 1, place), 1);
    close(fd);
}

static void it_is_opened_by_its_seal(void **state) {
    (void)state;
    const off_t inside = 600 * (off_t)ROW;
    gyre_dataset *d = NULL;
    assert_int_equal(gyre_dataset_verify(path, &d), GYRE_OK);
    uint64_t hash = gyre_dataset_hash(d);
    assert_true(gyre_images_large(gyre_dataset_train(d)));
    gyre_dataset_close(d);
    flip(inside);
    assert_int_equal(gyre_dataset_open(path, &d), GYRE_OK);
    assert_true(gyre_dataset_hash(d) == hash);
    gyre_dataset_close(d);
    failed_with(gyre_dataset_verify(path, &d), GYRE_EIO, "large.h5' is damaged|checksum");
    flip(inside);
}

static void the_loader_reads_what_is_there(void **state) {
    (void)state;
    const gyre_data_settings settings = {.validation = GYRE_VALIDATION_NONE};
    gyre_epochs epochs;
    gyre_samples samples;
    gyre_dataset *d = NULL;
    gyre_loader *l = NULL;
    gyre_batch b;
    int whites = 0;
    assert_int_equal(gyre_dataset_open(path, &d), GYRE_OK);
    assert_int_equal(gyre_samples_open(d, &settings, 1, &samples), GYRE_OK);
    assert_true(samples.stats.mean[0] == 0); /* of 16384 rows, among which is not the last */
    assert_int_equal(gyre_epochs_make(ROWS, 64, GYRE_LAST_WRAP, &epochs), GYRE_OK);
    assert_int_equal(gyre_loader_open(&samples.train, &settings, epochs, 1, 0, 64, 0,
                                      epochs.steps_per_epoch, false, &l),
                     GYRE_OK);
    for (int64_t t = 0; t < epochs.steps_per_epoch; t++) {
        assert_int_equal(gyre_loader_next(l, &b), GYRE_OK);
        for (int i = 0; i < 64 && whites == 0; i++) {
            bool white = b.rows[i] == ROWS - 1;
            assert_int_equal(b.images[(i + 1) * ROW - 1], white ? 255 : 0);
            assert_int_equal(((const int32_t *)b.targets)[i], b.rows[i] % 10);
            whites += white;
        }
    }
    assert_int_equal(whites, 1);
    gyre_loader_close(l);
    gyre_samples_close(&samples);
    gyre_dataset_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_opened_by_its_seal),
        cmocka_unit_test(the_loader_reads_what_is_there),
    };
    return cmocka_run_group_tests(tests, write_large, clean_up);
}
