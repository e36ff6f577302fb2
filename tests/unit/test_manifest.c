/* Several files behind a manifest are the one file with all their rows; a file that is not what the
 * manifest says is named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/data/dataset_file.h"
#include "dataset_rig.h"

enum { FILES = 3, ROW = 4 * 3 * 2 };

static char names[3][GYRE_NAME_SIZE] = {"ox", "cow", "calf"};

/* Rows first..first+count-1 of `p`. */
static gyre_images some_of(const gyre_images *p, int64_t first, int64_t count) {
    gyre_images part = *p;
    part.images += first * ROW;
    part.labels += first;
    part.count = count;
    return part;
}

static const char *file_named(int i) {
    static const char *const files[FILES] = {"a.h5", "deep/b.h5", "c.h5"};
    return in_scratch(files[i]);
}

/* The whole as one file, and cut into three, the second of which has no test part. */
static void write_files(const gyre_images *train, const gyre_images *test) {
    const gyre_dataset_content whole = {
        .train = *train, .test = *test, .classes = 3, .names = names};
    const int64_t cuts[FILES + 1] = {0, 5, 6, train->count};
    assert_int_equal(gyre_dir_make(in_scratch("deep")), GYRE_OK);
    assert_int_equal(gyre_dataset_write(in_scratch("whole.h5"), &whole, true), GYRE_OK);
    for (int i = 0; i < FILES; i++) {
        gyre_dataset_content c = {
            .train = some_of(train, cuts[i], cuts[i + 1] - cuts[i]), .classes = 3, .names = names};
        if (i == 0) c.test = some_of(test, 0, 2);
        if (i == 2) c.test = some_of(test, 2, test->count - 2);
        assert_int_equal(gyre_dataset_write(file_named(i), &c, true), GYRE_OK);
    }
}

static gyre_status write_manifest(const char *path, bool force) {
    char *files[FILES];
    for (int i = 0; i < FILES; i++) files[i] = (char *)file_named(i);
    return gyre_manifest_write(path, files, FILES, force);
}

static void fresh(gyre_images *train, gyre_images *test) {
    free_images(train);
    free_images(test);
    *train = make_images(17, 4, 3, 2, 3, 1);
    *test = make_images(7, 4, 3, 2, 3, 2);
    write_files(train, test);
    assert_int_equal(write_manifest(in_scratch("all.json"), true), GYRE_OK);
}

static void files_count_as_one(void **state) {
    (void)state;
    gyre_images train = {0}, test = {0};
    gyre_dataset *one, *all;
    uint8_t rows[9 * ROW];
    fresh(&train, &test);
    assert_int_equal(gyre_dataset_open(in_scratch("whole.h5"), &one), GYRE_OK);
    assert_int_equal(gyre_dataset_open(in_scratch("all.json"), &all), GYRE_OK);
    assert_true(gyre_dataset_files(one) == 0 && gyre_dataset_files(all) == FILES);
    assert_true(gyre_dataset_hash(one) == gyre_dataset_hash(all));
    assert_true(gyre_dataset_sealed(all));
    same_images(gyre_dataset_train(all), &train);
    same_images(gyre_dataset_test(all), &test);
    assert_int_equal(gyre_dataset_validation(all)->count, 0);
    for (int64_t first = 0; first < 9; first++) { /* each begin, over two borders */
        const gyre_images *p = gyre_dataset_train(all);
        assert_int_equal(gyre_images_read(p, first, 8, rows), GYRE_OK);
        assert_memory_equal(rows, train.images + first * ROW, 8 * ROW);
    }
    assert_string_equal(gyre_dataset_class_name(all, 1), "cow");
    gyre_dataset_close(one);
    gyre_dataset_close(all);
    free_images(&train);
    free_images(&test);
}

static void a_manifest_moves_with_its_files(void **state) {
    (void)state;
    gyre_images train = {0}, test = {0};
    gyre_dataset *d = NULL;
    char command[256];
    fresh(&train, &test);
    snprintf(command, sizeof command,
             "cd %s && rm -rf moved && mkdir moved && mv a.h5 deep c.h5 all.json moved", scratch);
    assert_int_equal(system(command), 0);
    assert_int_equal(gyre_dataset_verify(in_scratch("moved/all.json"), &d), GYRE_OK);
    same_images(gyre_dataset_train(d), &train);
    gyre_dataset_close(d);
    free_images(&train);
    free_images(&test);
}

