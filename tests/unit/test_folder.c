/* Folders of pictures become datasets: which file is of which class, part and row, and that neither
 * threads nor the file system have a say in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "folder_rig.h"

/* ---- what is what */

static void class_folders_are_classes(void **state) {
    (void)state;
    fresh_tree();
    put("dog/b.PNG", 1);
    put("dog/a.png", 2);
    put("cat/deep/er/z.png", 3);
    put("cat/y.png", 4);
    put("cat/.hidden.png", 5);
    put(".git/x.png", 6);
    put("__MACOSX/dog/x.png", 6);
    put("cat/@eaDir/x.png", 6);
    put_text("cat/notes.txt", "not a picture");
    put_text("README", "nor this");
    gyre_dataset *d = imported(&plain);
    expect_rows(gyre_dataset_train(d), (int[]){3, 4, 2, 1, -1}, (int[]){0, 0, 1, 1});
    assert_int_equal(gyre_dataset_test(d)->count + gyre_dataset_validation(d)->count, 0);
    assert_int_equal(gyre_dataset_classes(d), 2);
    assert_string_equal(gyre_dataset_class_name(d, 0), "cat");
    assert_string_equal(gyre_dataset_class_name(d, 1), "dog");
    gyre_dataset_close(d);
}

static void folders_named_as_parts_are_parts(void **state) {
    (void)state;
    fresh_tree();
    put("train/ox/1.png", 1);
    put("train/cow/1.png", 2);
    put("test/ox/1.png", 3);
    put("val/calf/1.png", 4); /* a class without a training picture */
    gyre_dataset *d = imported(&plain);
    expect_rows(gyre_dataset_train(d), (int[]){2, 1, -1}, (int[]){1, 2});
    expect_rows(gyre_dataset_test(d), (int[]){3, -1}, (int[]){2});
    expect_rows(gyre_dataset_validation(d), (int[]){4, -1}, (int[]){0});
    gyre_dataset_close(d);
    put("bus/1.png", 5); /* now "train" may be a class of vehicles */
    failed_with(import_with(&plain), GYRE_EUSAGE, "'test', 'train', 'val'|'bus'|--no-parts");
    gyre_folder_options o = plain;
    o.no_parts = true;
    d = imported(&o);
    assert_int_equal(gyre_dataset_classes(d), 4);
    assert_int_equal(gyre_dataset_train(d)->count, 5);
    assert_string_equal(gyre_dataset_class_name(d, 2), "train");
    gyre_dataset_close(d);
}

static void numbers_are_sorted_as_numbers(void **state) {
    (void)state;
    fresh_tree();
    put("10/1.png", 1);
    put("9/1.png", 2);
    put("2/1.png", 3);
    gyre_dataset *d = imported(&plain);
    expect_rows(gyre_dataset_train(d), (int[]){1, 3, 2, -1}, (int[]){2, 0, 1});
    gyre_dataset_close(d);
    put("x/1.png", 4); /* not all are numbers */
    d = imported(&plain);
    expect_rows(gyre_dataset_train(d), (int[]){1, 3, 2, 4, -1}, (int[]){0, 1, 2, 3});
    gyre_dataset_close(d);
}

static void labels_come_from_a_file(void **state) {
    (void)state;
    static const char *const texts[] = {
        "file,label\nb.png,ox\na.png,cow\nsub/c.png,ox\n",
        "\xef\xbb\xbfname, class \r\n\"b.png\" , ox\r\n\r\n./a.png,\"cow\"\r\nsub/c.png,ox",
        "a.png,cow\nb.png,ox\nsub/c.png,ox\n",
    };
    gyre_folder_options o = plain;
    char csv[256];
    snprintf(csv, sizeof csv, "%s", in_tree("labels.csv"));
    o.labels = csv;
    fresh_tree();
    put("a.png", 1);
    put("b.png", 2);
    put("sub/c.png", 3);
    put("unlisted.png", 4);
    for (int i = 0; i < 3; i++) {
        put_text("labels.csv", texts[i]);
        gyre_dataset *d = imported(&o);
        expect_rows(gyre_dataset_train(d), (int[]){1, 2, 3, -1}, (int[]){0, 1, 1});
        gyre_dataset_close(d);
    }
    put_text("labels.csv", "a.png,\"a \"\"b\"\", c\"\nb.png,ox\nmissing.png,ox\n");
    gyre_dataset *d = imported(&o);
    expect_rows(gyre_dataset_train(d), (int[]){1, 2, -1}, (int[]){0, 1});
    assert_string_equal(gyre_dataset_class_name(d, 0), "a \"b\", c");
    gyre_dataset_close(d);
}

