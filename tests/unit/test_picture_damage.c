/* Whatever is in a file, it is a picture or is refused with a reason: no cut, flipped or invented
 * byte does more. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "picture_rig.h"

#include "../../src/data/decode.h"
#include "../../src/data/picture.h"
#include <sys/stat.h>

static data_picture_form form_of(int h, int w, int c, gyre_fit fit) {
    return (data_picture_form){.h = h, .w = w, .c = c, .fit = fit};
}

/* ---- EXIF */

static void damaged_exif_is_no_exif(void **state) {
    (void)state;
    uint8_t block[26];
    for (int big = 0; big < 2; big++) {
        exif_block(block, 6, big);
        assert_int_equal(data_exif_orientation(block, sizeof block), 6);
        for (size_t size = 0; size < 22; size++) {
            uint8_t *copy = malloc(size + 1); /* so that a read beyond it is seen */
            memcpy(copy, block, size);
            assert_int_equal(data_exif_orientation(copy, size), 1);
            free(copy);
        }
        for (int value = 0; value < 256; value++) {
            exif_block(block, value, big);
            assert_int_equal(data_exif_orientation(block, sizeof block),
                             value >= 1 && value <= 8 ? value : 1);
            for (int at = 0; at < 26; at++) { /* any byte anywhere */
                uint8_t kept = block[at];
                block[at] = (uint8_t)(255 - kept);
                int found = data_exif_orientation(block, sizeof block);
                assert_true(found >= 1 && found <= 8);
                block[at] = kept;
            }
        }
    }
}

/* ---- what is no whole picture */

static const char *const fixtures[] = {"rgb.jpg",      "progressive.jpg", "cmyk.jpg",
                                       "turned_6.jpg", "two.mpo",         "rgb.png",
                                       "palette.png",  "alpha.png",       "turned_5.png"};
enum { FIXTURES = sizeof fixtures / sizeof *fixtures };

static uint8_t *load(const char *name, size_t *size) {
    char path[300], *bytes = NULL;
    snprintf(path, sizeof path, "tests/data/images/%s", name);
    assert_int_equal(gyre_file_read(path, 1 << 20, &bytes, size), GYRE_OK);
    return (uint8_t *)bytes;
}

static gyre_status try_bytes(const uint8_t *bytes, size_t size) {
    static uint8_t image[8 * 8 * 3];
    const data_picture_form form = form_of(8, 8, 3, GYRE_FIT_CROP);
    const char *path = in_scratch("tried");
    write_bytes(path, bytes, size);
    return data_picture_read(path, &form, image);
}

static void a_picture_that_is_cut_short_is_refused(void **state) {
    (void)state;
    for (int i = 0; i < FIXTURES; i++) {
        size_t size, whole;
        uint8_t *bytes = load(fixtures[i], &size);
        /* the first of two pictures may stand alone */
        whole = size;
        if (strcmp(fixtures[i], "two.mpo") == 0) {
            while (memcmp(bytes + whole - 3, "\xff\xd8\xff", 3) != 0) whole--;
            whole -= 3;
        }
        for (size_t length = 0; length < whole; length += 1 + length / 40) {
            if (try_bytes(bytes, length) != GYRE_EIO) {
                fail_msg("%s is taken with %zu of %zu bytes", fixtures[i], length, whole);
            }
        }
        if (try_bytes(bytes, whole - 1) != GYRE_EIO) fail_msg("%s without its end", fixtures[i]);
        assert_int_equal(try_bytes(bytes, whole), GYRE_OK);
        free(bytes);
    }
}