static void refused(const char *words) {
    gyre_dataset *d = NULL;
    failed_with(gyre_dataset_open(in_scratch("all.json"), &d), GYRE_EIO, words);
    assert_null(d);
}

static void what_has_changed_is_named(void **state) {
    (void)state;
    gyre_images train = {0}, test = {0};
    char command[256];
    fresh(&train, &test);
    unlink(file_named(1));
    refused("all.json: cannot open|deep/b.h5");
    fresh(&train, &test);
    ((uint8_t *)train.images)[5 * ROW] ^= 1; /* the second file, as a good one */
    write_files(&train, &test);
    refused("deep/b.h5' has changed since|all.json|its checksum is|gyre data manifest");
    fresh(&train, &test);
    snprintf(command, sizeof command, "cp %s/c.h5 %s/a.h5", scratch, scratch);
    assert_int_equal(system(command), 0);
    refused("a.h5' has changed since|/train has 11 rows, 5 were expected");
    fresh(&train, &test);
    snprintf(command, sizeof command, "truncate -s -3 %s/c.h5", scratch);
    assert_int_equal(system(command), 0);
    refused("c.h5' is damaged|cut short");
    free_images(&train);
    free_images(&test);
}

static void another_order_is_another_dataset(void **state) {
    (void)state;
    gyre_images train = {0}, test = {0};
    char command[256];
    fresh(&train, &test);
    snprintf(command, sizeof command, "sed -i '5{h;d};6{G}' %s/all.json", scratch); /* two lines */
    assert_int_equal(system(command), 0);
    refused("all.json' tells the content|another order");
    free_images(&train);
    free_images(&test);
}

static void files_must_go_together(void **state) {
    (void)state;
    gyre_images train = {0}, test = {0}, other = make_images(4, 4, 4, 2, 3, 1);
    char copy[3][GYRE_NAME_SIZE] = {"ox", "cow", "dog"};
    gyre_dataset_content c = {.train = other, .classes = 3, .names = names};
    fresh(&train, &test);
    assert_int_equal(gyre_dataset_write(file_named(1), &c, true), GYRE_OK);
    failed_with(write_manifest(in_scratch("bad.json"), false), GYRE_EIO,
                "deep/b.h5' has images of 4 x 4 x 2|a.h5' of 4 x 3 x 2");
    c = (gyre_dataset_content){.train = train, .classes = 3, .names = copy};
    assert_int_equal(gyre_dataset_write(file_named(1), &c, true), GYRE_OK);
    failed_with(write_manifest(in_scratch("bad.json"), false), GYRE_EIO,
                "deep/b.h5': class 2 is 'dog', in|a.h5' it is 'calf'");
    c.classes = 2;
    for (int64_t i = 0; i < train.count; i++) ((int32_t *)train.labels)[i] %= 2;
    assert_int_equal(gyre_dataset_write(file_named(1), &c, true), GYRE_OK);
    failed_with(write_manifest(in_scratch("bad.json"), false), GYRE_EIO, "names 2 classes|names 3");
    assert_false(gyre_file_exists(in_scratch("bad.json")));
    failed_with(write_manifest(in_scratch("all.json"), false), GYRE_EIO, "exists; --force");
    free_images(&train);
    free_images(&test);
    free_images(&other);
}

/* The second file has labels that the names of all have no class for: row 1 of its own. */
static void a_file_of_more_classes_is_named(void **state) {
    (void)state;
    gyre_images train = {0}, test = {0}, other = make_images(3, 4, 3, 2, 4, 1);
    const gyre_dataset_content c = {.train = other, .classes = 4};
    for (int i = 0; i < 3; i++) ((int32_t *)other.labels)[i] = i == 1 ? 3 : 0;
    fresh(&train, &test);
    assert_int_equal(gyre_dataset_write(file_named(1), &c, true), GYRE_OK);
    failed_with(write_manifest(in_scratch("bad.json"), false), GYRE_EIO,
                "deep/b.h5' names 4 classes, '|a.h5' names 3");
    assert_null(strstr(gyre_error_text(), ".tmp."));
    free_images(&train);
    free_images(&test);
    free_images(&other);
}