static void label_files_that_are_wrong(void **state) {
    (void)state;
    static const struct {
        const char *text, *words;
    } wrong[] = {
        {"", "names no file|file,label"},
        {"file,label\n", "names no file"},
        {"a.png,x\nb.png\n", "labels.csv', line 2|a single field"},
        {"a.png;x\nb.png;y\n", "line 1|separated by semicolons"},
        {"a.png\tx\nb.png\ty\n", "line 1|separated by tabs"},
        {"a.png,x\nb.png,y,z\n", "line 2|more than two"},
        {"a.png,x\n,y\n", "line 2|empty field"},
        {"a.png,x\nb.png,\n", "line 2|empty field"},
        {"a.png,x\n\"b.png,y\n", "line 2|quote"},
        {"a.png,x\n\"b.png\"c,y\n", "line 2|closing quote"},
        {"a.png,x\nb.png,y\na.png,x\n", "'a.png' twice"},
    };
    gyre_folder_options o = plain;
    char csv[256];
    snprintf(csv, sizeof csv, "%s", in_tree("labels.csv"));
    o.labels = csv;
    fresh_tree();
    put("a.png", 1);
    put("b.png", 2);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put_text("labels.csv", wrong[i].text);
        failed_with(import_with(&o), GYRE_EIO, wrong[i].words);
    }
    write_bytes(csv, "a.png,x\0y\n", 10);
    failed_with(import_with(&o), GYRE_EIO, "labels.csv' is no text");
    o.labels = in_tree("none.csv");
    failed_with(import_with(&o), GYRE_EIO, "none.csv|No such file");
}

/* ---- the split */

/* Which pictures were set aside, by their keys. */
static void aside(const gyre_images *p, bool keys[CLASSES * EACH]) {
    memset(keys, 0, CLASSES * EACH * sizeof *keys);
    for (int64_t i = 0; i < p->count; i++) keys[row_of(p, i)[0]] = true;
}

static void a_split_takes_the_same_part_of_each_class(void **state) {
    (void)state;
    gyre_folder_options o = plain;
    bool first[CLASSES * EACH], second[CLASSES * EACH];
    int counts[CLASSES] = {0}, same = 0;
    o.split = 0.23; /* 4.6 of 20 */
    put_classes();
    gyre_dataset *d = imported(&o);
    aside(gyre_dataset_test(d), first);
    assert_int_equal(gyre_dataset_train(d)->count, CLASSES * 15);
    for (int i = 0; i < CLASSES * EACH; i++) counts[i / EACH] += first[i];
    for (int k = 0; k < CLASSES; k++) assert_int_equal(counts[k], 5);
    gyre_dataset_close(d);
    o.seed = 2;
    d = imported(&o);
    aside(gyre_dataset_test(d), second);
    for (int i = 0; i < CLASSES * EACH; i++) same += first[i] && second[i];
    assert_in_range(same, 0, 11); /* 15 of 60: 3.75 by chance, 12 once in a million seeds */
    gyre_dataset_close(d);
}

static void a_new_picture_moves_one_other_at_most(void **state) {
    (void)state;
    gyre_folder_options o = plain;
    bool before[CLASSES * EACH], after[CLASSES * EACH];
    o.split = 0.25;
    put_classes();
    gyre_dataset *d = imported(&o);
    aside(gyre_dataset_test(d), before);
    gyre_dataset_close(d);
    put("class1/new.png", 200);
    assert_int_equal(truncate(in_tree("class2/07.png"), 20), 0); /* a broken one moves none */
    d = imported(&o);
    const gyre_images *p = gyre_dataset_test(d);
    int moved = 0;
    memset(after, 0, sizeof after);
    for (int64_t i = 0; i < p->count; i++) {
        int key = row_of(p, i)[0];
        if (key < CLASSES * EACH) after[key] = true;
    }
    for (int i = 0; i < CLASSES * EACH; i++) moved += i != 2 * EACH + 7 && before[i] != after[i];
    assert_in_range(moved, 0, 1);
    gyre_dataset_close(d);
}

static void splits_that_cannot_be(void **state) {
    (void)state;
    gyre_folder_options o = plain;
    fresh_tree();
    put("train/a/1.png", 1);
    put("train/a/2.png", 2);
    put("train/b/1.png", 3);
    o.split = 0.2;
    failed_with(import_with(&o), GYRE_EUSAGE, "--split 0.2 sets nothing aside|has 2 training");
    o.split = 0.9; /* one of each class stays */
    gyre_dataset *d = imported(&o);
    assert_true(gyre_dataset_train(d)->count == 2 && gyre_dataset_test(d)->count == 1);
    gyre_dataset_close(d);
    put("test/a/1.png", 4);
    d = imported(&o);
    assert_true(gyre_dataset_validation(d)->count == 1 && gyre_dataset_test(d)->count == 1);
    gyre_dataset_close(d);
    put("validation/a/1.png", 5);
    failed_with(import_with(&o), GYRE_EUSAGE, "--split has nothing to make");
}