/* FUZZ=n: n times as many. Under the address sanitizer, a read or write out of place is seen. */
static void damage_never_does_more_than_be_refused(void **state) {
    (void)state;
    gyre_random r = gyre_random_open(11, GYRE_RANDOM_TEST, 4, 0);
    const char *more = getenv("FUZZ");
    int refused = 0, rounds = 60 * (more == NULL ? 1 : atoi(more));
    for (int i = 0; i < FIXTURES; i++) {
        size_t size;
        uint8_t *bytes = load(fixtures[i], &size), *copy = malloc(size);
        assert_non_null(copy);
        for (int round = 0; round < rounds; round++) {
            memcpy(copy, bytes, size);
            uint32_t flips = 1 + gyre_random_below(&r, 4);
            size_t reach = round % 2 == 0 ? size : size < 300 ? size : 300; /* headers twice */
            for (; flips > 0; flips--) {
                copy[gyre_random_below(&r, (uint32_t)reach)] = (uint8_t)gyre_random_u32(&r);
            }
            gyre_status status = try_bytes(copy, size);
            assert_true(status == GYRE_OK || status == GYRE_EIO);
            refused += status == GYRE_EIO;
        }
        free(copy);
        free(bytes);
    }
    assert_true(refused > rounds);
}

static void files_that_are_no_pictures(void **state) {
    (void)state;
    uint8_t image[3];
    const data_picture_form form = form_of(1, 1, 3, GYRE_FIT_CROP);
    static const char jpeg_2000[] = "\0\0\0\x0cjP  \r\n";
    failed_with(try_bytes((const uint8_t *)"", 0), GYRE_EIO, "is empty");
    failed_with(try_bytes((const uint8_t *)"hello", 5), GYRE_EIO, "is no picture");
    failed_with(try_bytes((const uint8_t *)"GIF89a.....", 11), GYRE_EIO,
                "is a GIF picture|JPEG and PNG");
    failed_with(try_bytes((const uint8_t *)"RIFF....WEBPVP8", 15), GYRE_EIO, "is a WebP");
    failed_with(try_bytes((const uint8_t *)jpeg_2000, 10), GYRE_EIO, "JPEG 2000");
    failed_with(data_picture_read(in_scratch("nowhere"), &form, image), GYRE_EIO, "No such file");
    failed_with(data_picture_read(scratch, &form, image), GYRE_EIO, "no regular file");
    assert_int_equal(mkfifo(in_scratch("pipe.jpg"), 0600), 0);
    failed_with(data_picture_read(in_scratch("pipe.jpg"), &form, image), GYRE_EIO,
                "no regular file");
}

/* A PNG whose header claims h x w pixels; nothing of them is there. */
static gyre_status claim_png(uint32_t h, uint32_t w, bool interlaced) {
    uint8_t bytes[33 + 8] = "\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR";
    png_save_uint_32(bytes + 16, w);
    png_save_uint_32(bytes + 20, h);
    memcpy(bytes + 24, (uint8_t[]){8, 2, 0, 0, interlaced}, 5);
    uint32_t crc = 0xffffffffu;
    for (int i = 12; i < 29; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    png_save_uint_32(bytes + 29, ~crc);
    memcpy(bytes + 37, "IDAT", 4);
    return try_bytes(bytes, sizeof bytes);
}

static void pictures_that_would_fill_the_memory(void **state) {
    (void)state;
    size_t size;
    uint8_t *bytes = load("rgb.jpg", &size);
    failed_with(claim_png(100000, 100000, false), GYRE_EIO, "claims 100000 x 100000|268 million");
    failed_with(claim_png(10000, 10000, true), GYRE_EIO, "67 million|interlaced");
    failed_with(claim_png(10000, 10000, false), GYRE_EIO, "damaged PNG|cut short");
    failed_with(claim_png(2000000, 1, false), GYRE_EIO, "damaged PNG");
    for (size_t at = 0; at + 9 < size; at++) { /* the frame's height and width */
        if (bytes[at] != 0xff || bytes[at + 1] != 0xc0) continue;
        memset(bytes + at + 5, 0xff, 4);
        bytes[at + 5] = bytes[at + 7] = 0xfe;
    }
    failed_with(try_bytes(bytes, size), GYRE_EIO, "claims 65279 x 65279");
    free(bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(damaged_exif_is_no_exif),
        cmocka_unit_test(a_picture_that_is_cut_short_is_refused),
        cmocka_unit_test(damage_never_does_more_than_be_refused),
        cmocka_unit_test(files_that_are_no_pictures),
        cmocka_unit_test(pictures_that_would_fill_the_memory),
    };
    return cmocka_run_group_tests(tests, make_scratch, drop_scratch);
}
