/* Folders of small PNG files for tests, and what they are imported as. */
#ifndef FOLDER_RIG_H
#define FOLDER_RIG_H

#include "picture_rig.h"

#include "gyre/import.h"

enum { SIDE = 4, PIXELS = SIDE * SIDE * 3 };

static const gyre_folder_options plain = {
    .c = 3, .seed = 1, .quiet = true, .force = true, .threads = 2};

static inline gyre_dataset *open_dataset(const char *path) {
    gyre_dataset *d = NULL;
    if (gyre_dataset_open(path, &d) != GYRE_OK) fail_msg("%s", gyre_error_text());
    return d;
}

static const char *output(void) {
    return in_scratch("out.h5");
}

static inline gyre_status import_with(const gyre_folder_options *o) {
    unlink(output());
    gyre_status status = gyre_import_folder(in_scratch("tree"), output(), o);
    assert_int_equal(gyre_file_exists(output()), status == GYRE_OK);
    return status;
}

static inline gyre_dataset *imported(const gyre_folder_options *o) {
    if (import_with(o) != GYRE_OK) fail_msg("%s", gyre_error_text());
    return open_dataset(output());
}

static inline void fresh_tree(void) {
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

static inline void make_parents(const char *path) {
    char *dir = gyre_path_dir(path);
    assert_int_equal(gyre_dir_make(dir), GYRE_OK);
    free(dir);
}

/* The picture number `key`: no two are alike. */
static inline void pixels_of(int key, uint8_t rgb[PIXELS]) {
    for (int i = 0; i < PIXELS; i++) rgb[i] = (uint8_t)(key * 37 + i * 11 + i * i * (key % 5));
    rgb[0] = (uint8_t)key;
}

static inline void put(const char *name, int key) {
    uint8_t rgb[PIXELS];
    const char *path = in_tree(name);
    pixels_of(key, rgb);
    make_parents(path);
    write_rgb_png(path, SIDE, SIDE, rgb);
}

static inline void put_text(const char *name, const char *text) {
    make_parents(in_tree(name));
    write_bytes(in_tree(name), text, strlen(text));
}

/* Row `i` of a part; valid until the next call. */
static inline const uint8_t *row_of(const gyre_images *p, int64_t i) {
    static uint8_t row[1 << 16];
    assert_true(gyre_images_row(p) <= sizeof row);
    assert_int_equal(gyre_images_read(p, i, 1, row), GYRE_OK);
    return row;
}

/* A part's rows are these pictures with these labels; the keys end with -1. */
static inline void expect_rows(const gyre_images *p, const int *keys, const int *labels) {
    uint8_t rgb[PIXELS];
    int64_t count = 0;
    while (keys[count] >= 0) count++;
    assert_int_equal(p->count, count);
    for (int64_t i = 0; i < count; i++) {
        pixels_of(keys[i], rgb);
        assert_memory_equal(row_of(p, i), rgb, PIXELS);
        assert_int_equal(p->labels[i], labels[i]);
    }
}

enum { CLASSES = 3, EACH = 20 };

static inline void put_classes(void) {
    char name[64];
    fresh_tree();
    for (int i = 0; i < CLASSES * EACH; i++) {
        snprintf(name, sizeof name, "class%d/%02d.png", i / EACH, i % EACH);
        put(name, i);
    }
}

#endif
