/* Folders of pictures become datasets: which file is of which class, part and row, what is left
 * out and told, and that neither threads nor the file system have a say in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "picture_rig.h"

#include "gyre/folder.h"
#include <sys/stat.h>

enum { SIDE = 4, PIXELS = SIDE * SIDE * 3 };

static const gyre_folder_options plain = {
    .c = 3, .seed = 1, .quiet = true, .force = true, .threads = 2};

static gyre_dataset *open_dataset(const char *path) {
    gyre_dataset *d = NULL;
    if (gyre_dataset_open(path, &d) != GYRE_OK) fail_msg("%s", gyre_error_text());
    return d;
}

static const char *output(void) {
    return in_scratch("out.h5");
}

static gyre_status import_with(const gyre_folder_options *o) {
    unlink(output());
    gyre_status status = gyre_import_folder(in_scratch("tree"), output(), o);
    assert_int_equal(gyre_file_exists(output()), status == GYRE_OK);
    return status;
}

static gyre_dataset *imported(const gyre_folder_options *o) {
    if (import_with(o) != GYRE_OK) fail_msg("%s", gyre_error_text());
    return open_dataset(output());
}

static void fresh_tree(void) {
    char command[512];
    snprintf(command, sizeof command, "rm -rf '%s' && mkdir '%s'", in_scratch("tree"),
             in_scratch("tree"));
    assert_int_equal(system(command), 0);
}

static const char *in_tree(const char *name) {
    char below[200];
    snprintf(below, sizeof below, "tree/%s", name);
    return in_scratch(below);
}

static void make_parents(const char *path) {
    char *dir = gyre_path_dir(path);
    assert_int_equal(gyre_dir_make(dir), GYRE_OK);
    free(dir);
}

/* The picture number `key`: no two are alike. */
static void pixels_of(int key, uint8_t rgb[PIXELS]) {
    for (int i = 0; i < PIXELS; i++) rgb[i] = (uint8_t)(key * 37 + i * 11 + i * i * (key % 5));
    rgb[0] = (uint8_t)key;
}

static void put(const char *name, int key) {
    uint8_t rgb[PIXELS];
    const char *path = in_tree(name);
    pixels_of(key, rgb);
    make_parents(path);
    write_rgb_png(path, SIDE, SIDE, rgb);
}

static void put_text(const char *name, const char *text) {
    make_parents(in_tree(name));
    write_bytes(in_tree(name), text, strlen(text));
}

/* A part's rows are these pictures with these labels; the keys end with -1. */
static void expect_rows(const gyre_images *p, const int *keys, const int *labels) {
    uint8_t rgb[PIXELS];
    int64_t count = 0;
    while (keys[count] >= 0) count++;
    assert_int_equal(p->count, count);
    for (int64_t i = 0; i < count; i++) {
        pixels_of(keys[i], rgb);
        assert_memory_equal(p->images + i * PIXELS, rgb, PIXELS);
        assert_int_equal(p->labels[i], labels[i]);
    }
}

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
    put("bus/1.png", 5); /* now "train" is a class of vehicles */
    d = imported(&plain);
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
        {"a.png;x\nb.png;y\n", "line 1|a single field"},
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

enum { CLASSES = 3, EACH = 20 };

static void put_classes(void) {
    char name[64];
    fresh_tree();
    for (int i = 0; i < CLASSES * EACH; i++) {
        snprintf(name, sizeof name, "class%d/%02d.png", i / EACH, i % EACH);
        put(name, i);
    }
}

