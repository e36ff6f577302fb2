/* Grids of pictures: where pictures and letters are, by reading the file again; that it is known as
 * gyre's; and lists of seeds, files of samples. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/sampling/font.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/grid.h"
#include "gyre/latents.h"
#include "gyre/overwrite.h"
#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/gyre-grid-XXXXXX";
static char path[64];

static int make_folder(void **state) {
    (void)state;
    if (mkdtemp(folder) == NULL) return -1;
    snprintf(path, sizeof path, "%s/file", folder);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    return rmdir(folder);
}

typedef struct {
    size_t w, h;
    uint8_t *rgb;
} image;

static image draw(const gyre_grid *g, char **png, size_t *size) {
    png_image p = {.version = PNG_IMAGE_VERSION};
    if (gyre_grid_png(g, png, size) != GYRE_OK) fail_msg("%s", gyre_error_text());
    assert_true(png_image_begin_read_from_memory(&p, *png, *size));
    assert_int_equal(p.format, PNG_FORMAT_RGB);
    image out = {p.width, p.height, malloc(PNG_IMAGE_SIZE(p))};
    assert_non_null(out.rgb);
    assert_true(png_image_finish_read(&p, NULL, out.rgb, 0, NULL));
    return out;
}

static bool is_white(const image *i, size_t y, size_t x) {
    const uint8_t *at = i->rgb + (y * i->w + x) * 3;
    return at[0] == 255 && at[1] == 255 && at[2] == 255;
}

/* Finds the rectangle of color (v, v, v). */
static void find(const image *i, uint8_t v, size_t box[4]) {
    box[0] = box[1] = SIZE_MAX;
    box[2] = box[3] = 0;
    for (size_t y = 0; y < i->h; y++) {
        for (size_t x = 0; x < i->w; x++) {
            const uint8_t *at = i->rgb + (y * i->w + x) * 3;
            if (at[0] != v || at[1] != v || at[2] != v) continue;
            if (y < box[0]) box[0] = y;
            if (x < box[1]) box[1] = x;
            if (y > box[2]) box[2] = y;
            if (x > box[3]) box[3] = x;
        }
    }
}

/* Two rows of three pictures of 8 x 8 in one gray each: 96 x 96 squares in rows and columns, apart,
 * right of the labels and below the heads. */
static void places(void **state) {
    uint8_t pictures[6][64];
    char *png;
    size_t size, box[4], before[4] = {0};
    (void)state;
    for (int i = 0; i < 6; i++) memset(pictures[i], 100 + i, sizeof pictures[i]);
    const uint8_t *const rows[] = {pictures[0], pictures[3]};
    const char *const labels[] = {"first\nstep 4", "a longer one"}, *const heads[] = {"0", "1",
                                                                                      "12"};
    gyre_grid g = {8, 8, 1, 2, 3, rows, labels, "seed", heads, NULL};
    image i = draw(&g, &png, &size);
    for (uint8_t k = 0; k < 6; k++) {
        find(&i, 100 + k, box);
        assert_int_equal(box[2] - box[0], 95);
        assert_int_equal(box[3] - box[1], 95);
        for (size_t y = box[0]; y <= box[2]; y++) {
            for (size_t x = box[1]; x <= box[3]; x++) {
                assert_int_equal(i.rgb[(y * i.w + x) * 3], 100 + k);
            }
        }
        if (k % 3 > 0) assert_true(box[0] == before[0] && box[1] > before[3] + 1);
        if (k == 3) assert_true(box[0] > before[2] + 1);
        memcpy(before, box, sizeof box);
    }
    find(&i, 100, box);
    bool label = false, head = false;
    for (size_t y = 0; y < i.h; y++) {
        for (size_t x = 0; x < i.w; x++) {
            label = label || (x < box[1] && y >= box[0] && y <= box[2] && !is_white(&i, y, x));
            head = head || (y < box[0] && x >= box[1] && !is_white(&i, y, x));
        }
    }
    assert_true(label && head);
    free(i.rgb);
    free(png);
    /* a caption makes it higher, and wider where it needs to be */
    image small = i;
    g.caption =
        "a caption that is a good deal longer than all the pictures and labels together are";
    i = draw(&g, &png, &size);
    assert_true(i.h > small.h && i.w > small.w);
    find(&i, 105, box);
    bool below = false;
    for (size_t y = box[2] + 1; y < i.h; y++) {
        for (size_t x = 0; x < i.w; x++) below = below || !is_white(&i, y, x);
    }
    assert_true(below);
    free(i.rgb);
    free(png);
}

/* Colours stay, and large pictures are not enlarged. */
static void colors(void **state) {
    enum { SIDE = 96 };
    static uint8_t picture[SIDE * SIDE * 3];
    char *png;
    size_t size, found = 0;
    (void)state;
    for (size_t i = 0; i < sizeof picture; i++) picture[i] = (uint8_t)(i * 7 % 251);
    const uint8_t *const rows[] = {picture};
    const char *const label[] = {"x"};
    const gyre_grid g = {SIDE, SIDE, 3, 1, 1, rows, label, "seed", label, NULL};
    image i = draw(&g, &png, &size);
    for (size_t y = 0; y + SIDE <= i.h; y++) {
        for (size_t x = 0; x + SIDE <= i.w; x++) {
            bool same = true;
            for (size_t k = 0; same && k < SIDE; k++) {
                same =
                    memcmp(i.rgb + ((y + k) * i.w + x) * 3, picture + k * SIDE * 3, SIDE * 3) == 0;
            }
            found += same;
        }
    }
    assert_int_equal(found, 1);
    free(i.rgb);
    free(png);
}

