/* Pictures of all kinds become the images that Pillow makes of them, turned as EXIF says, the same
 * bits whatever their file is like. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "picture_rig.h"

#include "../../src/data/picture.h"

enum { H = 13, W = 18, ROOM = 1 << 16 };

/* Rows of bytes in which nothing is like its neighbour. */
static const uint8_t *noise(size_t size, uint64_t key) {
    static uint8_t bytes[ROOM];
    gyre_random r = gyre_random_open(3, GYRE_RANDOM_TEST, key, 0);
    for (size_t i = 0; i < size; i++) bytes[i] = (uint8_t)gyre_random_u32(&r);
    return bytes;
}

static void read_ok(const char *path, const data_picture_form *form, uint8_t *out) {
    gyre_status status = data_picture_read(path, form, out);
    if (status != GYRE_OK) fail_msg("%s %s", path, gyre_error_text());
}

static data_picture_form form_of(int h, int w, int c, gyre_fit fit) {
    return (data_picture_form){.h = h, .w = w, .c = c, .fit = fit};
}

/* ---- what Pillow makes of them */

static gyre_fit fit_of(const char *name) {
    return strcmp(name, "pad") == 0       ? GYRE_FIT_PAD
           : strcmp(name, "stretch") == 0 ? GYRE_FIT_STRETCH
                                          : GYRE_FIT_CROP;
}

/* Pillow rounds between its two passes and at the end, we at the end alone. Before the last
 * rounding they are half a level apart at most, so one level after it. */
static void compare(const char *line, const char *hex, const uint8_t *image, size_t size) {
    assert_int_equal(strlen(hex), 2 * size);
    for (size_t i = 0; i < size; i++) {
        unsigned expected;
        assert_int_equal(sscanf(hex + 2 * i, "%2x", &expected), 1);
        int difference = (int)expected - (int)image[i];
        if (difference < -1 || difference > 1) {
            fail_msg("%s: byte %zu is %d, Pillow has %u", line, i, image[i], expected);
        }
    }
}

static void all_kinds_are_as_pillow_has_them(void **state) {
    (void)state;
    static char line[ROOM], hex[ROOM];
    static uint8_t image[ROOM];
    char path[300], name[64], how[16];
    int count = 0, h, w, c;
    FILE *f = fopen("tests/data/images/reference.txt", "r");
    assert_non_null(f);
    while (fgets(line, sizeof line, f) != NULL) {
        if (line[0] == '#') continue;
        assert_int_equal(sscanf(line, "%63s %15s %d %d %d %65535s", name, how, &h, &w, &c, hex), 6);
        snprintf(path, sizeof path, "tests/data/images/%s", name);
        const data_picture_form form = form_of(h, w, c, fit_of(how));
        read_ok(path, &form, image);
        line[60] = '\0';
        compare(line, hex, image, (size_t)h * (size_t)w * (size_t)c);
        count++;
    }
    fclose(f);
    assert_true(count > 100);
}

/* ---- pixels stay pixels */

static void a_picture_of_the_right_size_stays_as_it_is(void **state) {
    (void)state;
    const data_picture_form crop = form_of(H, W, 3, GYRE_FIT_CROP),
                            pad = form_of(H, W, 3, GYRE_FIT_PAD);
    uint8_t image[H * W * 3];
    const char *path = in_scratch("same.png");
    const uint8_t *rgb = noise(sizeof image, 1);
    int h, w;
    write_rgb_png(path, H, W, rgb);
    read_ok(path, &crop, image);
    assert_memory_equal(image, rgb, sizeof image);
    read_ok(path, &pad, image);
    assert_memory_equal(image, rgb, sizeof image);
    assert_int_equal(data_picture_size(path, &h, &w), GYRE_OK);
    assert_true(h == H && w == W);
}

static void one_colour_stays_one_colour(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {2, 7}, {5, 5}, {12, 17}, {13, 18}, {40, 3}, {61, 90}};
    static uint8_t image[61 * 90 * 3], rgb[H * W * 3];
    const char *path = in_scratch("plain.png");
    for (int level = 0; level < 256; level += 51) {
        memset(rgb, level, sizeof rgb);
        write_rgb_png(path, H, W, rgb);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            for (int fit = 0; fit < 3; fit += 2) {
                const data_picture_form form = form_of(sizes[i][0], sizes[i][1], 3,
                                                       fit == 0 ? GYRE_FIT_CROP : GYRE_FIT_STRETCH);
                read_ok(path, &form, image);
                for (int k = 0; k < form.h * form.w * 3; k++) assert_int_equal(image[k], level);
            }
        }
    }
}

