/* Whose file it is: signatures tell a file as gyre wrote it from one that was changed since; what
 * is replaced is kept under a name that was free. */
#include "gyre/overwrite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gyre/file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/gyre-overwrite-XXXXXX";
static char path[64];

static void put(const char *name, const void *bytes, size_t size) {
    assert_int_equal(gyre_file_write_atomic(name, bytes, size), GYRE_OK);
}

static bool is_own(const void *bytes, size_t size) {
    put(path, bytes, size);
    gyre_status status = gyre_overwrite_check_signed(path);
    unlink(path);
    assert_true(status == GYRE_OK || status == GYRE_EIO);
    return status == GYRE_OK;
}

/* Each byte of a signed text decides, and so does its end, but one of `line` bytes that is cut to a
 * line's end. */
static void check_each_byte(char *text, size_t size, size_t line) {
    assert_true(is_own(text, size));
    for (size_t i = 0; i < size; i++) {
        text[i] ^= 1;
        assert_false(is_own(text, size));
        text[i] ^= 1;
    }
    for (size_t i = 0; i < size; i++) assert_true(i + line == size + 1 || !is_own(text, i));
    char *longer = malloc(size + 4);
    memcpy(longer, text, size);
    memcpy(longer + size, "\nx\n", 4);
    for (size_t i = 1; i < 4; i++) assert_false(is_own(longer, size + i));
    free(longer);
    free(text);
}

static void changed_files_are_told(void **state) {
    static const char *const ends[][2] = {{"# ", "\n"}, {"<!-- ", " -->\n"}};
    (void)state;
    assert_int_equal(gyre_overwrite_check_signed(path), GYRE_OK); /* nothing is there */
    for (size_t k = 0; k < sizeof ends / sizeof *ends; k++) {
        char *text = strdup("first line\nsecond line\n");
        size_t size = strlen(text);
        assert_false(is_own(text, size));
        assert_int_equal(gyre_overwrite_sign(&text, &size, ends[k][0], ends[k][1]), GYRE_OK);
        check_each_byte(text, size, 0);
    }
    char *json = strdup("{\n    \"a\": 1\n}\n"), *onnx = strdup("\x08\x08");
    size_t size = strlen(json);
    assert_int_equal(gyre_overwrite_sign_json(&json, &size), GYRE_OK);
    assert_memory_equal(json, "{\n    \"a\": 1,\n    \"_gyre_checksum\": \"gyre checksum ", 51);
    check_each_byte(json, size, 0);
    size = 2;
    assert_int_equal(gyre_overwrite_sign_onnx(&onnx, &size), GYRE_OK);
    assert_int_equal(size, 2 + 2 + 0x2f);
    check_each_byte(onnx, size, 15);
}

/* Numbers behind the signature, of several pieces as they are read; bytes 0 to 59 all count. */
static void what_stands_around_a_signature_is_told(void **state) {
    enum { AT = 10, SIZE = 40000 };
    static char file[SIZE];
    (void)state;
    for (int i = 0; i < SIZE; i++) file[i] = (char)(i * 7);
    put(path, file, SIZE);
    assert_int_equal(gyre_overwrite_check_signed_at(path, AT), GYRE_EIO);
    gyre_overwrite_sign_at(file, SIZE, AT);
    for (int i = 0; i < SIZE; i += i < 60 || i > SIZE - 9 ? 1
                                   : i < SIZE - 8000      ? 7987
                                                          : SIZE - 8 - i) {
        file[i] ^= 1;
        put(path, file, SIZE);
        assert_int_equal(gyre_overwrite_check_signed_at(path, AT), GYRE_EIO);
        file[i] ^= 1;
    }
    put(path, file, SIZE);
    assert_int_equal(gyre_overwrite_check_signed_at(path, AT), GYRE_OK);
    for (size_t size = 0; size < SIZE; size = 2 * size + 1) {
        put(path, file, size);
        assert_int_equal(gyre_overwrite_check_signed_at(path, AT), GYRE_EIO);
    }
    unlink(path);
    assert_int_equal(gyre_overwrite_check_signed_at(path, AT), GYRE_OK);
}

static void assert_content(const char *name, const char *want) {
    char *text;
    size_t size;
    assert_int_equal(gyre_file_read(name, 100, &text, &size), GYRE_OK);
    assert_string_equal(text, want);
    free(text);
}

static void names_that_are_taken_stay(void **state) {
    char *kept = NULL, want[80];
    (void)state;
    for (int i = 1; i <= 3; i++) {
        char text[2] = {(char)('0' + i), 0};
        put(path, text, 1);
        for (int again = 0; again < 2; again++) { /* a launch that failed comes again */
            assert_int_equal(gyre_overwrite_keep(path, "before", &kept), GYRE_OK);
            snprintf(want, sizeof want, i == 1 ? "%s.before" : "%s.before-%d", path, i);
            assert_string_equal(kept, want);
            assert_content(kept, text);
            assert_content(path, text);
            free(kept);
        }
    }
    snprintf(want, sizeof want, "%s.before", path);
    assert_content(want, "1");
    assert_int_equal(gyre_overwrite_set_aside(path, "damaged", &kept), GYRE_OK);
    assert_false(gyre_file_exists(path));
    assert_content(kept, "3");
    free(kept);
    assert_int_equal(gyre_overwrite_keep(path, "before", &kept), GYRE_EIO);
    assert_null(kept);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(changed_files_are_told),
        cmocka_unit_test(what_stands_around_a_signature_is_told),
        cmocka_unit_test(names_that_are_taken_stay),
    };
    char command[64];
    if (mkdtemp(folder) == NULL) return 1;
    snprintf(path, sizeof path, "%s/file", folder);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command) != 0 || failed;
}
