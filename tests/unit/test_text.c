/* Names as text: what is UTF-8 stays, all else becomes visible, and nothing is cut in the middle.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/status.h"
#include "gyre/terminal.h"
#include "gyre/text.h"
#include <string.h>

static void visible(const char *bytes, const char *expected) {
    char out[64];
    assert_int_equal(gyre_text_visible(bytes, out, sizeof out), strlen(expected));
    assert_string_equal(out, expected);
}

static void utf8_stays(void **state) {
    (void)state;
    static const char *const kept[] = {"",
                                       "plain.jpg",
                                       "caf\xc3\xa9",
                                       "\xe2\x82\xac",
                                       "\xf0\x9f\x90\x95",
                                       "\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf",
                                       "a\\xE9 b"};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) visible(kept[i], kept[i]);
}

static void all_else_is_made_visible(void **state) {
    (void)state;
    visible("caf\xe9", "caf\\xE9");
    visible("a\nb\tc\x7f", "a\\x0Ab\\x09c\\x7F");
    visible("\xc2\x85", "\\xC2\\x85");                            /* a control character */
    visible("\xc0\xaf\xe0\x80\xaf", "\\xC0\\xAF\\xE0\\x80\\xAF"); /* overlong */
    visible("\xed\xa0\x80", "\\xED\\xA0\\x80");                   /* a surrogate */
    visible("\xf4\x90\x80\x80", "\\xF4\\x90\\x80\\x80");          /* above U+10FFFF */
    visible("\xe2\x82", "\\xE2\\x82");                            /* cut short */
    visible("\xc3(", "\\xC3(");
    visible("\x80\xff", "\\x80\\xFF");
}

static void it_is_cut_between_characters(void **state) {
    (void)state;
    static const char *const expected[] = {
        "", "", "a", "a", "a\xc3\xa9", "a\xc3\xa9", "a\xc3\xa9", "a\xc3\xa9", "a\xc3\xa9\\xFF"};
    char out[10];
    for (size_t size = 1; size <= 8; size++) {
        memset(out, '#', sizeof out);
        assert_int_equal(gyre_text_visible("a\xc3\xa9\xff", out, size), 7);
        assert_string_equal(out, expected[size]);
        assert_int_equal(out[size], '#');
    }
    out[0] = '#';
    assert_int_equal(gyre_text_visible("abc", out, 0), 3);
    assert_int_equal(out[0], '#');
}

/* What would turn the text behind it round on a terminal, or end its line. */
static void misleading_characters_are_made_visible(void **state) {
    (void)state;
    /* NOLINTBEGIN(misc-misleading-bidirectional): they are what is tested */
    static const char *const rows[][2] = {
        {"a\xe2\x80\xae"
         "b",
         "a\\xE2\\x80\\xAEb"},               /* U+202E */
        {"\xe2\x80\xaa", "\\xE2\\x80\\xAA"}, /* U+202A */
        {"\xe2\x81\xa6", "\\xE2\\x81\\xA6"}, /* U+2066 */
        {"\xe2\x81\xa9", "\\xE2\\x81\\xA9"}, /* U+2069 */
        {"\xe2\x80\xa8", "\\xE2\\x80\\xA8"}, /* U+2028 */
        {"\xc2\x9b"
         "2J",
         "\\xC2\\x9B"
         "2J"},                           /* U+009B, a terminal's CSI */
        {"\xe2\x80\x8f", "\xe2\x80\x8f"}, /* U+200F: names may need it */
        {"\xe2\x81\xaa", "\xe2\x81\xaa"},
        {"\x7f\x1b[2J\n", "\\x7F\\x1B[2J\\x0A"},
    };
    /* NOLINTEND(misc-misleading-bidirectional) */
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[100] = "";
        FILE *f = fmemopen(out, sizeof out, "w");
        assert_non_null(f);
        gyre_text_print(f, rows[i][0], 0);
        fclose(f);
        assert_string_equal(out, rows[i][1]);
        gyre_text_visible(rows[i][0], out, sizeof out);
        assert_string_equal(out, rows[i][1]);
    }
}

static void columns_are_filled(void **state) {
    (void)state;
    char out[100] = "";
    FILE *f = fmemopen(out, sizeof out, "w");
    assert_non_null(f);
    gyre_text_print(f, "caf\xc3\xa9", 6);
    gyre_text_print(f, "\x01", 6);
    gyre_text_print(f, "longer", 3);
    fclose(f);
    assert_string_equal(out, "caf\xc3\xa9  \\x01  longer");
}