/* Which pictures were set aside, by their keys. */
static void aside(const gyre_images *p, bool keys[CLASSES * EACH]) {
    memset(keys, 0, CLASSES * EACH * sizeof *keys);
    for (int64_t i = 0; i < p->count; i++) keys[p->images[i * PIXELS]] = true;
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
        int key = p->images[i * PIXELS];
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

/* ---- trouble */

static void broken_files_are_left_out(void **state) {
    (void)state;
    gyre_folder_options o = plain;
    fresh_tree();
    for (int i = 0; i < 6; i++) {
        char name[32];
        snprintf(name, sizeof name, "%s/%d.png", i % 2 ? "b" : "a", i);
        put(name, i);
    }
    gyre_dataset *d = imported(&o);
    uint64_t whole = gyre_dataset_hash(d);
    gyre_dataset_close(d);
    put_text("a/1empty.jpg", "");
    put_text("a/1text.jpg", "hello");
    put_text("b/0.png", "\x89PNG\r\n\x1a\n");
    put("b/9cut.png", 9);
    assert_int_equal(truncate(in_tree("b/9cut.png"), 60), 0);
    assert_int_equal(symlink("nowhere.png", in_tree("b/link.png")), 0);
    assert_int_equal(symlink("loop.png", in_tree("b/loop.png")), 0);
    assert_int_equal(mkfifo(in_tree("b/pipe.png"), 0600), 0);
    d = imported(&o); /* as if they were not there */
    assert_true(gyre_dataset_hash(d) == whole && gyre_dataset_sealed(d));
    gyre_dataset_close(d);
    o.strict = true;
    failed_with(import_with(&o), GYRE_EIO, "7 of 13 pictures|--strict");
}

static void mislabelled_files_are_what_they_hold(void **state) {
    (void)state;
    fresh_tree();
    put("a/1.jpg", 1);
    put("b/2.jpeg", 2);
    gyre_dataset *d = imported(&plain);
    expect_rows(gyre_dataset_train(d), (int[]){1, 2, -1}, (int[]){0, 1});
    gyre_dataset_close(d);
}

static void folders_that_cannot_be(void **state) {
    (void)state;
    gyre_folder_options o = plain;
    char name[128];
    fresh_tree();
    failed_with(import_with(&o), GYRE_EIO, "tree' holds no pictures");
    put_text("a/1.gif", "GIF89a");
    failed_with(import_with(&o), GYRE_EIO, "holds no pictures|'a/1.gif'|.png");
    put("a/1.png", 1);
    put("a/2.png", 2);
    failed_with(import_with(&o), GYRE_EUSAGE, "all 2 pictures are of one class, 'a'");
    fresh_tree();
    put("1.png", 1);
    failed_with(import_with(&o), GYRE_EUSAGE,
                "pictures (1) that lie in no class's folder|--labels");
    fresh_tree();
    snprintf(name, sizeof name, "%064d/1.png", 7);
    put(name, 1);
    put("b/1.png", 2);
    failed_with(import_with(&o), GYRE_EUSAGE, "has 64 bytes, 63 are kept");
    fresh_tree();
    put_text("a/1.png", "");
    put_text("b/1.png", "");
    failed_with(import_with(&o), GYRE_EIO, "none of the training pictures");
    o.h = o.w = 3;
    failed_with(import_with(&o), GYRE_EIO, "none of the training pictures");
    failed_with(gyre_import_folder(in_scratch("missing"), output(), &o), GYRE_EIO,
                "missing' cannot be listed: No such file");
}

static void pictures_of_two_sizes_need_one(void **state) {
    (void)state;
    static const uint8_t gray[25 * 3];
    gyre_folder_options o = plain;
    fresh_tree();
    put("a/1.png", 1);
    make_parents(in_tree("b/1.png"));
    write_rgb_png(in_tree("b/1.png"), 5, 3, gray);
    write_rgb_png(in_tree("b/2.png"), 3, 5, gray);
    for (o.threads = 1; o.threads <= 4; o.threads++) {
        failed_with(import_with(&o), GYRE_EUSAGE, "'b/1.png' has 5 x 3|4 x 4|--size");
    }
    o.h = o.w = 4;
    gyre_dataset *d = imported(&o);
    assert_true(gyre_dataset_train(d)->count == 3 && gyre_dataset_train(d)->h == 4);
    gyre_dataset_close(d);
}

/* ---- names and links */

static void names_that_are_not_utf8(void **state) {
    (void)state;
    fresh_tree();
    put("caf\xe9/\xff\xfe.png", 1);
    put("caf\xc3\xa9/1.png", 2); /* é in UTF-8, and a byte lower than \xe9 */
    put("new\nline/1.png", 3);
    gyre_dataset *d = imported(&plain);
    expect_rows(gyre_dataset_train(d), (int[]){2, 1, 3, -1}, (int[]){0, 1, 2});
    assert_string_equal(gyre_dataset_class_name(d, 0), "caf\xc3\xa9");
    assert_string_equal(gyre_dataset_class_name(d, 1), "caf\\xE9");
    assert_string_equal(gyre_dataset_class_name(d, 2), "new\\x0Aline");
    gyre_dataset_close(d);
}

static void links_are_followed_once(void **state) {
    (void)state;
    fresh_tree();
    put("a/1.png", 1);
    put("a/sub/2.png", 2);
    put("b/1.png", 3);
    make_parents(in_scratch("elsewhere/x"));
    assert_int_equal(symlink("..", in_tree("a/up")), 0);
    assert_int_equal(symlink("sub", in_tree("a/twice")), 0);
    assert_int_equal(symlink(".", in_tree("b/self")), 0);
    assert_int_equal(symlink("round2", in_tree("b/round1")), 0);
    assert_int_equal(symlink("round1", in_tree("b/round2")), 0);
    assert_int_equal(symlink("../../elsewhere", in_tree("b/outside")), 0);
    assert_int_equal(symlink("../b/1.png", in_tree("a/file.png")), 0);
    uint8_t rgb[PIXELS];
    pixels_of(4, rgb);
    write_rgb_png(in_scratch("elsewhere/4.png"), SIDE, SIDE, rgb);
    gyre_dataset *d = imported(&plain);
    expect_rows(gyre_dataset_train(d), (int[]){1, 3, 2, 3, 4, -1}, (int[]){0, 0, 0, 1, 1});
    gyre_dataset_close(d);
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
    assert_memory_equal(gyre_dataset_train(d)->images, gray, 4);
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
            assert_memory_equal(p->images + row * 3 * PLANE, rgb[i], 3 * PLANE);
            row++;
        }
    }
    gyre_dataset_close(d);
}

static int make_scratch(void **state) {
    (void)state;
    return mkdtemp(scratch) == NULL;
}

static int drop_scratch(void **state) {
    (void)state;
    return remove_scratch();
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
        cmocka_unit_test(broken_files_are_left_out),
        cmocka_unit_test(mislabelled_files_are_what_they_hold),
        cmocka_unit_test(folders_that_cannot_be),
        cmocka_unit_test(pictures_of_two_sizes_need_one),
        cmocka_unit_test(names_that_are_not_utf8),
        cmocka_unit_test(links_are_followed_once),
        cmocka_unit_test(threads_and_order_change_nothing),
        cmocka_unit_test(gray_is_one_channel),
        cmocka_unit_test(cifar_survives_png),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