static void a_file_counts_once(void **state) {
    (void)state;
    gyre_images train = {0}, test = {0};
    char command[256];
    fresh(&train, &test);
    char *again[] = {strdup(file_named(0)), strdup(file_named(2)), strdup(file_named(0))};
    failed_with(gyre_manifest_write(in_scratch("bad.json"), again, 3, false), GYRE_EUSAGE,
                "a.h5' and '|a.h5' are one file|name it once");
    snprintf(command, sizeof command, "cp %s/c.h5 %s/deep/copy.h5", scratch, scratch);
    assert_int_equal(system(command), 0);
    free(again[0]);
    again[0] = strdup(in_scratch("deep/copy.h5"));
    failed_with(gyre_manifest_write(in_scratch("bad.json"), again, 3, false), GYRE_EUSAGE,
                "deep/copy.h5' and '|c.h5' are one file, or copies");
    assert_false(gyre_file_exists(in_scratch("bad.json")));
    for (int i = 0; i < 3; i++) free(again[i]);
    free_images(&train);
    free_images(&test);
}

static void bad_manifests_are_refused_in_words(void **state) {
    (void)state;
    static const char *const texts[][2] = {
        {"{", "all.json:1:"},
        {"{}", "neither a dataset nor a manifest"},
        {"{\"gyre_manifest\": 2}", "reads version 1, found 2"},
        {"{\"gyre_manifest\": 1}", "content: a text"},
        {"{\"gyre_manifest\": 1, \"content\": \"12\"}", "content: 16 hexadecimal digits"},
        {"{\"gyre_manifest\": 1, \"content\": \"0123456789abcdef\"}", "no list \"files\""},
        {"{\"gyre_manifest\": 1, \"content\": \"0123456789abcdef\", \"files\": []}", "1 to 4096"},
        {"{\"gyre_manifest\": 1, \"content\": \"0123456789abcdef\", \"files\": [{}]}",
         "files[0]: path"},
        {"{\"gyre_manifest\": 1, \"content\": \"0123456789abcdef\", \"files\": [{\"path\": "
         "\"all.json\", \"checksum\": \"0\", \"bytes\": 1.5}]}",
         "files[0]: bytes"},
        {"{\"gyre_manifest\": 1, \"content\": \"0123456789abcdef\", \"files\": [{\"path\": "
         "\"all.json\", \"checksum\": \"0\", \"bytes\": 1, \"train\": 1, \"validation\": 0, "
         "\"test\": 0}]}",
         "all.json' is not an HDF5 file"},
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        write_bytes(in_scratch("all.json"), texts[i][0], strlen(texts[i][0]));
        refused(texts[i][1]);
    }
}

/* As if the file was cut while a run had it open. */
static void a_cut_is_an_error_and_no_signal(void **state) {
    (void)state;
    gyre_images train = {0}, test = {0};
    gyre_dataset *d;
    uint8_t row[ROW];
    fresh(&train, &test);
    assert_int_equal(gyre_dataset_open(in_scratch("all.json"), &d), GYRE_OK);
    assert_int_equal(truncate(file_named(2), 600), 0);
    assert_int_equal(gyre_images_read(gyre_dataset_train(d), 5, 1, row), GYRE_OK);
    failed_with(gyre_images_read(gyre_dataset_train(d), 16, 1, row), GYRE_EIO,
                "c.h5' has been cut short|has 600 now");
    gyre_dataset_close(d);
    free_images(&train);
    free_images(&test);
}

static int make_scratch(void **state) {
    (void)state;
    return mkdtemp(scratch) == NULL;
}

static int clean_up(void **state) {
    (void)state;
    return remove_scratch();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_count_as_one),
        cmocka_unit_test(a_manifest_moves_with_its_files),
        cmocka_unit_test(what_has_changed_is_named),
        cmocka_unit_test(another_order_is_another_dataset),
        cmocka_unit_test(files_must_go_together),
        cmocka_unit_test(a_file_of_more_classes_is_named),
        cmocka_unit_test(a_file_counts_once),
        cmocka_unit_test(bad_manifests_are_refused_in_words),
        cmocka_unit_test(a_cut_is_an_error_and_no_signal),
    };
    return cmocka_run_group_tests(tests, make_scratch, clean_up);
}
