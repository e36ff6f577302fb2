/* Datasets come back as they were written, and every damage of one is noticed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "dataset_rig.h"
#include <sys/stat.h>

static char names[][64] = {"cat", "dog", "ça et là"};

/* Sides that are odd, so that nothing is aligned by chance. */
static gyre_dataset_content content_of_three(void) {
    return (gyre_dataset_content){.train = make_images(13, 5, 3, 3, 3, 1),
                                  .test = make_images(5, 5, 3, 3, 3, 2),
                                  .validation = make_images(7, 5, 3, 3, 3, 3),
                                  .classes = 3,
                                  .names = names};
}

static void free_content(gyre_dataset_content *c) {
    free_images(&c->train);
    free_images(&c->test);
    free_images(&c->validation);
}

static void comes_back_as_written(void **state) {
    (void)state;
    gyre_dataset_content c = content_of_three();
    const char *path = in_scratch("written.h5");
    gyre_dataset *d = NULL;
    assert_int_equal(gyre_dataset_write(path, &c, false), GYRE_OK);
    assert_int_equal(gyre_dataset_open(path, &d), GYRE_OK);
    same_images(gyre_dataset_train(d), &c.train);
    same_images(gyre_dataset_test(d), &c.test);
    same_images(gyre_dataset_validation(d), &c.validation);
    assert_int_equal(gyre_dataset_classes(d), 3);
    for (int i = 0; i < 3; i++) assert_string_equal(gyre_dataset_class_name(d, i), names[i]);
    assert_true(gyre_dataset_sealed(d));
    gyre_dataset_close(d);
    free_content(&c);
}

static void the_hash_is_that_of_images_and_labels(void **state) {
    (void)state;
    gyre_dataset_content c = content_of_three(), other = c;
    uint64_t hash = content_hash(&c);
    other.names = NULL;
    assert_true(content_hash(&other) == hash);
    other.test = c.validation, other.validation = c.test;
    assert_true(content_hash(&other) != hash);
    other = c;
    other.train.h = other.test.h = other.validation.h = 3;
    other.train.w = other.test.w = other.validation.w = 5;
    assert_true(content_hash(&other) != hash);
    ((int32_t *)c.test.labels)[4] ^= 1;
    assert_true(content_hash(&c) != hash);
    ((int32_t *)c.test.labels)[4] ^= 1;
    ((uint8_t *)c.train.images)[13 * 45 - 1] ^= 1;
    assert_true(content_hash(&c) != hash);
    free_content(&c);
}

static void without_names_classes_are_numbered(void **state) {
    (void)state;
    gyre_dataset_content c = {.train = make_images(2, 1, 1, 1, 2, 1), .classes = 12};
    gyre_dataset *d = NULL;
    const char *path = in_scratch("numbers.h5");
    assert_int_equal(gyre_dataset_write(path, &c, true), GYRE_OK);
    assert_int_equal(gyre_dataset_open(path, &d), GYRE_OK);
    assert_int_equal(gyre_dataset_classes(d), 12);
    assert_string_equal(gyre_dataset_class_name(d, 11), "11");
    assert_int_equal(gyre_dataset_test(d)->count, 0);
    assert_int_equal(gyre_dataset_validation(d)->count, 0);
    gyre_dataset_close(d);
    free_content(&c);
}

static void a_file_is_replaced_only_by_force(void **state) {
    (void)state;
    gyre_dataset_content c = content_of_three();
    const char *path = in_scratch("mine");
    char *text = NULL;
    size_t size = 0;
    write_bytes(path, "mine", 4);
    failed_with(gyre_dataset_write(path, &c, false), GYRE_EIO, "exists|--force");
    assert_int_equal(gyre_file_read(path, 100, &text, &size), GYRE_OK);
    assert_string_equal(text, "mine");
    free(text);
    assert_int_equal(gyre_dataset_write(path, &c, true), GYRE_OK);
    assert_int_equal(open_and_close(path), GYRE_OK);
    failed_with(gyre_dataset_write(scratch, &c, true), GYRE_EIO, "no regular file");
    failed_with(gyre_dataset_write(in_scratch("none/x.h5"), &c, true), GYRE_EIO, "none");
    free_content(&c);
}