static void a_message_is_one_line_that_ends_where_it_was_cut(void **state) {
    (void)state;
    char name[2 * GYRE_ERROR_MAX] = "";
    gyre_fail(GYRE_EIO, "'%s' is no file", "a\n\033[2Jb");
    assert_string_equal(gyre_error_text(), "'a\\x0A\\x1B[2Jb' is no file");
    gyre_fail_in("there", GYRE_EIO);
    assert_string_equal(gyre_error_text(), "there: 'a\\x0A\\x1B[2Jb' is no file");
    for (int lead = 0; lead < 3; lead++) {
        for (size_t i = 0; i + 2 < sizeof name; i += 2) memcpy(name + i, "\xc3\xa9", 2);
        name[sizeof name - 2] = '\0';
        gyre_fail(GYRE_EIO, "%.*s%s", lead, "aa", name);
        const char *text = gyre_error_text();
        assert_in_range(strlen(text), GYRE_ERROR_MAX - 6, GYRE_ERROR_MAX - 1);
        assert_string_equal(text + strlen(text) - 3, "...");
        assert_null(strchr(text, '\\'));
    }
    memset(name, 1, sizeof name - 1);
    gyre_fail(GYRE_EIO, "%s", name);
    assert_string_equal(gyre_error_text() + strlen(gyre_error_text()) - 7, "\\x01...");
}

static void durations(void **state) {
    (void)state;
    static const struct {
        double seconds;
        const char *expected;
    } rows[] = {{0, "0 s"},           {59.4, "59 s"}, {59.6, "1 min 00 s"}, {200, "3 min 20 s"},
                {3725, "1 h 02 min"}, {-1, "0 s"},    {1e300, "0 s"}};
    char out[32];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        gyre_print_duration(rows[i].seconds, out, sizeof out);
        assert_string_equal(out, rows[i].expected);
    }
}

static void lines_are_broken_at_spaces(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
        int at;
    } rows[] = {
        {"", "\n", 0},
        {"one two three", "one two\n  three\n", 0},
        {"one two three", "one\n  two\n  three\n", 5},
        {"a longer-than-the-line b", "a\n  longer-than-the-line\n  b\n", 0},
        {"a [bb c d] e", "a\n  [bb c d]\n  e\n", 0},
        {"one\n\ntwo two two", "one\n\n  two two\n  two\n", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char out[100] = "";
        FILE *f = fmemopen(out, sizeof out, "w");
        assert_non_null(f);
        gyre_text_wrap(f, rows[i].text, rows[i].at, 2, 9);
        fclose(f);
        assert_string_equal(out, rows[i].expected);
    }
}

static void long_texts_end_with_a_mark(void **state) {
    (void)state;
    char fits[] = "12345678", cut[] = "123456789", letter[] = "1234\xc3\xa9\x36\x37\x38";
    assert_string_equal(gyre_text_shorten(fits, 8), "12345678");
    assert_string_equal(gyre_text_shorten(cut, 8), "12345...");
    assert_string_equal(gyre_text_shorten(letter, 8), "1234...");
}

/* In the middle of a buffer, so that a byte too many shows. */
static void texts_are_added_up_to_the_room(void **state) {
    (void)state;
    char out[16];
    memset(out, '#', sizeof out);
    out[0] = '\0';
    gyre_text_add(out, 8, "%d", 123);
    gyre_text_add(out, 8, "%s", "ab");
    assert_string_equal(out, "123ab");
    gyre_text_add(out, 8, "%s", "c\xc3\xa9"); /* the last byte has no room */
    assert_string_equal(out, "123abc");
    for (int i = 0; i < 3; i++) gyre_text_add(out, 8, "%d", 45678);
    assert_string_equal(out, "123abc4");
    assert_memory_equal(out + 8, "########", 8);
}

static void a_word_of_a_command(void **state) {
    (void)state;
    static const struct {
        const char *text, *expected;
    } rows[] = {{"runs/a-1_b.h5", "runs/a-1_b.h5"},
                {"my run", "'my run'"},
                {"it's $(x)", "'it'\\''s $(x)'"},
                {"", "''"},
                {"*", "'*'"}};
    char out[64], small[6];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        assert_string_equal(gyre_text_word(rows[i].text, "FILE", out, sizeof out),
                            rows[i].expected);
    }
    assert_string_equal(gyre_text_word("a b", "FILE", small, sizeof small), "'a b'");
    assert_string_equal(gyre_text_word("a bc", "FILE", small, sizeof small), "FILE");
    assert_string_equal(gyre_text_word("a/bcde", "FILE", small, sizeof small), "FILE");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_stays),
        cmocka_unit_test(all_else_is_made_visible),
        cmocka_unit_test(it_is_cut_between_characters),
        cmocka_unit_test(misleading_characters_are_made_visible),
        cmocka_unit_test(columns_are_filled),
        cmocka_unit_test(a_message_is_one_line_that_ends_where_it_was_cut),
        cmocka_unit_test(durations),
        cmocka_unit_test(lines_are_broken_at_spaces),
        cmocka_unit_test(texts_are_added_up_to_the_room),
        cmocka_unit_test(long_texts_end_with_a_mark),
        cmocka_unit_test(a_word_of_a_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