/* ---- the same everywhere */

static uint64_t hash_of(const gyre_folder_options *o) {
    uint64_t hash;
    gyre_dataset_close(imported(o));
    assert_int_equal(gyre_file_hash(output(), &hash), GYRE_OK);
    return hash;
}

static void threads_and_order_change_nothing(void **state) {
    (void)state;
    gyre_folder_options o = plain;
    char name[64];
    o.split = 0.3;
    o.h = 3;
    o.w = 2;
    o.threads = 1;
    put_classes();
    put_text("class1/07b.png", "broken");
    uint64_t expected = hash_of(&o);
    for (o.threads = 2; o.threads <= 9; o.threads += 7) assert_true(hash_of(&o) == expected);
    fresh_tree(); /* made in another order, and listed so by many file systems */
    for (int i = CLASSES * EACH - 1; i >= 0; i--) {
        int k = i * 23 % (CLASSES * EACH);
        snprintf(name, sizeof name, "class%d/%02d.png", k / EACH, k % EACH);
        put(name, k);
    }
    put_text("class1/07b.png", "broken");
    assert_true(hash_of(&o) == expected);
}

static void gray_is_one_channel(void **state) {
    (void)state;
    gyre_folder_options o = plain;
    static const uint8_t gray[] = {0, 50, 100, 255};
    const png_form f = {.h = 2, .w = 2, .type = PNG_COLOR_TYPE_GRAY, .depth = 8, .pixels = gray};
    o.c = 1;
    fresh_tree();
    make_parents(in_tree("a/1.png"));
    make_parents(in_tree("b/1.png"));
    write_png(in_tree("a/1.png"), &f);
    write_png(in_tree("b/1.png"), &f);
    gyre_dataset *d = imported(&o);
    assert_int_equal(gyre_dataset_train(d)->c, 1);
    assert_memory_equal(row_of(gyre_dataset_train(d), 0), gray, 4);
    gyre_dataset_close(d);
}

/* CIFAR-10's test images as PNG files come back as they were. */
static void cifar_survives_png(void **state) {
    (void)state;
    enum { RECORD = 3073, PLANE = 1024, COUNT = 300 };
    static const char source[] = "../shared/data/cifar-10-batches-bin/test_batch.bin";
    static uint8_t records[COUNT * RECORD], rgb[COUNT][3 * PLANE];
    FILE *f = fopen(source, "rb");
    if (f == NULL) {
        print_message("%s is missing\n", source);
        skip();
    }
    assert_int_equal(fread(records, RECORD, COUNT, f), COUNT);
    fclose(f);
    fresh_tree();
    for (int i = 0; i < COUNT; i++) {
        const uint8_t *r = records + i * RECORD;
        char name[32];
        for (int k = 0; k < 3 * PLANE; k++) rgb[i][k] = r[1 + k % 3 * PLANE + k / 3];
        snprintf(name, sizeof name, "%d/%04d.png", r[0], i);
        make_parents(in_tree(name));
        write_rgb_png(in_tree(name), 32, 32, rgb[i]);
    }
    gyre_dataset *d = imported(&plain);
    const gyre_images *p = gyre_dataset_train(d);
    assert_int_equal(p->count, COUNT);
    int64_t row = 0;
    for (int label = 0; label < 10; label++) {
        for (int i = 0; i < COUNT; i++) {
            if (records[i * RECORD] != label) continue;
            assert_int_equal(p->labels[row], label);
            assert_memory_equal(row_of(p, row), rgb[i], 3 * PLANE);
            row++;
        }
    }
    gyre_dataset_close(d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(class_folders_are_classes),
        cmocka_unit_test(folders_named_as_parts_are_parts),
        cmocka_unit_test(numbers_are_sorted_as_numbers),
        cmocka_unit_test(labels_come_from_a_file),
        cmocka_unit_test(label_files_that_are_wrong),
        cmocka_unit_test(a_split_takes_the_same_part_of_each_class),
        cmocka_unit_test(a_new_picture_moves_one_other_at_most),
        cmocka_unit_test(splits_that_cannot_be),
        cmocka_unit_test(threads_and_order_change_nothing),
        cmocka_unit_test(gray_is_one_channel),
        cmocka_unit_test(cifar_survives_png),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