static void bars_are_white(void **state) {
    (void)state;
    static uint8_t rgb[H * W * 3], image[20 * 20 * 3];
    const char *path = in_scratch("black.png");
    const data_picture_form form = form_of(20, 20, 3, GYRE_FIT_PAD);
    write_rgb_png(path, H, W, rgb);
    read_ok(path, &form, image);
    for (int y = 0; y < 20; y++) { /* 20 * 13 / 18 = 14.4: 14 rows from row 3 on */
        bool bar = y < 3 || y >= 17;
        for (int k = 0; k < 20 * 3; k++) assert_int_equal(image[y * 60 + k], bar ? 255 : 0);
    }
}

/* ---- orientation */

/* Where the pixel (y, x) of an upright picture is stored for an orientation, by EXIF's own words:
 * which side of what is seen the first row and the first column are. */
static void stored_at(int orientation, int y, int x, int *row, int *column) {
    int top = y, bottom = H - 1 - y, left = x, right = W - 1 - x;
    const int rows[] = {0, top, top, bottom, bottom, left, right, right, left};
    const int columns[] = {0, left, right, right, left, top, top, bottom, bottom};
    *row = rows[orientation];
    *column = columns[orientation];
}

/* The file's row 0 and column 0 for the eight orientations: EXIF 2.32, 4.6.4, Orientation. */
static void all_orientations_give_the_same_bits(void **state) {
    (void)state;
    static const data_picture_form forms[] = {{H, W, 3, GYRE_FIT_CROP, false},
                                              {5, 8, 3, GYRE_FIT_CROP, false},
                                              {9, 4, 3, GYRE_FIT_CROP, false},
                                              {7, 7, 1, GYRE_FIT_PAD, false},
                                              {31, 16, 3, GYRE_FIT_STRETCH, false}};
    static uint8_t upright[H * W * 3], stored[H * W * 3], expected[31 * 16 * 3], image[31 * 16 * 3];
    const char *path = in_scratch("turned.png");
    memcpy(upright, noise(sizeof upright, 2), sizeof upright);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const data_picture_form *form = &forms[i];
        size_t size = (size_t)form->h * (size_t)form->w * (size_t)form->c;
        write_rgb_png(path, H, W, upright);
        read_ok(path, form, expected);
        for (int orientation = 1; orientation <= 8; orientation++) {
            bool sideways = orientation >= 5;
            int h = sideways ? W : H, w = sideways ? H : W, row, column, got_h, got_w;
            for (int y = 0; y < H; y++) {
                for (int x = 0; x < W; x++) {
                    stored_at(orientation, y, x, &row, &column);
                    memcpy(stored + 3 * (row * w + column), upright + 3 * (y * W + x), 3);
                }
            }
            write_png(path, &(png_form){.h = h,
                                        .w = w,
                                        .type = PNG_COLOR_TYPE_RGB,
                                        .depth = 8,
                                        .orientation = orientation,
                                        .behind = orientation % 2,
                                        .pixels = stored});
            read_ok(path, form, image);
            assert_memory_equal(image, expected, size);
            assert_int_equal(data_picture_size(path, &got_h, &got_w), GYRE_OK);
            assert_true(got_h == H && got_w == W);
        }
    }
}

/* ---- kinds of PNG */

static void interlaced_is_as_plain(void **state) {
    (void)state;
    const data_picture_form form = form_of(6, 7, 3, GYRE_FIT_CROP);
    uint8_t plain[6 * 7 * 3], image[6 * 7 * 3];
    static const int types[] = {PNG_COLOR_TYPE_RGB, PNG_COLOR_TYPE_RGB_ALPHA, PNG_COLOR_TYPE_GRAY,
                                PNG_COLOR_TYPE_GRAY_ALPHA};
    for (int i = 0; i < 8; i++) {
        png_form f = {.h = H,
                      .w = W,
                      .type = types[i / 2],
                      .depth = i % 2 ? 16 : 8,
                      .pixels = noise((size_t)H * W * 8, 3)};
        write_png(in_scratch("plain.png"), &f);
        f.interlaced = true;
        write_png(in_scratch("interlaced.png"), &f);
        read_ok(in_scratch("plain.png"), &form, plain);
        read_ok(in_scratch("interlaced.png"), &form, image);
        assert_memory_equal(image, plain, sizeof image);
    }
}

