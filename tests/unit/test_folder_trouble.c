/* Folders with something wrong in them: what is left out and what is refused, names that are no
 * text, and links that lead in circles. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "folder_rig.h"
#include <sys/stat.h>

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
    put("a/2.png", 1);
    failed_with(import_with(&o), GYRE_EIO, "only one of 2 classes|'a', has training pictures");
    put("b/2.png", 2);
    put_text("c/1.png", "");
    unlink(in_tree("a/2.png"));
    failed_with(import_with(&o), GYRE_EIO, "only one of 3 classes|'b', has training pictures");
    fresh_tree();
    put("train/a/1.png", 1);
    put("test/a/2.png", 2);
    put("test/b/3.png", 3);
    failed_with(import_with(&o), GYRE_EIO, "only one of 2 classes|'a', has training pictures");
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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(broken_files_are_left_out),
        cmocka_unit_test(mislabelled_files_are_what_they_hold),
        cmocka_unit_test(folders_that_cannot_be),
        cmocka_unit_test(pictures_of_two_sizes_need_one),
        cmocka_unit_test(names_that_are_not_utf8),
        cmocka_unit_test(links_are_followed_once),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