/* The file is known as gyre's, until somebody changes it. */
static void overwriting(void **state) {
    const uint8_t picture[3] = {1, 2, 3};
    const uint8_t *const rows[] = {picture};
    const char *const label[] = {"\xc3\xa4"};
    const gyre_grid g = {1, 1, 3, 1, 1, rows, label, "seed", label, "caption"};
    char *png;
    size_t size;
    (void)state;
    image i = draw(&g, &png, &size);
    assert_int_equal(gyre_file_write_atomic(path, png, size), GYRE_OK);
    assert_int_equal(gyre_overwrite_check_signed(path), GYRE_OK);
    png[size / 2]++;
    assert_int_equal(gyre_file_write_atomic(path, png, size), GYRE_OK);
    assert_int_equal(gyre_overwrite_check_signed(path), GYRE_EIO);
    free(i.rgb);
    free(png);
}

static void too_large(void **state) {
    const uint8_t *const rows[] = {NULL};
    const char *heads[4000], *const label[] = {"x"};
    char *png = NULL;
    size_t size;
    (void)state;
    for (int i = 0; i < 4000; i++) heads[i] = "0";
    const gyre_grid g = {512, 512, 3, 1, 4000, rows, label, "seed", heads, NULL};
    assert_int_equal(gyre_grid_png(&g, &png, &size), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "fewer seeds"));
}

/* Each letter but the space has a point, and no two are the same. */
static void letters(void **state) {
    static char shape[95][FONT_WIDTH * FONT_HEIGHT + 1];
    (void)state;
    for (int k = 0; k < 95; k++) {
        int points = 0;
        for (int i = 0; i < FONT_WIDTH * FONT_HEIGHT; i++) {
            bool point = font_point((char)(' ' + k), i / FONT_WIDTH, i % FONT_WIDTH);
            shape[k][i] = point ? '#' : '.';
            points += point;
        }
        assert_int_equal(points == 0, k == 0);
        for (int j = 0; j < k; j++) {
            if (strcmp(shape[j], shape[k]) == 0) fail_msg("%c is %c", ' ' + j, ' ' + k);
        }
    }
}

static void seeds(void **state) {
    static const struct {
        const char *text;
        int count;
        uint64_t first, last;
    } good[] = {{"0..7", 8, 0, 7},
                {"5", 1, 5, 5},
                {"3,5,8", 3, 3, 8},
                {"9,0..1", 3, 9, 1},
                {"9007199254740991", 1, 9007199254740991, 9007199254740991},
                {"2..2", 1, 2, 2},
                {"0..4095", 4096, 0, 4095}};
    static const char *const bad[] = {"",
                                      "x",
                                      "1,",
                                      ",1",
                                      "1..",
                                      "..1",
                                      "1...3",
                                      "3..1",
                                      "-1",
                                      "+1",
                                      " 1",
                                      "1 ",
                                      "1.5",
                                      "0..4096",
                                      "9007199254740992",
                                      "99999999999999999999",
                                      "0..9007199254740991",
                                      "1..2..3"};
    uint64_t *found;
    int count;
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_int_equal(gyre_seeds_read(good[i].text, &found, &count), GYRE_OK);
        assert_int_equal(count, good[i].count);
        assert_true(found[0] == good[i].first && found[count - 1] == good[i].last);
        free(found);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (gyre_seeds_read(bad[i], &found, &count) != GYRE_EUSAGE) fail_msg("'%s'", bad[i]);
        assert_null(found);
    }
}

static void latents(void **state) {
    float values[24];
    gyre_latents in = {2, 2, 2, 3, values}, out;
    char *bytes, *again;
    size_t size, again_size;
    (void)state;
    for (int i = 0; i < 24; i++) values[i] = (float)i * 0.1f - 1;
    assert_int_equal(gyre_latents_check(path), GYRE_EIO); /* the picture of before is there */
    unlink(path);
    assert_int_equal(gyre_latents_check(path), GYRE_OK);
    assert_int_equal(gyre_latents_write(path, &in), GYRE_OK);
    assert_int_equal(gyre_latents_read(path, &out), GYRE_OK);
    assert_true(out.count == 2 && out.h == 2 && out.w == 2 && out.c == 3);
    assert_memory_equal(out.values, values, sizeof values);
    free(out.values);
    assert_int_equal(gyre_file_read(path, 1 << 20, &bytes, &size), GYRE_OK);
    assert_int_equal(gyre_latents_check(path), GYRE_OK); /* its own file may be replaced */
    assert_int_equal(gyre_latents_write(path, &in), GYRE_OK);
    assert_int_equal(gyre_file_read(path, 1 << 20, &again, &again_size), GYRE_OK);
    assert_int_equal(size, again_size);
    assert_memory_equal(bytes, again, size);
    bytes[size - 1]++;
    assert_int_equal(gyre_file_write_atomic(path, bytes, size), GYRE_OK);
    assert_int_equal(gyre_latents_check(path), GYRE_EIO);
    free(bytes);
    free(again);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),  cmocka_unit_test(colors),      cmocka_unit_test(too_large),
        cmocka_unit_test(letters), cmocka_unit_test(overwriting), cmocka_unit_test(seeds),
        cmocka_unit_test(latents),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