static void no_wrong_dataset_is_written(void **state) {
    (void)state;
    gyre_dataset_content c = content_of_three();
    const char *path = in_scratch("wrong.h5");
    int32_t *labels = (int32_t *)c.test.labels;
    int32_t kept = labels[2];
    labels[2] = 3;
    failed_with(gyre_dataset_write(path, &c, false), GYRE_EIO, "/test/labels[2] is 3|0 to 2");
    labels[2] = kept;
    c.validation.c = 1;
    failed_with(gyre_dataset_write(path, &c, false), GYRE_EIO, "/validation|5 x 3 x 1");
    c.train.count = 0;
    failed_with(gyre_dataset_write(path, &c, false), GYRE_EIO, "0 training samples");
    assert_false(gyre_file_exists(path));
    free_content(&c);
}

static void every_damage_of_a_sealed_file_is_noticed(void **state) {
    (void)state;
    gyre_dataset_content c = content_of_three();
    const char *path = in_scratch("damaged.h5");
    char *bytes = NULL;
    size_t size = 0;
    assert_int_equal(gyre_dataset_write(path, &c, true), GYRE_OK);
    assert_int_equal(gyre_file_read(path, 1 << 20, &bytes, &size), GYRE_OK);
    for (size_t at = 0; at < size; at += at < 512 ? 1 : 97) { /* each byte of the seal */
        bytes[at] ^= 4;
        write_bytes(path, bytes, size);
        failed_with(open_and_close(path), GYRE_EIO, "damaged");
        bytes[at] ^= 4;
    }
    for (size_t length = 0; length < size; length += 203) {
        write_bytes(path, bytes, length);
        assert_int_equal(open_and_close(path), GYRE_EIO);
    }
    write_bytes(path, bytes, size);
    assert_int_equal(open_and_close(path), GYRE_OK);
    free(bytes);
    free_content(&c);
}

static void what_is_no_dataset_is_refused(void **state) {
    (void)state;
    char noise[4096];
    gyre_random r = gyre_random_open(3, GYRE_RANDOM_TEST, 0, 0);
    for (size_t i = 0; i < sizeof noise; i++) noise[i] = (char)gyre_random_u32(&r);
    const char *path = in_scratch("noise.h5"), *pipe = in_scratch("pipe");
    failed_with(open_and_close(in_scratch("nothing.h5")), GYRE_EIO, "nothing.h5|No such file");
    write_bytes(path, noise, sizeof noise);
    failed_with(open_and_close(path), GYRE_EIO, "not an HDF5 file");
    write_bytes(path, noise, 5);
    failed_with(open_and_close(path), GYRE_EIO, "not an HDF5 file");
    write_bytes(path, "", 0);
    failed_with(open_and_close(path), GYRE_EIO, "is empty");
    write_bytes(path, "\x89HDF\r\n\x1a\n", 8);
    failed_with(open_and_close(path), GYRE_EIO, "HDF5 cannot open");
    failed_with(open_and_close(scratch), GYRE_EIO, "is a folder");
    assert_int_equal(mkfifo(pipe, 0600), 0);
    failed_with(open_and_close(pipe), GYRE_EIO, "no regular file");
}

/* Also when they were written a second or more apart, as the first test's file was. */
static void equal_contents_are_equal_files(void **state) {
    (void)state;
    gyre_dataset_content c = content_of_three();
    char *a = NULL, *b = NULL;
    size_t a_size = 0, b_size = 0;
    const char *one = in_scratch("written.h5"), *two = in_scratch("again.h5");
    assert_int_equal(gyre_dataset_write(two, &c, false), GYRE_OK);
    assert_int_equal(gyre_file_read(one, 1 << 20, &a, &a_size), GYRE_OK);
    assert_int_equal(gyre_file_read(two, 1 << 20, &b, &b_size), GYRE_OK);
    assert_int_equal(a_size, b_size);
    assert_memory_equal(a, b, a_size);
    free(a);
    free(b);
    free_content(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comes_back_as_written),
        cmocka_unit_test(the_hash_is_that_of_images_and_labels),
        cmocka_unit_test(without_names_classes_are_numbered),
        cmocka_unit_test(a_file_is_replaced_only_by_force),
        cmocka_unit_test(no_wrong_dataset_is_written),
        cmocka_unit_test(every_damage_of_a_sealed_file_is_noticed),
        cmocka_unit_test(what_is_no_dataset_is_refused),
        cmocka_unit_test(equal_contents_are_equal_files),
    };
    if (mkdtemp(scratch) == NULL) return 1;
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    return remove_scratch() != 0 ? 1 : failed;
}