/* One row of two pixels of each kind, and the six bytes that they are. */
static void each_kind_of_pixel(void **state) {
    (void)state;
    static const struct {
        int type, depth;
        uint8_t pixels[16], expected[6];
    } rows[] = {
        {PNG_COLOR_TYPE_GRAY, 1, {0x40}, {0, 0, 0, 255, 255, 255}},
        {PNG_COLOR_TYPE_GRAY, 2, {0x60}, {85, 85, 85, 170, 170, 170}},
        {PNG_COLOR_TYPE_GRAY, 4, {0x1f}, {17, 17, 17, 255, 255, 255}},
        {PNG_COLOR_TYPE_GRAY, 8, {7, 200}, {7, 7, 7, 200, 200, 200}},
        /* 16 bits are rounded, not cut: 0x00ff is 0.99, 0xff00 just 254.01 of 255 */
        {PNG_COLOR_TYPE_GRAY, 16, {0x00, 0xff, 0xff, 0x00}, {1, 1, 1, 254, 254, 254}},
        {PNG_COLOR_TYPE_PALETTE, 2, {0x30}, {255, 0, 0, 9, 99, 199}},
        {PNG_COLOR_TYPE_PALETTE, 8, {1, 2}, {0, 255, 0, 0, 0, 255}},
        {PNG_COLOR_TYPE_RGB, 8, {1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 6}},
        /* over white: 51 of 255 is a fifth, and what cannot be seen is white */
        {PNG_COLOR_TYPE_RGB_ALPHA,
         8,
         {100, 0, 255, 51, 1, 2, 3, 0},
         {224, 204, 255, 255, 255, 255}},
        {PNG_COLOR_TYPE_GRAY_ALPHA, 8, {9, 255, 0, 128}, {9, 9, 9, 127, 127, 127}},
    };
    const data_picture_form form = form_of(1, 2, 3, GYRE_FIT_CROP);
    const char *path = in_scratch("kind.png");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t image[6];
        write_png(path, &(png_form){.h = 1,
                                    .w = 2,
                                    .type = rows[i].type,
                                    .depth = rows[i].depth,
                                    .pixels = rows[i].pixels});
        read_ok(path, &form, image);
        assert_memory_equal(image, rows[i].expected, 6);
    }
}

/* ---- kinds of JPEG */

static void near(const uint8_t *image, int r, int g, int b) {
    const int expected[] = {r, g, b};
    for (int k = 0; k < 3; k++) { /* quality 100 keeps a plain colour to a level or two */
        int difference = image[k] - expected[k];
        if (difference < -2 || difference > 2) fail_msg("%d, not %d", image[k], expected[k]);
    }
}

static void kinds_of_jpeg(void **state) {
    (void)state;
    const data_picture_form form = form_of(1, 1, 3, GYRE_FIT_STRETCH);
    uint8_t pixels[16 * 16 * 4], image[3];
    const char *path = in_scratch("kind.jpg");
    for (size_t i = 0; i < 256; i++) memcpy(pixels + 3 * i, (uint8_t[]){200, 100, 50}, 3);
    for (int progressive = 0; progressive < 2; progressive++) {
        write_jpeg(path, 16, 16, 3, progressive, pixels);
        read_ok(path, &form, image);
        near(image, 200, 100, 50);
    }
    memset(pixels, 77, 256);
    write_jpeg(path, 16, 16, 1, false, pixels);
    read_ok(path, &form, image);
    near(image, 77, 77, 77);
    /* inverted, as Adobe's programs write it: 255 is no ink */
    for (size_t i = 0; i < 256; i++) memcpy(pixels + 4 * i, (uint8_t[]){255, 128, 0, 128}, 4);
    write_jpeg(path, 16, 16, 4, false, pixels);
    read_ok(path, &form, image);
    near(image, 128, 64, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_kinds_are_as_pillow_has_them),
        cmocka_unit_test(a_picture_of_the_right_size_stays_as_it_is),
        cmocka_unit_test(one_colour_stays_one_colour),
        cmocka_unit_test(bars_are_white),
        cmocka_unit_test(all_orientations_give_the_same_bits),
        cmocka_unit_test(interlaced_is_as_plain),
        cmocka_unit_test(each_kind_of_pixel),
        cmocka_unit_test(kinds_of_jpeg),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
